/*
title: Most played songs
description: >
  The songs with most plays, by title and artist as heard; a song of the catalogue is heard as it
  is spelt there. Listeners are the different users among those plays. Plays without a title are
  left out.
parameters:
  month: {type: month, description: Only plays of this month.}
  limit: {type: integer, default: 10, minimum: 1, description: How many songs.}
chart: {kind: bar, x: plays, y: song, color: artist}
report: 10
*/
WITH top AS (
  SELECT song, artist, count(*) AS plays
  FROM songplays
  WHERE song IS NOT NULL
    AND ($month IS NULL OR (year = $month[:4]::INT AND month = $month[6:]::INT))
  GROUP BY ALL
  ORDER BY plays DESC, song, artist
  LIMIT $limit
),
listeners AS (
  SELECT song, artist, count(DISTINCT user_id) AS listeners
  FROM songplays
  WHERE song IN (SELECT song FROM top)
    AND ($month IS NULL OR (year = $month[:4]::INT AND month = $month[6:]::INT))
  GROUP BY ALL
)
SELECT t.song, t.artist, t.plays, l.listeners
FROM top AS t
JOIN listeners AS l ON l.song = t.song AND l.artist IS NOT DISTINCT FROM t.artist
ORDER BY t.plays DESC, t.song, t.artist
