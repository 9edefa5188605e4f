/*
title: Plays by hour of the day
description: >
  Plays that began in each hour of the day, 0 to 23, in UTC, which is not the listener's own
  clock. Hours without plays are left out.
parameters:
  month: {type: month, description: Only plays of this month.}
chart: {kind: column, x: hour, y: plays, labels: {hour: hour (UTC)}}
report: 60
*/
SELECT hour(start_time)::INTEGER AS hour, count(*) AS plays
FROM songplays
WHERE $month IS NULL OR (year = $month[:4]::INT AND month = $month[6:]::INT)
GROUP BY ALL
ORDER BY hour
