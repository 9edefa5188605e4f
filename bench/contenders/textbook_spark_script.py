"""The five tables as the textbook's Spark script makes them.

`spark.read.json` finds the schema by itself, `dropDuplicates` makes rows unique, and songs,
artists, songplays and time are written with `partitionBy`. Run as
`python textbook_spark_script.py LANDING LAKE`.
"""

from __future__ import annotations

import sys

from pyspark.sql import Column, DataFrame, SparkSession, Window
from pyspark.sql import functions as F
from pyspark.sql.functions import col

LANDING, LAKE = sys.argv[1:]

spark = (
    SparkSession.builder.master("local[2]")
    .appName("Sparkify")
    .config("spark.sql.session.timeZone", "UTC")
    .config("spark.driver.memory", "4g")
    .config("spark.ui.enabled", "false")
    .getOrCreate()
)


@F.udf("string")
def repaired(text: str) -> str:
    """UTF-8 that was taken for Latin-1 and encoded again, at most twice."""
    for _ in range(2):
        try:
            text = text.encode("latin-1").decode("utf-8")
        except UnicodeError:
            break
    return text


def filled(name: str) -> Column:
    return F.when(col(name) != "", col(name))


def whole(name: str) -> Column:
    return F.when(col(name).contains("Ã"), repaired(name)).otherwise(filled(name))


def first(frame: DataFrame, key: list[str], *order: Column) -> DataFrame:
    rank = F.row_number().over(Window.partitionBy(*key).orderBy(*order))
    return frame.withColumn("rank", rank).filter("rank = 1").drop("rank")


def most_frequent(songs: DataFrame, *names: str) -> DataFrame:
    often = F.count("*").over(Window.partitionBy("artist_id", *names))
    found = songs.dropna(subset=list(names)).withColumn("often", often)
    order = [col("often").desc(), col("year").desc_nulls_last(), col("song_id").asc()]
    return first(found, ["artist_id"], *order).select("artist_id", *names)


def write(frame: DataFrame, name: str, *partitions: str) -> None:
    frame.write.mode("overwrite").partitionBy(*partitions).parquet(f"{LAKE}/{name}")


song_files = spark.read.json(f"{LANDING}/song_data/*/*/*/*.json")
songs = song_files.select(
    "song_id",
    filled("title").alias("title"),
    "artist_id",
    filled("artist_name").alias("name"),
    filled("artist_location").alias("location"),
    col("artist_latitude").alias("latitude"),
    col("artist_longitude").alias("longitude"),
    F.when(col("year") != 0, col("year").cast("int")).alias("year"),
    "duration",
).dropDuplicates(["song_id"])
write(
    songs.select("song_id", "title", "artist_id", "year", "duration"), "songs", "year", "artist_id"
)
artists = (
    songs.select("artist_id")
    .dropDuplicates()
    .join(most_frequent(songs, "name"), "artist_id", "left")
    .join(most_frequent(songs, "location"), "artist_id", "left")
    .join(most_frequent(songs, "latitude", "longitude"), "artist_id", "left")
)
write(artists, "artists")

events = (
    spark.read.option("recursiveFileLookup", True)
    .json(f"{LANDING}/log_data")
    .dropDuplicates(["sessionId", "itemInSession", "ts", "userId"])
)
users = first(
    events.filter(col("userId") != ""),
    ["userId"],
    col("ts").desc(),
    col("sessionId").desc(),
    col("itemInSession").desc(),
).select(
    col("userId").alias("user_id"),
    whole("firstName").alias("first_name"),
    whole("lastName").alias("last_name"),
    filled("gender").alias("gender"),
    filled("level").alias("level"),
)
write(users, "users")

played = events.filter(col("page") == "NextSong").select(
    F.timestamp_millis("ts").alias("start_time"),
    filled("userId").alias("user_id"),
    filled("level").alias("level"),
    col("sessionId").alias("session_id"),
    whole("location").alias("location"),
    F.regexp_replace("userAgent", '^"(.*)"$', "$1").alias("user_agent"),
    whole("song").alias("song"),
    whole("artist").alias("artist"),
    "length",
    F.xxhash64("sessionId", "itemInSession", "ts", filled("userId")).alias("songplay_id"),
)
candidates = songs.select("song_id", "artist_id", "title", "name", "duration")
same = (col("song") == col("title")) & (col("artist") == col("name"))
distance = F.abs(col("duration") - col("length"))
songplays = (
    first(
        played.join(candidates, same, "left"),
        ["songplay_id"],
        distance.asc_nulls_last(),
        col("song_id").asc(),
    )
    .withColumns({"year": F.year("start_time"), "month": F.month("start_time")})
    .select(
        "songplay_id", "start_time", "user_id", "level", "song_id", "artist_id", "session_id",
        "location", filled("user_agent").alias("user_agent"), "month", "year", "song", "artist",
        "length",
    )
)  # fmt: skip
write(songplays, "songplays", "year", "month")
times = (
    songplays.select("start_time", "month", "year")
    .dropDuplicates()
    .select(
        "start_time",
        F.hour("start_time").alias("hour"),
        F.dayofmonth("start_time").alias("day"),
        F.weekofyear("start_time").alias("week"),
        "month",
        "year",
        (F.weekday("start_time") + 1).alias("weekday"),
    )
)
write(times, "time", "year", "month")
spark.stop()
