/*
title: Length of sessions
description: >
  How many sessions last how long, from the start of their first play to the end of their last,
  and how many plays they have. A session counts whole to the month (UTC) in which it began, so
  one that runs over a month's end is read from all months.
parameters:
  month: {type: month, description: Only sessions that began in this month.}
chart: {kind: column, x: minutes, y: sessions}
report: 100
*/
WITH grouped AS (
  SELECT
    CASE
      WHEN minutes < 5 THEN 0
      WHEN minutes < 15 THEN 5
      WHEN minutes < 30 THEN 15
      WHEN minutes < 60 THEN 30
      WHEN minutes < 120 THEN 60
      WHEN minutes < 240 THEN 120
      ELSE 240
    END AS from_minutes,
    plays
  FROM sessions
  WHERE $month IS NULL OR month = $month
)
SELECT
  from_minutes,
  CASE from_minutes
    WHEN 0 THEN '0 to 5' WHEN 5 THEN '5 to 15' WHEN 15 THEN '15 to 30' WHEN 30 THEN '30 to 60'
    WHEN 60 THEN '60 to 120' WHEN 120 THEN '120 to 240' ELSE '240 and more'
  END AS minutes,
  count(*) AS sessions,
  round(100.0 * count(*) / sum(count(*)) OVER (), 2) AS share_percent,
  sum(plays)::BIGINT AS plays
FROM grouped
GROUP BY ALL
ORDER BY from_minutes
