/*
title: New and returning users by day
description: >
  Users with plays on a day (UTC): new, if it is the first day on which they ever played, else
  returning. What was before is known from all months of the lake; on the lake's first day everybody is new.
parameters:
  month: {type: month, description: Only days of this month.}
chart: {kind: column, x: day, y: users, color: kind}
report: 55
*/
WITH heard AS (
  SELECT user_id, start_time::DATE AS day
  FROM songplays
  WHERE user_id IS NOT NULL
    AND ($month IS NULL OR (year = $month[:4]::INT AND month = $month[6:]::INT))
  GROUP BY ALL
),
earlier AS (
  SELECT DISTINCT user_id
  FROM songplays
  WHERE $month IS NOT NULL AND (year, month) < ($month[:4]::INT, $month[6:]::INT)
),
days AS (
  SELECT
    h.day,
    e.user_id IS NULL AND row_number() OVER (PARTITION BY h.user_id ORDER BY h.day) = 1 AS is_new
  FROM heard AS h
  LEFT JOIN earlier AS e USING (user_id)
)
SELECT day, if(is_new, 'new', 'returning') AS kind, count(*) AS users
FROM days
GROUP BY ALL
ORDER BY day, kind
