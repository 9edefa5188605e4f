/*
title: Daily active users
description: >
  Different users who played at least one song on a day (UTC), and the plays of that day. Days
  without plays between the first and the last count as 0. Plays without a user count as plays
  only.
parameters:
  month: {type: month, description: Only plays of this month.}
chart: {kind: line, x: day, y: users}
report: 30
*/
WITH heard AS (
  SELECT start_time::DATE AS day, user_id, count(*) AS plays
  FROM songplays
  WHERE $month IS NULL OR (year = $month[:4]::INT AND month = $month[6:]::INT)
  GROUP BY ALL
),
counted AS (
  SELECT day, count(user_id) AS users, sum(plays)::BIGINT AS plays
  FROM heard
  GROUP BY ALL
),
every AS (
  SELECT unnest(generate_series(min(day), max(day), INTERVAL 1 DAY))::DATE AS day
  FROM counted
)
SELECT
  day,
  coalesce(users, 0) AS users,
  coalesce(plays, 0)::BIGINT AS plays
FROM every
LEFT JOIN counted USING (day)
ORDER BY every.day
