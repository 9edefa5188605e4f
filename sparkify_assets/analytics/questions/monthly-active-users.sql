/*
title: Monthly active users
description: >
  Different users who played at least one song in a month (UTC), and its plays. Months without
  plays between the first and the last count as 0. Plays without a user count as plays only.
chart: {kind: line, x: month, y: users}
*/
WITH heard AS (
  SELECT make_date(year, month, 1) AS month, user_id, count(*) AS plays
  FROM songplays
  GROUP BY ALL
),
counted AS (
  SELECT month, count(user_id) AS users, sum(plays)::BIGINT AS plays
  FROM heard
  GROUP BY ALL
),
every AS (
  SELECT unnest(generate_series(min(month), max(month), INTERVAL 1 MONTH))::DATE AS month
  FROM counted
)
SELECT
  strftime(month, '%Y-%m') AS month,
  coalesce(users, 0) AS users,
  coalesce(plays, 0)::BIGINT AS plays
FROM every
LEFT JOIN counted USING (month)
ORDER BY every.month
