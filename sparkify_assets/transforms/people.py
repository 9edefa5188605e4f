"""Events to users, by way of the last state of each user in each month."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812 -- the name everybody knows it by

from sparkify_assets.transforms.columns import filled, first_of_each, with_month

_STATE = ("first_name", "last_name", "gender", "level")
_ORDER = ("ts", "session_id", "item_in_session")
_MOST_MONTHS = 1 << 16  # since 1970


def user_months(raw_logs: DataFrame) -> DataFrame:
    """The table user_months: the last event of each user and month, of whatever page."""
    known = raw_logs.filter(F.col("user_id") != "")
    # Sorting all of them, as `_latest` does, takes longer than everything else.
    newest = with_month(known.mapInArrow(newest_of_each_batch, known.schema))
    return _latest(newest, ["user_id", "year", "month"]).select(
        "user_id",
        *map(filled, _STATE),
        *_ORDER,
        "month",
        "year",
    )


def newest_of_each_batch(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Of each batch, the events of each user at the last moment in each month, UTC.

    Args:
        batches: `user_id`, text without nulls; `ts`, milliseconds since the epoch; and more.
    """
    for batch in batches:
        if not batch.num_rows:
            continue
        users = _numbers(batch.column("user_id").cast(pa.string()))
        ts = batch.column("ts").to_numpy()
        months = ts.astype("datetime64[ms]").astype("datetime64[M]").astype(np.int64)
        groups = _numbers(pa.array(users * _MOST_MONTHS + months))
        last = np.zeros(groups.max() + 1, np.int64)
        np.maximum.at(last, groups, ts)
        yield batch.filter(pa.array(ts == last[groups]))


def _numbers(values: pa.Array) -> npt.NDArray[np.int64]:
    """A number for each value, from 0, the same for equal ones."""
    codes: npt.NDArray[np.int64] = pc.dictionary_encode(values).indices.to_numpy().astype(np.int64)
    return codes


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
