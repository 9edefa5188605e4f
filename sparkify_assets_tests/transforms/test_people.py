"""Users, as last seen."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyspark.sql import DataFrame, SparkSession

from sparkify_assets.partitions import month_at
from sparkify_assets.tables import USER_MONTHS, USERS
from sparkify_assets.transforms.people import (
    newest_of_each_batch,
    user_history,
    user_months,
    users,
)
from sparkify_assets_tests.transforms.frames import raw_logs, rows
from sparkify_assets_tests.zone import event, ts

pytestmark = pytest.mark.engines
_MOMENTS = [
    ts(text)
    for text in (
        "2018-11-01 00:00",
        "2018-11-30 23:59:59.999",
        "2018-12-01 00:00",
        "2000-01-01 00:00",
    )
]


def latest(months: DataFrame) -> DataFrame:
    """The users, where no month is closed yet."""
    return users(user_history(months.limit(0)), months)


def test_the_last_event_counts_as_a_whole_on_any_page(spark: SparkSession) -> None:
    logs = raw_logs(
        spark,
        event("2018-11-01 10:00:00", level="free", lastName="Old"),
        event("2018-11-03 10:00:00", level="free", page="Home", gender=""),
        event("2018-11-02 10:00:00", level="paid"),
    )
    assert rows(latest(user_months(logs))) == [
        {
            "user_id": "15",
            "first_name": "Lily",
            "last_name": "Koch",
            "gender": None,
            "level": "free",
        }
    ]


def test_at_the_same_time_the_later_session_then_item_counts(spark: SparkSession) -> None:
    logs = raw_logs(
        spark,
        event(sessionId=2, itemInSession=1, level="a"),
        event(sessionId=2, itemInSession=3, level="b"),
        event(sessionId=1, itemInSession=9, level="c"),
    )
    assert rows(latest(user_months(logs)))[0]["level"] == "b"


def test_nobody_is_no_user(spark: SparkSession) -> None:
    logs = raw_logs(spark, event(userId=""), event(userId=None, sessionId=2), event(sessionId=3))
    assert [row["user_id"] for row in rows(latest(user_months(logs)))] == ["15"]


def test_one_state_for_each_month_and_the_latest_of_all_months(spark: SparkSession) -> None:
    logs = raw_logs(
        spark,
        event("2018-12-05 10:00:00", level="paid", sessionId=2),
        event("2018-11-01 10:00:00", level="free"),
        event("2018-11-02 10:00:00", level="free", userId="16"),
    )
    months = user_months(logs)
    assert set(months.columns) == set(USER_MONTHS.names)
    assert months.count() == 3
    table = latest(months)
    assert table.columns == USERS.names
    assert {row["user_id"]: row["level"] for row in rows(table)} == {"15": "paid", "16": "free"}


@given(
    st.lists(
        st.tuples(st.sampled_from("abcd"), st.integers(0, 5), st.sampled_from(_MOMENTS)),
        max_size=40,
    ),
    st.integers(1, 7),
)
def test_what_is_left_of_each_batch_has_the_last_event_of_each_user_and_month(
    events: list[tuple[str, int, int]], rows_per_batch: int
) -> None:
    names = ["user_id", "session_id", "ts"]
    whole = pa.Table.from_pylist(
        [dict(zip(names, one, strict=True)) for one in events],
        schema=pa.schema(
            [("user_id", pa.string()), ("session_id", pa.int64()), ("ts", pa.int64())]
        ),
    )
    batches = whole.to_batches(rows_per_batch)
    left = [list(newest_of_each_batch([batch])) for batch in batches]
    found = [tuple(row.values()) for batch in left for part in batch for row in part.to_pylist()]
    assert _last(found) == _last(events)
    for batch, kept in zip(batches, left, strict=True):
        groups = {(one[0], month_at(one[2])) for one in map(_values, batch.to_pylist())}
        moments = {(one[0], one[2]) for part in kept for one in map(_values, part.to_pylist())}
        assert len(moments) == len(groups)  # one moment of each user and month


def _values(row: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(row.values())


def _last(events: Iterable[tuple[Any, ...]]) -> dict[tuple[str, str], tuple[int, int]]:
    last: dict[tuple[str, str], tuple[int, int]] = {}
    for user, session, moment in events:
        key = user, month_at(moment)
        last[key] = max(last.get(key, (0, 0)), (moment, session))
    return last
