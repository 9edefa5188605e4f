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
from sparkify_assets.transforms.columns import filled, instant, with_month

EVENT_KEY = ("session_id", "item_in_session", "ts", "user_id")
LINE_KEY = ("source_file", "line")
_PAYLOAD = [field.column for field in LOG_FIELDS]
PLAY = "NextSong"


def lines_by_month(raw_logs: DataFrame) -> DataFrame:
    """By `month` (YYYY-MM): `lines`, those that are `plays`, and the events that are `repeated`.

    A hash table of the keys; no line is sorted or kept.
    """
    each = raw_logs.groupBy(*_key()).agg(
        F.count(F.lit(1)).alias("lines"), F.sum((F.col("page") == PLAY).cast("int")).alias("plays")
    )
    return each.groupBy(F.date_format(instant(), "yyyy-MM").alias("month")).agg(
        F.sum("lines").alias("lines"),
        F.sum("plays").alias("plays"),
        F.sum((F.col("lines") > 1).cast("int")).alias("repeated"),
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
