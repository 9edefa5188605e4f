/*
title: Weekly active users
description: >
  Different users who played at least one song in an ISO week (Monday to Sunday, UTC), and its
  plays. Weeks without plays between the first and the last count as 0. With a month, only plays
  of that month count, so its first and last week may be cut.
parameters:
  month: {type: month, description: Only plays of this month.}
chart: {kind: line, x: monday, y: users}
*/
WITH heard AS (
  SELECT
    date_trunc('week', start_time)::DATE AS week,
    user_id,
    count(*) AS plays
  FROM songplays
  WHERE $month IS NULL OR (year = $month[:4]::INT AND month = $month[6:]::INT)
  GROUP BY ALL
),
counted AS (
  SELECT week, count(user_id) AS users, sum(plays)::BIGINT AS plays
  FROM heard
  GROUP BY ALL
),
every AS (
  SELECT unnest(generate_series(min(week), max(week), INTERVAL 1 WEEK))::DATE AS week
  FROM counted
)
SELECT
  strftime(week, '%G-W%V') AS week,
  week AS monday,
  coalesce(users, 0) AS users,
  coalesce(plays, 0)::BIGINT AS plays
FROM every
LEFT JOIN counted USING (week)
ORDER BY every.week
