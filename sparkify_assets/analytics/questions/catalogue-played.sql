/*
title: How much of the catalogue is played
description: >
  How many songs and artists the catalogue has, and how many of them were played at least once:
  by plays that match a song of the catalogue. Plays that match none, mostly of songs that the
  catalogue lacks, say nothing here.
parameters:
  month: {type: month, description: Only plays of this month.}
chart: {kind: bar, x: played_percent, y: what, labels: {played_percent: played (%)}}
report: 120
*/
WITH played AS (
  SELECT DISTINCT song_id, artist_id
  FROM songplays
  WHERE song_id IS NOT NULL
    AND ($month IS NULL OR (year = $month[:4]::INT AND month = $month[6:]::INT))
),
counted AS (
  SELECT
    'songs' AS what,
    (SELECT count(*) FROM songs) AS in_catalogue,
    (SELECT count(*) FROM songs SEMI JOIN played USING (song_id)) AS played
  UNION ALL
  SELECT
    'artists',
    (SELECT count(*) FROM artists),
    (SELECT count(*) FROM artists SEMI JOIN played USING (artist_id))
)
SELECT
  what,
  in_catalogue,
  played,
  round(100.0 * played / nullif(in_catalogue, 0), 2) AS played_percent
FROM counted
ORDER BY what DESC
