/*
title: Most played artists
description: >
  The artists with most plays; the artist is the catalogue's where the play matches a song, else
  as heard, so an artist who is spelt in two ways may stand here twice. Songs are the different
  titles, listeners the different users among those plays. Plays without an artist are left out.
parameters:
  month: {type: month, description: Only plays of this month.}
  limit: {type: integer, default: 10, minimum: 1, description: How many artists.}
chart: {kind: bar, x: plays, y: artist}
report: 20
*/
WITH counted AS (
  SELECT artist, artist_id, count(*) AS plays
  FROM songplays
  WHERE $month IS NULL OR (year = $month[:4]::INT AND month = $month[6:]::INT)
  GROUP BY ALL
),
named AS (
  SELECT c.artist AS heard, c.artist_id, coalesce(a.name, c.artist) AS artist, c.plays
  FROM counted AS c
  LEFT JOIN artists AS a USING (artist_id)
),
top AS (
  SELECT artist, sum(plays)::BIGINT AS plays
  FROM named
  WHERE artist IS NOT NULL
  GROUP BY ALL
  ORDER BY plays DESC, artist
  LIMIT $limit
),
spelt AS (
  SELECT n.heard, n.artist_id, n.artist FROM named AS n SEMI JOIN top USING (artist)
),
details AS (
  SELECT n.artist, count(DISTINCT s.song) AS songs, count(DISTINCT s.user_id) AS listeners
  FROM songplays AS s
  -- What matched a song has its artist's name; so nothing without one is lost here.
  JOIN spelt AS n ON n.heard = s.artist AND n.artist_id IS NOT DISTINCT FROM s.artist_id
  WHERE $month IS NULL OR (year = $month[:4]::INT AND month = $month[6:]::INT)
  GROUP BY ALL
)
SELECT t.artist, t.plays, d.songs, d.listeners
FROM top AS t
JOIN details AS d USING (artist)
ORDER BY t.plays DESC, t.artist
