SELECT
  s.songplay_id,
  s.start_time,
  s.year_month AS month,
  s.year,
  strftime(s.start_time, '%G-W%V') AS week,
  s.start_time::DATE AS day,
  isodow(s.start_time)::INTEGER AS weekday,
  hour(s.start_time)::INTEGER AS hour,
  s.user_id,
  u.first_name,
  u.last_name,
  u.gender,
  s.level,
  s.session_id,
  s.location,
  s.user_agent,
  s.song,
  coalesce(a.name, s.artist) AS artist,
  s.length,
  s.song_id IS NOT NULL AS matched,
  s.song_id,
  s.artist_id,
  a.latitude,
  a.longitude
FROM parts.songplays AS s
LEFT JOIN users AS u ON u.user_id = s.user_id
LEFT JOIN artists AS a ON a.artist_id = s.artist_id
