/*
title: Plays by weekday
description: >
  Plays that began on each weekday, 1 = Monday to 7 = Sunday, in UTC. Not divided by how often
  the weekday occurs: a month has some of them five times.
parameters:
  month: {type: month, description: Only plays of this month.}
chart: {kind: column, x: weekday, y: plays}
report: 70
*/
SELECT
  isodow(start_time)::INTEGER AS weekday,
  dayname(start_time) AS name,
  count(*) AS plays
FROM songplays
WHERE $month IS NULL OR (year = $month[:4]::INT AND month = $month[6:]::INT)
GROUP BY ALL
ORDER BY weekday, name
