/*
title: Upgrades and downgrades by month
description: >
  How often users went from free to paid (upgrade) and back (downgrade), by the month (UTC) of
  the first play at the new level, and how many different users did. Only what the plays show:
  two changes without a play in between are not seen. The level before is known from all months,
  also with --month.
parameters:
  month: {type: month, description: Only changes in this month.}
chart: {kind: column, x: month, y: changes, color: change}
report: 50
*/
-- A month alone needs each user's last play before it, not all changes until then.
WITH entries AS (
  SELECT user_id, start_time, songplay_id, level
  FROM songplays
  WHERE user_id IS NOT NULL AND level IS NOT NULL
    AND $month IS NOT NULL AND year = $month[:4]::INT AND month = $month[6:]::INT
  UNION ALL
  SELECT user_id, last[1], last[2], last[3]
  FROM (
    SELECT user_id, max((start_time, songplay_id, level)) AS last
    FROM songplays
    WHERE user_id IS NOT NULL AND level IS NOT NULL AND $month IS NOT NULL
      AND (year < $month[:4]::INT OR (year = $month[:4]::INT AND month < $month[6:]::INT))
    GROUP BY user_id
  )
),
ordered AS (
  SELECT
    user_id,
    start_time AS changed_at,
    level,
    lag(level) OVER neighbours AS level_before,
    lag(start_time) OVER neighbours AS last_play_before
  FROM entries
  WINDOW neighbours AS (PARTITION BY user_id ORDER BY start_time, songplay_id)
),
found AS (
  SELECT user_id, changed_at, month, change, last_play_before
  FROM levels
  WHERE $month IS NULL
  UNION ALL
  SELECT
    user_id,
    changed_at,
    $month,
    if(level = 'paid', 'upgrade', 'downgrade'),
    last_play_before
  FROM ordered
  WHERE level_before <> level
)
SELECT month, change, count(*) AS changes, count(DISTINCT user_id) AS users
FROM found
GROUP BY ALL
ORDER BY month, change
