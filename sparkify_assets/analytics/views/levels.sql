-- A user's day at one level is one entry; only days with several levels are looked at play by play.
WITH days AS (
  SELECT
    user_id,
    epoch_ms(start_time) // 86400000 AS day,
    min(level) AS lowest,
    max(level) AS highest,
    min(start_time) AS first_play,
    max(start_time) AS last_play
  FROM songplays
  WHERE user_id IS NOT NULL AND level IS NOT NULL
  GROUP BY ALL
),
entries AS (
  SELECT user_id, lowest AS level, first_play, last_play, NULL::BIGINT AS songplay_id
  FROM days
  WHERE lowest = highest
  UNION ALL
  SELECT s.user_id, s.level, s.start_time, s.start_time, s.songplay_id
  FROM songplays AS s
  SEMI JOIN (SELECT user_id, day FROM days WHERE lowest <> highest) AS d
    ON d.user_id = s.user_id AND d.day = epoch_ms(s.start_time) // 86400000
  WHERE s.level IS NOT NULL
),
ordered AS (
  SELECT
    user_id,
    first_play,
    level,
    lag(level) OVER neighbours AS level_before,
    lag(last_play) OVER neighbours AS last_play_before
  FROM entries
  WINDOW neighbours AS (PARTITION BY user_id ORDER BY first_play, songplay_id)
)
SELECT
  user_id,
  first_play AS changed_at,
  strftime(first_play, '%Y-%m') AS month,
  level_before,
  level,
  CASE WHEN level = 'paid' THEN 'upgrade' ELSE 'downgrade' END AS change,
  last_play_before
FROM ordered
WHERE level_before <> level
