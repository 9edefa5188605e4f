"""Songs and artists."""

from __future__ import annotations

from typing import Any

import pytest
from pyspark.sql import SparkSession

from sparkify_assets.tables import ARTISTS, SONGS
from sparkify_assets.transforms.catalogue import artists, songs
from sparkify_assets_tests.transforms.frames import raw_songs, rows
from sparkify_assets_tests.zone import song

pytestmark = pytest.mark.engines


def test_a_song_and_its_artist(spark: SparkSession) -> None:
    frame = raw_songs(spark, song(year=2004))
    assert songs(frame).columns == SONGS.names
    assert rows(songs(frame)) == [
        {
            "song_id": "SOZCTXZ12AB0182364",
            "title": "Setanta matins",
            "artist_id": "AR5KOSW1187FB35FF4",
            "year": 2004,
            "duration": 269.58322,
        }
    ]
    assert artists(frame).columns == ARTISTS.names
    assert rows(artists(frame)) == [
        {
            "artist_id": "AR5KOSW1187FB35FF4",
            "name": "Elena",
            "location": "Dubai UAE",
            "latitude": 49.80388,
            "longitude": 15.47491,
        }
    ]


def test_year_0_is_unknown_and_empty_text_is_none(spark: SparkSession) -> None:
    frame = raw_songs(spark, song(year=0, title="", artist_name="", artist_location=""))
    found = rows(songs(frame))[0]
    assert (found["year"], found["title"]) == (None, None)
    artist = rows(artists(frame))[0]
    assert (artist["name"], artist["location"]) == (None, None)


@pytest.mark.parametrize(
    ("files", "title"),
    [
        (({"title": "a", "artist_location": ""}, {"title": "b"}), "b"),  # most fields filled
        (({"title": "a", "year": 1990}, {"title": "b", "year": 2001}), "b"),  # newest year
        (({"title": "b", "year": 1990}, {"title": "a", "year": 1990}), "a"),  # smallest values
        (({"title": "x"}, {"title": "x"}), "x"),  # the same file twice
    ],
)
def test_of_several_files_of_a_song_one_counts_in_any_order(
    spark: SparkSession, files: tuple[dict[str, Any], ...], title: str
) -> None:
    for order in (files, files[::-1]):
        frame = raw_songs(spark, *[song(**fields) for fields in order])
        assert [row["title"] for row in rows(songs(frame))] == [title]


def test_an_artist_has_the_most_frequent_name(spark: SparkSession) -> None:
    frame = raw_songs(
        spark,
        song("S1", artist_name="Elena", year=1990),
        song("S2", artist_name="Elena", year=1991),
        song("S3", artist_name="Elena feat. X", year=2018),
    )
    assert [row["name"] for row in rows(artists(frame))] == ["Elena"]


def test_of_equally_frequent_names_the_newest_then_the_smallest_song(spark: SparkSession) -> None:
    newest = raw_songs(
        spark, song("S1", artist_name="A", year=1990), song("S2", artist_name="B", year=1991)
    )
    assert rows(artists(newest))[0]["name"] == "B"
    smallest = raw_songs(
        spark, song("S2", artist_name="A", year=0), song("S1", artist_name="B", year=0)
    )
    assert rows(artists(smallest))[0]["name"] == "B"
    known = raw_songs(
        spark, song("S1", artist_name="A", year=0), song("S2", artist_name="B", year=1950)
    )
    assert rows(artists(known))[0]["name"] == "B"


def test_latitude_and_longitude_are_of_one_song(spark: SparkSession) -> None:
    frame = raw_songs(
        spark,
        song("S1", artist_latitude=1.0, artist_longitude=2.0, year=1990),
        song("S2", artist_latitude=1.0, artist_longitude=3.0, year=1991),
        song("S3", artist_latitude=5.0, artist_longitude=3.0, year=1992),
        song("S4", artist_latitude=None, artist_longitude=None, year=1993),
        song("S5", artist_latitude=None, artist_longitude=None, year=1994),
        song("S6", artist_latitude=9.0, artist_longitude=None, year=1995),
    )
    found = rows(artists(frame))[0]
    assert (found["latitude"], found["longitude"]) == (5.0, 3.0)


def test_an_artist_without_anything_is_still_there(spark: SparkSession) -> None:
    nothing: dict[str, Any] = {
        "artist_name": None, "artist_location": None,
        "artist_latitude": None, "artist_longitude": None,
    }  # fmt: skip
    assert rows(artists(raw_songs(spark, song(**nothing)))) == [
        {
            "artist_id": "AR5KOSW1187FB35FF4",
            "name": None,
            "location": None,
            "latitude": None,
            "longitude": None,
        }
    ]


def test_artists_are_counted_over_the_chosen_songs_only(spark: SparkSession) -> None:
    # Three files of S1, of which one counts; S2 is newer.
    frame = raw_songs(
        spark,
        *[song("S1", artist_name="A", duration=float(n), year=1990) for n in (1, 2, 3)],
        song("S2", artist_name="B", year=1991),
    )
    assert rows(artists(frame))[0]["name"] == "B"
