/*
title: What preceded upgrades and downgrades
description: >
  The latest changes of level, each with what its user did in the 30 days before the first play
  at the new level: plays, days with plays and sessions, and the last song before it.
  level-changes says what counts as a change. Times are UTC.
parameters:
  month: {type: month, description: Only changes in this month.}
  change: {type: text, choices: [upgrade, downgrade], description: Only these; else both.}
  limit: {type: integer, default: 50, minimum: 1, description: How many changes.}
chart: {kind: bar, x: plays_30_days, y: user_id, color: change}
*/
WITH changes AS (
  SELECT user_id, changed_at, level, change, last_play_before
  FROM levels
  WHERE ($month IS NULL OR month = $month) AND ($change IS NULL OR change = $change)
  ORDER BY changed_at DESC, user_id, change, last_play_before
  LIMIT $limit
),
looked_at AS (
  SELECT DISTINCT c.user_id, c.changed_at, year(m.first_day) AS year, month(m.first_day) AS month
  FROM changes AS c, unnest(generate_series(
    date_trunc('month', c.changed_at - INTERVAL 30 DAY), c.changed_at, INTERVAL 1 MONTH
  )) AS m(first_day)
),
recent AS (
  SELECT
    c.user_id,
    c.changed_at,
    count(*) AS plays,
    count(DISTINCT epoch_ms(s.start_time) // 86400000) AS days,
    count(DISTINCT s.session_id) AS sessions
  FROM looked_at AS c
  JOIN songplays AS s ON s.user_id = c.user_id AND s.year = c.year AND s.month = c.month
    AND s.start_time >= c.changed_at - INTERVAL 30 DAY AND s.start_time < c.changed_at
  GROUP BY ALL
),
last_songs AS (
  SELECT
    c.user_id,
    c.changed_at,
    c.level,
    c.last_play_before,
    max_by({'song': s.song, 'artist': s.artist}, s.songplay_id) AS heard
  FROM changes AS c
  JOIN songplays AS s ON s.user_id = c.user_id AND s.start_time = c.last_play_before
    AND s.year = year(c.last_play_before) AND s.month = month(c.last_play_before)
    AND s.level <> c.level
  GROUP BY ALL
)
SELECT
  c.changed_at,
  c.user_id,
  c.change,
  coalesce(r.plays, 0) AS plays_30_days,
  coalesce(r.days, 0) AS days_30_days,
  coalesce(r.sessions, 0) AS sessions_30_days,
  c.last_play_before,
  l.heard.song AS last_song,
  l.heard.artist AS last_artist
FROM changes AS c
LEFT JOIN recent AS r USING (user_id, changed_at)
LEFT JOIN last_songs AS l USING (user_id, changed_at, level, last_play_before)
ORDER BY c.changed_at DESC, c.user_id, c.change, c.last_play_before
