"""Log lines to events: each counted once."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812 -- the name everybody knows it by

from sparkify_assets.ingest.fields import LOG_FIELDS
from sparkify_assets.transforms.columns import filled, first_of_each, with_month

EVENT_KEY = ("session_id", "item_in_session", "ts", "user_id")
_PAYLOAD = [field.column for field in LOG_FIELDS]
PLAY = "NextSong"


def distinct_events(raw_logs: DataFrame) -> DataFrame:
    """One row per event, with `year` and `month`; user_id is null where nobody is logged in.

    An event is identified by session, item, time and user. Where it was delivered with different
    content, the smallest row counts, compared column by column in the order of the log's fields,
    null first.
    """
    rows = raw_logs.select(
        *[filled(name) if name == "user_id" else F.col(name) for name in _PAYLOAD]
    )
    order = [F.col(name).asc_nulls_first() for name in _PAYLOAD if name not in EVENT_KEY]
    return with_month(first_of_each(rows, EVENT_KEY, order))


def plays(raw_logs: DataFrame) -> DataFrame:
    """The events in which a song was played; empty song, artist and level are null."""
    texts = ("song", "artist", "level", "location")
    events = distinct_events(raw_logs).filter(F.col("page") == PLAY)
    return events.withColumns({name: filled(name) for name in texts})
