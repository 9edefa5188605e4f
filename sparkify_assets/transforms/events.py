"""Log lines to events: each counted once.

An event is identified by session, item, time and user. Where it was delivered with different
content, the smallest line counts, compared column by column in the order of the log's fields, null
first. `repeats` finds the others, mostly few; all other functions here and of the tables take lines
without them.
"""

from __future__ import annotations

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F  # noqa: N812 -- the name everybody knows it by

from sparkify_assets.ingest.fields import LOG_FIELDS
from sparkify_assets.partitions import DAY_MS
from sparkify_assets.transforms.columns import filled, with_month

EVENT_KEY = ("session_id", "item_in_session", "ts", "user_id")
LINE_KEY = ("source_file", "line")
_PAYLOAD = [field.column for field in LOG_FIELDS]
PLAY = "NextSong"


def lines_by_day(raw_logs: DataFrame) -> DataFrame:
    """By `day` (whole days since 1970, UTC): `lines`, those that are `plays`, and `events`.

    Events are told apart by a hash of 64 bits of their key: two may count as one, by a chance in
    millions, and then `repeats` finds that none is repeated. No line is sorted or kept.
    """
    return (
        raw_logs.select(
            F.expr(f"ts div {DAY_MS}").alias("day"),
            (F.col("page") == PLAY).cast("int").alias("play"),
            F.xxhash64(*_key()).alias("event"),
        )
        .groupBy("day")
        .agg(
            F.count(F.lit(1)).alias("lines"),
            F.sum("play").alias("plays"),
            F.countDistinct("event").alias("events"),
        )
    )


def repeats(raw_logs: DataFrame) -> DataFrame:
    """The lines that do not count because another one of the same event does: their LINE_KEY."""
    key = _key()
    names = [f"_{name}" for name in EVENT_KEY]
    keyed = raw_logs.withColumns(dict(zip(names, key, strict=True)))
    several = keyed.groupBy(*names).agg(F.count(F.lit(1)).alias("_lines")).filter("_lines > 1")
    order = [F.col(name).asc_nulls_first() for name in _PAYLOAD if name not in EVENT_KEY]
    rank = F.row_number().over(Window.partitionBy(*names).orderBy(*order, *LINE_KEY))
    ranked = several.select(*names).join(keyed, names).withColumn("_rank", rank)
    return ranked.filter(F.col("_rank") > 1).select(*LINE_KEY)


def events(raw_logs: DataFrame) -> DataFrame:
    """One row per line, with `year` and `month`; user_id is null where nobody is logged in."""
    return with_month(raw_logs.withColumn("user_id", filled("user_id")))


def plays(raw_logs: DataFrame) -> DataFrame:
    """The events in which a song was played; an empty song or artist is null."""
    played = events(raw_logs).filter(F.col("page") == PLAY)
    return played.withColumns({name: filled(name) for name in ("song", "artist")})


def _key() -> list[Column]:
    """EVENT_KEY, in which nobody is "", however that was written: equal where the event is."""
    nobody = F.coalesce(F.col("user_id"), F.lit("")).alias("user_id")
    return [nobody if name == "user_id" else F.col(name) for name in EVENT_KEY]
