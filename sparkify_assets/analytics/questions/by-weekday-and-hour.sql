/*
title: Plays by weekday and hour
description: >
  Plays that began in each hour of each weekday (1 = Monday to 7 = Sunday), in UTC. Hours
  without plays are left out.
parameters:
  month: {type: month, description: Only plays of this month.}
chart: {kind: heatmap, x: hour, y: weekday, color: plays, labels: {hour: hour (UTC)}}
report: 80
*/
SELECT
  isodow(start_time)::INTEGER AS weekday,
  hour(start_time)::INTEGER AS hour,
  count(*) AS plays
FROM songplays
WHERE $month IS NULL OR (year = $month[:4]::INT AND month = $month[6:]::INT)
GROUP BY ALL
ORDER BY weekday, hour
