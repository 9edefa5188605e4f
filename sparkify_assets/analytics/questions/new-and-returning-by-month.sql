/*
title: New and returning users by month
description: >
  Users with plays in a month (UTC): new, if they never played before that month, else
  returning. What was before is known from all months of the lake; in the lake's first month everybody is new.
parameters:
  month: {type: month, description: Only this month's users.}
chart: {kind: column, x: month, y: users, color: kind}
*/
WITH heard AS (
  SELECT DISTINCT user_id, year, month
  FROM songplays
  WHERE user_id IS NOT NULL
    AND ($month IS NULL OR (year, month) <= ($month[:4]::INT, $month[6:]::INT))
),
months AS (
  SELECT
    printf('%04d-%02d', year, month) AS month,
    row_number() OVER (PARTITION BY user_id ORDER BY year, month) = 1 AS is_new
  FROM heard
)
SELECT month, if(is_new, 'new', 'returning') AS kind, count(*) AS users
FROM months
WHERE $month IS NULL OR month = $month
GROUP BY ALL
ORDER BY month, kind
