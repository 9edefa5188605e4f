/*
title: What preceded upgrades and downgrades
description: >
  The latest changes of level, each with what its user did in the 30 days before the first play
  at the new level: plays, days with plays and sessions, and the last song before it.
  level-changes says what counts as a change. Times are UTC.
parameters:
  month: {type: month, description: Only changes in this month.}
  change: {type: text, description: upgrade or downgrade; else both.}
  limit: {type: integer, default: 50, minimum: 1, description: How many changes.}
chart: {kind: bar, x: plays_30_days, y: user_id, color: change}
*/
WITH changes AS (
  SELECT user_id, changed_at, change, last_play_before
  FROM levels
  WHERE ($month IS NULL OR month = $month) AND ($change IS NULL OR change = $change)
  ORDER BY changed_at DESC, user_id, change
  LIMIT $limit
),
heard AS (
  SELECT s.user_id, s.start_time, s.session_id, s.songplay_id, s.song, s.artist
  FROM songplays AS s
  WHERE s.user_id IN (SELECT user_id FROM changes)
    AND s.start_time < (SELECT max(changed_at) FROM changes)
),
recent AS (
  SELECT
    c.user_id,
    c.changed_at,
    count(*) AS plays,
    count(DISTINCT h.start_time::DATE) AS days,
    count(DISTINCT h.session_id) AS sessions
  FROM changes AS c
  JOIN heard AS h ON h.user_id = c.user_id
    AND h.start_time >= c.changed_at - INTERVAL 30 DAY AND h.start_time < c.changed_at
  GROUP BY ALL
),
last_songs AS (
  SELECT
    c.user_id,
    c.changed_at,
    max_by({'song': h.song, 'artist': h.artist}, h.songplay_id) AS heard
  FROM changes AS c
  JOIN heard AS h ON h.user_id = c.user_id AND h.start_time = c.last_play_before
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
LEFT JOIN last_songs AS l USING (user_id, changed_at)
ORDER BY c.changed_at DESC, c.user_id, c.change
