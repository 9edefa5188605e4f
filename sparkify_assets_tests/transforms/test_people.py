"""Users, as last seen."""

from __future__ import annotations

import pytest
from pyspark.sql import DataFrame, SparkSession

from sparkify_assets.tables import USER_MONTHS, USERS
from sparkify_assets.transforms.people import user_history, user_months, users
from sparkify_assets_tests.transforms.frames import raw_logs, rows
from sparkify_assets_tests.zone import event

pytestmark = pytest.mark.engines


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
