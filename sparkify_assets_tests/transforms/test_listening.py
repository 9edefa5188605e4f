"""Plays, what they match, and their times."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession

from sparkify_assets.tables import HEARD_SONGS, SONG_MATCHES, SONGPLAYS, TIME
from sparkify_assets.transforms.listening import heard_songs, song_matches, songplays, time
from sparkify_assets_tests.transforms.frames import raw_logs, raw_songs, rows
from sparkify_assets_tests.zone import event, song

pytestmark = pytest.mark.engines


def played(logs: DataFrame, songs: DataFrame) -> list[dict[str, Any]]:
    matches = song_matches(songs, heard_songs(logs))
    return rows(songplays(logs, matches), "session_id", "start_time")


def test_a_play_that_matches(spark: SparkSession) -> None:
    logs, songs = raw_logs(spark, event()), raw_songs(spark, song())
    found = played(logs, songs)
    # xxhash64(1, 0, 1542283200796, "15"): the ids of a lake never change.
    assert found[0].pop("songplay_id") == -2546623122807591241
    assert found == [
        {
            "start_time": dt.datetime(2018, 11, 15, 12, 0, 0, 796000),  # noqa: DTZ001 -- Spark's
            "user_id": "15",
            "level": "paid",
            "song_id": "SOZCTXZ12AB0182364",
            "artist_id": "AR5KOSW1187FB35FF4",
            "session_id": 1,
            "location": "Chicago-Naperville-Elgin, IL-IN-WI",
            "user_agent": "Mozilla/5.0 (X11; Linux x86_64)",
            "month": 11,
            "year": 2018,
            "song": "Setanta matins",
            "artist": "Elena",
            "length": 269.58322,
        }
    ]
    assert songplays(logs, song_matches(songs, heard_songs(logs))).columns == SONGPLAYS.names


def test_the_columns_of_the_derived_tables(spark: SparkSession) -> None:
    logs, songs = raw_logs(spark, event()), raw_songs(spark, song())
    assert set(heard_songs(logs).columns) == set(HEARD_SONGS.names)
    assert set(song_matches(songs, heard_songs(logs)).columns) == set(SONG_MATCHES.names)


@pytest.mark.parametrize(
    "fields",
    [{"song": "setanta matins"}, {"artist": "Elen"}, {"song": None}, {"artist": ""}, {"song": "x"}],
)
def test_a_play_that_does_not_match_is_kept(spark: SparkSession, fields: dict[str, Any]) -> None:
    found = played(raw_logs(spark, event(**fields)), raw_songs(spark, song()))
    assert [(row["song_id"], row["artist_id"]) for row in found] == [(None, None)]


def test_of_several_candidates_the_nearest_in_duration_then_the_smallest_id(
    spark: SparkSession,
) -> None:
    songs = raw_songs(
        spark, song("S3", duration=260.0), song("S2", duration=270.0), song("S1", duration=280.0)
    )
    logs = raw_logs(
        spark,
        event(sessionId=1, length=269.0),
        event(sessionId=2, length=275.0),  # as near to S2 as to S1
        event(sessionId=3, length=9999.0),  # there is no tolerance
        event(sessionId=4, length=None),
    )
    assert [row["song_id"] for row in played(logs, songs)] == ["S2", "S1", "S1", "S1"]


def test_a_song_heard_often_and_in_several_months_doubles_no_play(spark: SparkSession) -> None:
    logs = raw_logs(
        spark,
        event(sessionId=1),
        event(sessionId=2),
        event("2018-12-01 00:00:00.796", sessionId=3),
        event(sessionId=4, length=None),
        event(sessionId=5, length=None),
    )
    found = played(logs, raw_songs(spark, song(), song("S9", title="other")))
    assert len(found) == 5
    assert len({row["songplay_id"] for row in found}) == 5
    assert all(row["song_id"] for row in found)
    assert rows(heard_songs(logs), "month", "length")[0]["plays"] == 2


def test_the_artist_matches_by_the_name_in_the_songs_own_file(spark: SparkSession) -> None:
    songs = raw_songs(
        spark,
        song("S1", artist_name="Elena feat. X", title="duet"),
        song("S2", artist_name="Elena", title="solo"),
        song("S3", artist_name="Elena", title="other"),
    )
    logs = raw_logs(spark, event(song="duet", artist="Elena feat. X"))
    assert played(logs, songs)[0]["song_id"] == "S1"


def test_a_play_of_nobody_is_kept_without_a_user(spark: SparkSession) -> None:
    found = played(raw_logs(spark, event(userId="")), raw_songs(spark))
    assert [(row["user_id"], row["songplay_id"] is None) for row in found] == [(None, False)]


@pytest.mark.parametrize(
    ("agent", "shown"),
    [
        ('"Mozilla/5.0"', "Mozilla/5.0"),
        ("Mozilla/5.0", "Mozilla/5.0"),
        ('""Mozilla""', '"Mozilla"'),
        ('"', '"'),
        ('""', None),
        ("", None),
        (None, None),
        ('"open', '"open'),
    ],
)
def test_one_pair_of_quotes_is_taken_off_the_user_agent(
    spark: SparkSession, agent: str | None, shown: str | None
) -> None:
    found = played(raw_logs(spark, event(userAgent=agent)), raw_songs(spark))
    assert found[0]["user_agent"] == shown


def test_empty_text_is_none(spark: SparkSession) -> None:
    found = played(
        raw_logs(spark, event(level="", location="", song="", artist="")), raw_songs(spark)
    )
    assert [found[0][name] for name in ("level", "location", "song", "artist")] == [None] * 4


def test_time_is_iso_and_utc(spark: SparkSession) -> None:
    logs = raw_logs(
        spark,
        event("2018-11-04 23:59:59.796", sessionId=1),  # a Sunday, the end of ISO week 44
        event("2018-12-31 00:00:00.796", sessionId=2),  # a Monday, ISO week 1 of 2019
        event("2018-12-31 00:00:00.796", sessionId=3),
    )
    table = time(songplays(logs, song_matches(raw_songs(spark), heard_songs(logs))))
    assert set(table.columns) == set(TIME.names)
    found = [
        [row[name] for name in ("hour", "day", "week", "month", "year", "weekday")]
        for row in rows(table, "start_time")
    ]
    assert found == [[23, 4, 44, 11, 2018, 7], [0, 31, 1, 12, 2018, 1]]


def test_every_weekday_and_the_ends_of_iso_years(spark: SparkSession) -> None:
    days = [dt.datetime(2018, 12, 24, 12, tzinfo=dt.UTC) + dt.timedelta(days=n) for n in range(21)]
    logs = raw_logs(spark, *[event(str(day)[:19], sessionId=n) for n, day in enumerate(days)])
    table = time(songplays(logs, song_matches(raw_songs(spark), heard_songs(logs))))
    found = [(row["week"], row["weekday"]) for row in rows(table, "start_time")]
    assert found == [(day.isocalendar().week, day.isocalendar().weekday) for day in days]
