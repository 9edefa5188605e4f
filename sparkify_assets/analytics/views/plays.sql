-- Calendar parts of a plain timestamp in UTC: those of one with a time zone cost twice as much.
SELECT
  s.songplay_id,
  s.start_time,
  s.year_month AS month,
  s.year,
  strftime(make_timestamp(epoch_us(s.start_time)), '%G-W%V') AS week,
  make_timestamp(epoch_us(s.start_time))::DATE AS day,
  isodow(make_timestamp(epoch_us(s.start_time)))::INTEGER AS weekday,
  hour(make_timestamp(epoch_us(s.start_time)))::INTEGER AS hour,
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
