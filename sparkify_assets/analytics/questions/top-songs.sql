/*
title: Most played songs
description: >
  The songs with most plays, by title and artist; the artist is the catalogue's where the play
  matches a song, else as heard. Listeners are the different users among those plays. Plays
  without a title are left out.
parameters:
  month: {type: month, description: Only plays of this month.}
  limit: {type: integer, default: 10, minimum: 1, description: How many songs.}
chart: {kind: bar, x: plays, y: song, color: artist}
report: 10
*/
WITH counted AS (
  SELECT song, artist, artist_id, count(*) AS plays
  FROM songplays
  WHERE song IS NOT NULL
    AND ($month IS NULL OR (year = $month[:4]::INT AND month = $month[6:]::INT))
  GROUP BY ALL
),
top AS (
  SELECT c.song, coalesce(a.name, c.artist) AS artist, sum(c.plays)::BIGINT AS plays
  FROM counted AS c
  LEFT JOIN artists AS a USING (artist_id)
  GROUP BY ALL
  ORDER BY plays DESC, song, artist
  LIMIT $limit
),
heard AS (
  SELECT DISTINCT song, artist, artist_id, user_id
  FROM songplays
  WHERE song IN (SELECT song FROM top)
    AND ($month IS NULL OR (year = $month[:4]::INT AND month = $month[6:]::INT))
),
listeners AS (
  SELECT h.song, coalesce(a.name, h.artist) AS artist, count(DISTINCT h.user_id) AS listeners
  FROM heard AS h
  LEFT JOIN artists AS a USING (artist_id)
  GROUP BY ALL
)
SELECT t.song, t.artist, t.plays, l.listeners
FROM top AS t
JOIN listeners AS l ON l.song = t.song AND l.artist IS NOT DISTINCT FROM t.artist
ORDER BY t.plays DESC, t.song, t.artist
