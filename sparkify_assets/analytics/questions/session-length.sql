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
WITH asked AS (
  -- Those with a play in the month; which of them began in it is known from all their plays.
  SELECT DISTINCT session_id
  FROM songplays
  WHERE $month IS NOT NULL AND year = $month[:4]::INT AND month = $month[6:]::INT
),
began AS (
  SELECT
    epoch_ms(min(start_time)) AS start_ms,
    max(epoch_ms(start_time) + (coalesce(length, 0) * 1000)::BIGINT) AS end_ms,
    count(*) AS plays
  FROM songplays
  WHERE $month IS NULL OR session_id IN (SELECT session_id FROM asked)
  GROUP BY session_id, user_id
),
grouped AS (
  SELECT
    CASE
      WHEN end_ms - start_ms < 5 * 60000 THEN 0
      WHEN end_ms - start_ms < 15 * 60000 THEN 5
      WHEN end_ms - start_ms < 30 * 60000 THEN 15
      WHEN end_ms - start_ms < 60 * 60000 THEN 30
      WHEN end_ms - start_ms < 120 * 60000 THEN 60
      WHEN end_ms - start_ms < 240 * 60000 THEN 120
      ELSE 240
    END AS from_minutes,
    plays
  FROM began
  WHERE $month IS NULL OR strftime(make_timestamp(start_ms * 1000), '%Y-%m') = $month
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
