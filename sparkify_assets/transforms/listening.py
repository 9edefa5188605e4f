"""Events to what was heard, which of it is in the catalogue, the plays, and their times."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F  # noqa: N812 -- the name everybody knows it by

from sparkify_assets.transforms.catalogue import chosen_songs
from sparkify_assets.transforms.columns import filled, first_of_each, instant
from sparkify_assets.transforms.events import plays

_HEARD = ("song", "artist", "length", "year", "month")


def heard_songs(raw_logs: DataFrame) -> DataFrame:
    """The table heard_songs."""
    return plays(raw_logs).groupBy(*_HEARD).agg(F.count(F.lit(1)).alias("plays"))


def song_matches(raw_songs: DataFrame, heard_songs: DataFrame) -> DataFrame:
    """The table song_matches: title and artist equal, then nearest in duration."""
    candidates = chosen_songs(raw_songs).select(
        F.col("title").alias("song"),
        F.col("artist_name").alias("artist"),
        "song_id",
        "artist_id",
        "duration",
    )
    distance = F.abs(F.col("duration") - F.col("length"))
    matched = candidates.join(heard_songs, ["song", "artist"])
    order = [distance.asc_nulls_last(), F.col("song_id").asc()]
    return first_of_each(matched, _HEARD, order).select(*_HEARD, "song_id", "artist_id")


def songplays(raw_logs: DataFrame, song_matches: DataFrame) -> DataFrame:
    """The table songplays: every play, with the song that it matches."""
    played, match = plays(raw_logs).alias("p"), song_matches.alias("m")
    same: Column = F.lit(True)
    for name in _HEARD:
        equal = F.col(f"p.{name}").eqNullSafe(F.col(f"m.{name}"))
        same = same & (equal if name == "length" else F.col(f"p.{name}") == F.col(f"m.{name}"))
    # The small side first: without statistics Sail keeps the first one of a join in memory.
    return match.join(played, same, "right").select(
        F.xxhash64("p.session_id", "p.item_in_session", "p.ts", "p.user_id").alias("songplay_id"),
        instant().alias("start_time"),
        "p.user_id",
        filled("p.level", "level"),
        "m.song_id",
        "m.artist_id",
        "p.session_id",
        filled("p.location", "location"),
        _without_quotes("p.user_agent").alias("user_agent"),
        "p.month",
        "p.year",
        "p.song",
        "p.artist",
        "p.length",
    )


def time(songplays: DataFrame) -> DataFrame:
    """The table time."""
    start = F.col("start_time")
    return (
        songplays.select("start_time", "month", "year")
        .distinct()
        .select(
            "start_time",
            F.hour(start).cast("int").alias("hour"),
            F.dayofmonth(start).cast("int").alias("day"),
            F.weekofyear(start).cast("int").alias("week"),
            "month",
            "year",
            # From dayofweek (1 = Sunday): Sail's weekday() is -1 on Sundays.
            ((F.dayofweek(start) + 5) % 7 + 1).cast("int").alias("weekday"),
        )
    )


def _without_quotes(name: str) -> Column:
    """A text without one pair of double quotes around it; null where nothing is left."""
    text = F.col(name)
    quoted = (F.length(text) >= 2) & text.startswith('"') & text.endswith('"')
    bare = F.when(quoted, F.substring(text, F.lit(2), F.length(text) - 2)).otherwise(text)
    return F.when(bare != "", bare)
