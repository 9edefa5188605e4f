"""The five tables as a short Polars script makes them: everything read, everything written anew.

Run as `python polars_script.py LANDING LAKE`.
"""

from __future__ import annotations

import sys
from pathlib import Path

import polars as pl
from polars import col

LANDING, LAKE = Path(sys.argv[1]), Path(sys.argv[2])
TEXT, WHOLE, REAL = pl.String, pl.Int64, pl.Float64


def repaired(text: str) -> str:
    """UTF-8 that was taken for Latin-1 and encoded again, at most twice."""
    for _ in range(2):
        try:
            text = text.encode("latin-1").decode("utf-8")
        except UnicodeError:
            break
    return text


def filled(name: str) -> pl.Expr:
    return pl.when(col(name) != "").then(col(name))


def whole(name: str) -> pl.Expr:
    broken = col(name).str.contains("Ã", literal=True)
    mended = filled(name).map_elements(repaired, return_dtype=TEXT)
    return pl.when(broken).then(mended).otherwise(filled(name))


def most_frequent(songs: pl.LazyFrame, *names: str) -> pl.LazyFrame:
    order = [pl.len().over("artist_id", *names), col("year"), col("song_id")]
    return (
        songs.drop_nulls(list(names))
        .sort(order, descending=[True, True, False], nulls_last=True)
        .unique("artist_id", keep="first", maintain_order=True)
        .select("artist_id", *names)
    )


song_schema = {
    "song_id": TEXT, "title": TEXT, "artist_id": TEXT, "artist_name": TEXT,
    "artist_location": TEXT, "artist_latitude": REAL, "artist_longitude": REAL,
    "year": pl.Int32, "duration": REAL,
}  # fmt: skip
log_schema = {
    "sessionId": WHOLE, "itemInSession": WHOLE, "ts": WHOLE, "userId": TEXT, "level": TEXT,
    "page": TEXT, "length": REAL, "firstName": TEXT, "lastName": TEXT, "gender": TEXT,
    "location": TEXT, "song": TEXT, "artist": TEXT, "userAgent": TEXT,
}  # fmt: skip

songs = (
    pl.scan_ndjson(LANDING / "song_data/**/*.json", schema=song_schema)
    .select(
        "song_id",
        filled("title").alias("title"),
        "artist_id",
        filled("artist_name").alias("name"),
        filled("artist_location").alias("location"),
        col("artist_latitude").alias("latitude"),
        col("artist_longitude").alias("longitude"),
        pl.when(col("year") != 0).then(col("year")).alias("year"),
        "duration",
    )
    .sort("year", "title", descending=[True, False], nulls_last=True)
    .unique("song_id", keep="first", maintain_order=True)
    .collect()
    .lazy()
)
events = (
    pl.scan_ndjson(LANDING / "log_data/**/*.json", schema=log_schema)
    .unique(["sessionId", "itemInSession", "ts", "userId"])
    .select(
        col("sessionId").alias("session_id"),
        col("itemInSession").alias("item"),
        pl.from_epoch("ts", time_unit="ms").cast(pl.Datetime("us", "UTC")).alias("start_time"),
        filled("userId").alias("user_id"),
        "page",
        "length",
        filled("level").alias("level"),
        filled("gender").alias("gender"),
        whole("firstName").alias("first_name"),
        whole("lastName").alias("last_name"),
        whole("location").alias("location"),
        whole("song").alias("song"),
        whole("artist").alias("artist"),
        col("userAgent").str.replace('^"(.*)"$', "${1}").alias("user_agent"),
    )
    .collect()
    .lazy()
)
played = events.filter(col("page") == "NextSong")
matches = (
    played.select("song", "artist", "length")
    .unique()
    .join(songs, left_on=["song", "artist"], right_on=["title", "name"])
    .with_columns((col("duration") - col("length")).abs().alias("distance"))
    .sort("distance", "song_id", nulls_last=True)
    .unique(["song", "artist", "length"], keep="first", maintain_order=True)
    .select("song", "artist", "length", "song_id", "artist_id")
)
start = col("start_time").dt
songplays = (
    played.join(matches, on=["song", "artist", "length"], how="left", nulls_equal=True)
    .select(
        pl.struct("session_id", "item", "start_time", "user_id").hash().alias("songplay_id"),
        "start_time", "user_id", "level", "song_id", "artist_id", "session_id", "location",
        filled("user_agent").alias("user_agent"),
        start.month().alias("month"), start.year().alias("year"), "song", "artist", "length",
    )
    .collect()
)  # fmt: skip
times = (
    songplays.lazy()
    .select("start_time", "month", "year")
    .unique()
    .select(
        "start_time",
        start.hour().alias("hour"),
        start.day().alias("day"),
        start.week().alias("week"),
        "month",
        "year",
        start.weekday().alias("weekday"),
    )
    .collect()
)
users = (
    events.filter(col("user_id").is_not_null())
    .sort("start_time", "session_id", "item", descending=True)
    .unique("user_id", keep="first", maintain_order=True)
    .select("user_id", "first_name", "last_name", "gender", "level")
    .collect()
)
artists = (
    songs.select("artist_id")
    .unique()
    .join(most_frequent(songs, "name"), on="artist_id", how="left")
    .join(most_frequent(songs, "location"), on="artist_id", how="left")
    .join(most_frequent(songs, "latitude", "longitude"), on="artist_id", how="left")
    .collect()
)
for name, frame in (("songplays", songplays), ("time", times)):
    frame.write_parquet(LAKE / name, compression="zstd", partition_by=["year", "month"])
for name, frame in (
    ("users", users),
    ("songs", songs.select("song_id", "title", "artist_id", "year", "duration").collect()),
    ("artists", artists),
):
    (LAKE / name).mkdir(parents=True, exist_ok=True)
    frame.write_parquet(LAKE / name / "0.parquet", compression="zstd")
