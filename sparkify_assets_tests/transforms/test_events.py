"""Events: each counted once, in its month."""

from __future__ import annotations

from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession

from sparkify_assets.partitions import DAY_MS
from sparkify_assets.transforms.events import (
    LINE_KEY,
    events,
    lines_by_day,
    plays,
    repeats,
)
from sparkify_assets_tests.transforms.frames import raw_logs, rows
from sparkify_assets_tests.zone import event, ts

pytestmark = pytest.mark.engines


def _counting(lines: DataFrame) -> DataFrame:
    return lines.join(repeats(lines), [*LINE_KEY], "left_anti")


def _once(lines: DataFrame) -> DataFrame:
    return events(_counting(lines))


def test_an_event_that_was_delivered_twice_counts_once(spark: SparkSession) -> None:
    frame = raw_logs(spark, event(), event(), event(itemInSession=1))
    assert _once(frame).count() == 2


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
        found = rows(_once(frame))
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
    assert _once(frame).count() == 5


def test_nobody_is_nobody_however_it_is_written(spark: SparkSession) -> None:
    found = rows(_once(raw_logs(spark, event(userId=""), event(userId=None))))
    assert [row["user_id"] for row in found] == [None]


def test_the_month_is_that_of_utc(spark: SparkSession) -> None:
    frame = raw_logs(
        spark, event("2018-11-30 23:59:59.999"), event("2018-12-01 00:00:00.000", sessionId=2)
    )
    found = rows(_once(frame), "session_id")
    assert [(row["year"], row["month"]) for row in found] == [(2018, 11), (2018, 12)]


def test_only_songs_are_plays(spark: SparkSession) -> None:
    frame = raw_logs(spark, event(), event(page="Home", itemInSession=1))
    assert plays(frame).count() == 1


def test_duplicates_are_found_before_pages_are_chosen(spark: SparkSession) -> None:
    # The same event as Home and as NextSong: "Home" is the smaller one, so there is no play.
    frame = raw_logs(spark, event(artist="A", page="NextSong"), event(artist="A", page="Home"))
    assert plays(_counting(frame)).count() == 0


def test_lines_plays_and_events_are_counted_by_day(spark: SparkSession) -> None:
    frame = raw_logs(
        spark,
        event(),
        event(artist="A"),
        event(),
        event(page="Home", itemInSession=1),
        event("2018-12-01 00:00:00.000", userId=""),
        event("2018-12-01 00:00:00.000", userId=None, page="Home"),
    )
    day = ts("2018-11-15") // DAY_MS
    assert rows(lines_by_day(frame), "day") == [
        {"day": day, "lines": 4, "plays": 3, "events": 2},
        {"day": day + 16, "lines": 2, "plays": 1, "events": 1},
    ]


def test_of_equal_lines_the_first_one_counts(spark: SparkSession) -> None:
    frame = raw_logs(spark, event(), event(itemInSession=1), event(), event())
    assert rows(repeats(frame), "line") == [
        {"source_file": "a", "line": 3},
        {"source_file": "a", "line": 4},
    ]
