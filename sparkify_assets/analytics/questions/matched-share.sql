/*
title: Share of plays that match the catalogue
description: >
  Plays by month (UTC), those that match a song of the catalogue, and their share in percent. A
  play matches by title, artist and length.
parameters:
  month: {type: month, description: Only plays of this month.}
chart: {kind: line, x: month, y: matched_percent}
*/
SELECT
  printf('%04d-%02d', year, month) AS month,
  count(*) AS plays,
  count(song_id) AS matched,
  round(100.0 * count(song_id) / count(*), 2) AS matched_percent
FROM songplays
WHERE $month IS NULL OR (year = $month[:4]::INT AND month = $month[6:]::INT)
GROUP BY songplays.year, songplays.month
ORDER BY songplays.year, songplays.month
