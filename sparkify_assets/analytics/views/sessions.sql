SELECT
  session_id,
  user_id,
  min(start_time) AS start_time,
  max(start_time + to_milliseconds((coalesce(length, 0) * 1000)::BIGINT)) AS end_time,
  strftime(min(start_time), '%Y-%m') AS month,
  count(*) AS plays,
  (epoch_ms(max(start_time + to_milliseconds((coalesce(length, 0) * 1000)::BIGINT)))
    - epoch_ms(min(start_time))) / 60000.0 AS minutes,
  arg_min_null(level, (start_time, songplay_id)) AS level
FROM songplays
GROUP BY session_id, user_id
