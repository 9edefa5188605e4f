"""Events to users, by way of the last state of each user in each month."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812 -- the name everybody knows it by

from sparkify_assets.transforms.columns import filled, first_of_each
from sparkify_assets.transforms.events import events

_STATE = ("first_name", "last_name", "gender", "level")
_ORDER = ("ts", "session_id", "item_in_session")


def user_months(raw_logs: DataFrame) -> DataFrame:
    """The table user_months: the last event of each user and month, of whatever page."""
    known = events(raw_logs).filter(F.col("user_id").isNotNull())
    return _latest(known, ["user_id", "year", "month"]).select(
        "user_id",
        *map(filled, _STATE),
        *_ORDER,
        "month",
        "year",
    )


def user_history(user_months: DataFrame) -> DataFrame:
    """The table user_history: of the states of the closed months the latest."""
    return _latest(user_months, ["user_id"]).select("user_id", *_STATE, *_ORDER)


def users(user_history: DataFrame, user_months: DataFrame) -> DataFrame:
    """The table users: of the states of all months the latest."""
    names = ["user_id", *_STATE, *_ORDER]
    states = user_history.select(*names).unionByName(user_months.select(*names))
    return _latest(states, ["user_id"]).select("user_id", *_STATE)


def _latest(frame: DataFrame, key: list[str]) -> DataFrame:
    order = [F.col(name).desc() for name in _ORDER]
    return first_of_each(frame, key, order)
