/*
title: Free and paid by day
description: >
  Plays at each level by day (UTC), their share of the day's plays in percent, and the different
  users who played at that level; a user who changed counts at both. The level is the one at the
  moment of the play; plays without a level are left out.
parameters:
  month: {type: month, description: Only plays of this month.}
chart: {kind: area, x: day, y: share_percent, color: level}
report: 40
*/
WITH heard AS (
  SELECT start_time::DATE AS day, level, user_id, count(*) AS plays
  FROM songplays
  WHERE level IS NOT NULL
    AND ($month IS NULL OR (year = $month[:4]::INT AND month = $month[6:]::INT))
  GROUP BY ALL
),
counted AS (
  SELECT day, level, sum(plays)::BIGINT AS plays, count(user_id) AS users
  FROM heard
  GROUP BY ALL
)
SELECT
  day,
  level,
  plays,
  round(100.0 * plays / sum(plays) OVER (PARTITION BY day), 2) AS share_percent,
  users
FROM counted
ORDER BY day, level
