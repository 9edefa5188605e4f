"""The five tables as a short DuckDB script makes them: everything read, everything written anew.

Run as `python duckdb_script.py LANDING LAKE`.
"""

from __future__ import annotations

import sys
from pathlib import Path

import duckdb

LANDING, LAKE = Path(sys.argv[1]), Path(sys.argv[2])
PARQUET = "FORMAT parquet, COMPRESSION zstd"


def repaired(text: str) -> str:
    """UTF-8 that was taken for Latin-1 and encoded again, at most twice."""
    for _ in range(2):
        try:
            text = text.encode("latin-1").decode("utf-8")
        except UnicodeError:
            break
    return text


sql = duckdb.connect()
sql.execute("SET TimeZone = 'UTC'; SET preserve_insertion_order = false")
sql.create_function("repaired", repaired)
sql.execute(f"""
    CREATE MACRO whole(t) AS CASE WHEN contains(t, 'Ã') THEN repaired(t) ELSE t END;
    CREATE MACRO filled(t) AS nullif(t, '');

    CREATE TABLE song_files AS
    SELECT song_id, filled(title) AS title, artist_id, filled(artist_name) AS artist_name,
      filled(artist_location) AS location, artist_latitude AS latitude,
      artist_longitude AS longitude, nullif(year, 0) AS year, duration
    FROM read_json('{LANDING}/song_data/**/*.json', format = 'newline_delimited', columns = {{
      song_id: 'VARCHAR', title: 'VARCHAR', artist_id: 'VARCHAR', artist_name: 'VARCHAR',
      artist_location: 'VARCHAR', artist_latitude: 'DOUBLE', artist_longitude: 'DOUBLE',
      year: 'INTEGER', duration: 'DOUBLE'}});

    CREATE TABLE events AS
    SELECT DISTINCT ON (sessionId, itemInSession, ts, userId)
      sessionId AS session_id, itemInSession AS item, epoch_ms(ts) AS start_time,
      filled(userId) AS user_id, filled(level) AS level, page, length,
      filled(whole(firstName)) AS first_name, filled(whole(lastName)) AS last_name,
      filled(gender) AS gender, filled(whole(location)) AS location,
      filled(whole(song)) AS song, filled(whole(artist)) AS artist,
      filled(regexp_replace(userAgent, '^"(.*)"$', '\\1')) AS user_agent
    FROM read_json('{LANDING}/log_data/**/*.json', format = 'newline_delimited', columns = {{
      sessionId: 'BIGINT', itemInSession: 'BIGINT', ts: 'BIGINT', userId: 'VARCHAR',
      level: 'VARCHAR', page: 'VARCHAR', length: 'DOUBLE', firstName: 'VARCHAR',
      lastName: 'VARCHAR', gender: 'VARCHAR', location: 'VARCHAR', song: 'VARCHAR',
      artist: 'VARCHAR', userAgent: 'VARCHAR'}});

    CREATE TABLE chosen AS
    FROM song_files
    QUALIFY row_number() OVER (PARTITION BY song_id ORDER BY year DESC NULLS LAST, title) = 1;

    CREATE MACRO most_frequent(what) AS TABLE
    SELECT artist_id, value FROM (
      SELECT artist_id, what AS value, year, song_id,
        count(*) OVER (PARTITION BY artist_id, what) AS often
      FROM chosen WHERE what IS NOT NULL)
    QUALIFY row_number()
      OVER (PARTITION BY artist_id ORDER BY often DESC, year DESC NULLS LAST, song_id) = 1;

    CREATE TABLE matched AS
    SELECT h.song, h.artist, h.length, c.song_id, c.artist_id
    FROM (SELECT DISTINCT song, artist, length FROM events WHERE page = 'NextSong') AS h
    JOIN chosen AS c ON c.title = h.song AND c.artist_name = h.artist
    QUALIFY row_number() OVER (PARTITION BY h.song, h.artist, h.length
      ORDER BY abs(c.duration - h.length) NULLS LAST, c.song_id) = 1;

    CREATE TABLE songplays AS
    SELECT hash(e.session_id, e.item, e.start_time, e.user_id) AS songplay_id, e.start_time,
      e.user_id, e.level, m.song_id, m.artist_id, e.session_id, e.location, e.user_agent,
      month(e.start_time) AS month, year(e.start_time) AS year, e.song, e.artist, e.length
    FROM events AS e
    LEFT JOIN matched AS m ON m.song = e.song AND m.artist = e.artist
      AND m.length IS NOT DISTINCT FROM e.length
    WHERE e.page = 'NextSong';
""")
LAKE.mkdir(parents=True, exist_ok=True)
for name, query, options in (
    ("songplays", "FROM songplays", ", PARTITION_BY (year, month)"),
    (
        "time",
        """
        SELECT DISTINCT start_time, hour(start_time) AS hour, day(start_time) AS day,
          weekofyear(start_time) AS week, month, year, isodow(start_time) AS weekday
        FROM songplays
        """,
        ", PARTITION_BY (year, month)",
    ),
    (
        "users",
        """
        SELECT user_id, last.* FROM (
          SELECT user_id, arg_max({'first_name': first_name, 'last_name': last_name,
            'gender': gender, 'level': level}, (start_time, session_id, item)) AS last
          FROM events WHERE user_id IS NOT NULL GROUP BY user_id)
        """,
        "",
    ),
    ("songs", "SELECT song_id, title, artist_id, year, duration FROM chosen", ""),
    (
        "artists",
        """
        SELECT a.artist_id, n.value AS name, l.value AS location, p.value.latitude AS latitude,
          p.value.longitude AS longitude
        FROM (SELECT DISTINCT artist_id FROM chosen) AS a
        LEFT JOIN most_frequent(artist_name) AS n USING (artist_id)
        LEFT JOIN most_frequent(location) AS l USING (artist_id)
        LEFT JOIN most_frequent(CASE WHEN latitude IS NOT NULL AND longitude IS NOT NULL
          THEN {'latitude': latitude, 'longitude': longitude} END) AS p USING (artist_id)
        """,
        "",
    ),
):
    target = LAKE / name
    if not options:
        target.mkdir(exist_ok=True)
        target /= "0.parquet"
    sql.execute(f"COPY ({query}) TO '{target}' ({PARQUET}{options})")
