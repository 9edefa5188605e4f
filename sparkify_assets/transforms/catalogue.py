"""Song files to the catalogue: songs and artists."""

from __future__ import annotations

from collections.abc import Sequence

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F  # noqa: N812 -- the name everybody knows it by

from sparkify_assets.transforms.columns import filled, first_of_each

_FIELDS = (
    "title",
    "artist_id",
    "artist_name",
    "artist_location",
    "artist_latitude",
    "artist_longitude",
    "duration",
    "year",
)


def chosen_songs(raw_songs: DataFrame) -> DataFrame:
    """One row per song_id, with its artist's fields as its own file has them.

    Empty text and year 0 are null. Of several files of a song the one with most fields filled
    counts, then the newest year, then the smallest values, null first.
    """
    rows = raw_songs.select(
        F.col("song_id"),
        filled("title"),
        F.col("artist_id"),
        filled("artist_name"),
        filled("artist_location"),
        F.col("artist_latitude"),
        F.col("artist_longitude"),
        F.col("duration"),
        F.when(F.col("year") != 0, F.col("year").cast("int")).alias("year"),
    )
    number_filled = sum((F.col(name).isNotNull().cast("int") for name in _FIELDS), F.lit(0))
    order = [
        number_filled.desc(),
        F.col("year").desc_nulls_last(),
        *[F.col(name).asc_nulls_first() for name in _FIELDS],
    ]
    return first_of_each(rows, ["song_id"], order)


def songs(raw_songs: DataFrame) -> DataFrame:
    """The table songs."""
    return chosen_songs(raw_songs).select("song_id", "title", "artist_id", "year", "duration")


def artists(raw_songs: DataFrame) -> DataFrame:
    """The table artists, counted over the chosen songs."""
    chosen = chosen_songs(raw_songs)
    place = ["artist_latitude", "artist_longitude"]
    return (
        chosen.select("artist_id")
        .distinct()
        .join(_most_frequent(chosen, ["artist_name"]), "artist_id", "left")
        .join(_most_frequent(chosen, ["artist_location"]), "artist_id", "left")
        .join(_most_frequent(chosen, place), "artist_id", "left")
        .select(
            "artist_id",
            F.col("artist_name").alias("name"),
            F.col("artist_location").alias("location"),
            F.col("artist_latitude").alias("latitude"),
            F.col("artist_longitude").alias("longitude"),
        )
    )


def _most_frequent(chosen: DataFrame, names: Sequence[str]) -> DataFrame:
    """Per artist the most frequent values of `names` together, where all of them are there.

    Equally frequent ones: those of the newest song, then of the smallest song_id.
    """
    there: Column = F.lit(True)
    for name in names:
        there = there & F.col(name).isNotNull()
    counted = chosen.filter(there).withColumn(
        "_count", F.count(F.lit(1)).over(Window.partitionBy("artist_id", *names))
    )
    order = [F.col("_count").desc(), F.col("year").desc_nulls_last(), F.col("song_id").asc()]
    return first_of_each(counted, ["artist_id"], order).select("artist_id", *names)
