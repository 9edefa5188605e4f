/*
title: Upgrades and downgrades by month
description: >
  How often users went from free to paid (upgrade) and back (downgrade), by the month (UTC) of
  the first play at the new level, and how many different users did. Only what the plays show:
  two changes without a play in between are not seen. The level before is that of the user's last
  play in any month.
parameters:
  month: {type: month, description: Only changes in this month.}
chart: {kind: column, x: month, y: changes, color: change}
report: 50
*/
SELECT month, change, count(*) AS changes, count(DISTINCT user_id) AS users
FROM levels
WHERE $month IS NULL OR month = $month
GROUP BY ALL
ORDER BY month, change
