/*
title: Users who listen most
description: >
  The users with most plays, with their share of all plays in percent and the share of all users
  up to and including them. Name and level are those last seen. Plays without a user are left
  out, also from the whole.
parameters:
  month: {type: month, description: Only plays of this month.}
  limit: {type: integer, default: 20, minimum: 1, description: How many users.}
chart: {kind: bar, x: plays, y: user_id}
*/
WITH listeners AS (
  SELECT user_id, count(*) AS plays, max(start_time) AS last_play
  FROM songplays
  WHERE user_id IS NOT NULL
    AND ($month IS NULL OR (year = $month[:4]::INT AND month = $month[6:]::INT))
  GROUP BY ALL
),
ranked AS (
  SELECT
    user_id,
    plays,
    last_play,
    100.0 * plays / sum(plays) OVER () AS share,
    100.0 * sum(plays) OVER (ORDER BY plays DESC, user_id ROWS UNBOUNDED PRECEDING)
      / sum(plays) OVER () AS share_so_far
  FROM listeners
)
SELECT
  r.user_id,
  u.first_name,
  u.last_name,
  u.level,
  r.plays,
  round(r.share, 2) AS share_percent,
  round(r.share_so_far, 2) AS share_so_far_percent,
  r.last_play
FROM ranked AS r
LEFT JOIN users AS u USING (user_id)
ORDER BY r.plays DESC, r.user_id
LIMIT $limit
