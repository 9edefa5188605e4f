"""Events: each counted once, in its month."""

from __future__ import annotations

from typing import Any

import pytest
from pyspark.sql import SparkSession

from sparkify_assets.transforms.events import distinct_events, plays
from sparkify_assets_tests.transforms.frames import raw_logs, rows
from sparkify_assets_tests.zone import event

pytestmark = pytest.mark.engines


def test_an_event_that_was_delivered_twice_counts_once(spark: SparkSession) -> None:
    frame = raw_logs(spark, event(), event(), event(itemInSession=1))
    assert distinct_events(frame).count() == 2


@pytest.mark.parametrize(
    ("one", "other", "wins"),
    [
        ({"artist": "B"}, {"artist": "A"}, ("A", "Setanta matins")),
        ({"artist": None}, {"artist": "A"}, (None, "Setanta matins")),
        ({"song": "b"}, {"song": "a"}, ("Elena", "a")),
        ({"artist": "a"}, {"artist": "Z"}, ("Z", "Setanta matins")),  # by bytes, not by language
        ({"song": "é"}, {"song": "z"}, ("Elena", "z")),
        ({"length": 2.0}, {"length": 10.0}, ("Elena", "Setanta matins")),
    ],
)
def test_of_different_contents_the_smallest_counts_in_any_order(
    spark: SparkSession, one: dict[str, Any], other: dict[str, Any], wins: tuple[str, str]
) -> None:
    for first, second in ((one, other), (other, one)):
        frame = raw_logs(spark, event(**first), event(**second))
        found = rows(distinct_events(frame))
        assert [(row["artist"], row["song"]) for row in found] == [wins]


def test_other_users_times_and_items_are_other_events(spark: SparkSession) -> None:
    frame = raw_logs(
        spark,
        event(),
        event(userId="16"),
        event("2018-11-15 12:00:00.797"),
        event(itemInSession=2),
        event(sessionId=9),
    )
    assert distinct_events(frame).count() == 5


def test_nobody_is_nobody_however_it_is_written(spark: SparkSession) -> None:
    found = rows(distinct_events(raw_logs(spark, event(userId=""), event(userId=None))))
    assert [row["user_id"] for row in found] == [None]


def test_the_month_is_that_of_utc(spark: SparkSession) -> None:
    frame = raw_logs(
        spark, event("2018-11-30 23:59:59.999"), event("2018-12-01 00:00:00.000", sessionId=2)
    )
    found = rows(distinct_events(frame), "session_id")
    assert [(row["year"], row["month"]) for row in found] == [(2018, 11), (2018, 12)]


def test_only_songs_are_plays(spark: SparkSession) -> None:
    frame = raw_logs(spark, event(), event(page="Home", itemInSession=1))
    assert plays(frame).count() == 1


def test_duplicates_are_found_before_pages_are_chosen(spark: SparkSession) -> None:
    # The same event as Home and as NextSong: "Home" is the smaller one, so there is no play.
    frame = raw_logs(spark, event(artist="A", page="NextSong"), event(artist="A", page="Home"))
    assert plays(frame).count() == 0
