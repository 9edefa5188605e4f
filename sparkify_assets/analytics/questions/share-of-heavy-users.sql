/*
title: Share of plays by tenth of the users
description: >
  Users in ten groups of the same size (as near as it goes) by their plays, the first group
  those who listen most: which share of all plays in percent each group makes, alone and with
  those before it. Plays without a user are left out.
parameters:
  month: {type: month, description: Only plays of this month.}
chart: {kind: column, x: tenth, y: share_percent}
report: 110
*/
WITH listeners AS (
  SELECT user_id, count(*) AS plays
  FROM songplays
  WHERE user_id IS NOT NULL
    AND ($month IS NULL OR (year = $month[:4]::INT AND month = $month[6:]::INT))
  GROUP BY ALL
),
ranked AS (
  SELECT
    plays,
    (10 * (row_number() OVER (ORDER BY plays DESC, user_id) - 1) // count(*) OVER ())::INTEGER + 1
      AS tenth
  FROM listeners
),
tenths AS (
  SELECT tenth, count(*) AS users, sum(plays)::BIGINT AS plays, min(plays) AS fewest_plays
  FROM ranked
  GROUP BY ALL
)
SELECT
  tenth,
  users,
  plays,
  fewest_plays,
  round(100.0 * plays / sum(plays) OVER (), 2) AS share_percent,
  round(100.0 * sum(plays) OVER (ORDER BY tenth) / sum(plays) OVER (), 2) AS share_so_far_percent
FROM tenths
ORDER BY tenth
