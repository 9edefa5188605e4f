"""What a writer notes of the rows that pass: repeated keys, missing values, previews, days."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pyarrow as pa
import pytest

from sparkify_assets.errors import LakeError
from sparkify_assets.lake.notes import PREVIEW_ROWS, Notes, NoteTaker
from sparkify_assets.tables import HEARD_SONGS, RAW_SONGS, SONGPLAYS, USERS


def users(*ids: str | None) -> pa.RecordBatch:
    rows = [{"user_id": one, "level": "free"} for one in ids]
    schema = pa.schema([field.with_nullable(True) for field in USERS.plain_schema])
    return pa.RecordBatch.from_pylist(rows, schema=schema)


def heard(*rows: tuple[str | None, float | None, int]) -> pa.RecordBatch:
    values: list[dict[str, Any]] = [
        {"song": song, "artist": "a", "length": length, "plays": 1, "month": month, "year": 2018}
        for song, length, month in rows
    ]
    return pa.RecordBatch.from_pylist(values, schema=HEARD_SONGS.plain_schema)


def taken(table: Any, *batches: pa.RecordBatch) -> dict[str, Notes]:
    taker = NoteTaker(table)
    for batch in batches:
        taker.take(batch)
    taker.finish()
    return taker.notes


def test_keys_that_differ_are_not_suspect() -> None:
    notes = taken(USERS, users("1", "2"), users("3"))["all"]
    assert (notes.rows, notes.suspect, notes.lacking, notes.sample) == (3, 0, 0, [])


def test_a_repeated_key_is_suspect_wherever_it_stands() -> None:
    assert taken(USERS, users("2", "1", "2"), users("3", "2"))["all"].suspect == 2


def test_null_equals_null_in_a_key() -> None:
    notes = taken(HEARD_SONGS, heard((None, None, 11), (None, 1.0, 11)), heard((None, None, 11)))
    assert notes["2018-11"].suspect == 1


def test_the_same_key_in_two_months_is_not_suspect() -> None:
    assert taken(HEARD_SONGS, heard(("x", 1.0, 11), ("x", 1.0, 12)))["2018-11"].suspect == 0


def test_rows_of_several_months_are_noted_by_month() -> None:
    notes = taken(HEARD_SONGS, heard(("x", 1.0, 11), ("x", 1.0, 12), ("y", 1.0, 12)))
    assert {key: found.rows for key, found in notes.items()} == {"2018-11": 1, "2018-12": 2}
    assert [row["month"] for row in notes["2018-12"].preview] == ["12", "12"]


def test_rows_without_a_required_value_are_counted_and_not_written() -> None:
    taker = NoteTaker(USERS)
    [left] = taker.take(users("1", None, "2"))
    assert left.rows.column("user_id").to_pylist() == ["1", "2"]
    notes = taker.notes["all"]
    assert (notes.rows, notes.lacking) == (2, 1)
    assert notes.sample[0]["problem"] == "no value in user_id"


def test_a_row_without_a_month_belongs_nowhere() -> None:
    batch = heard(("x", 1.0, 11))
    schema = pa.schema([field.with_nullable(True) for field in batch.schema])
    lost = pa.RecordBatch.from_pylist([{**batch.to_pylist()[0], "month": None}], schema=schema)
    with pytest.raises(LakeError, match=r"heard_songs\.month is required, but 1 rows"):
        taken(HEARD_SONGS, lost)


def test_a_raw_row_without_a_required_value_is_refused() -> None:
    schema = pa.schema([field.with_nullable(True) for field in RAW_SONGS.plain_schema])
    batch = pa.RecordBatch.from_pylist([{"source_file": "f", "batch": "b"}], schema=schema)
    with pytest.raises(LakeError, match=r"raw_songs\.artist_id is required, but 1 rows"):
        taken(RAW_SONGS, batch)


def test_raw_rows_may_repeat_what_they_like() -> None:
    names = {"source_file": "f", "artist_id": "a", "song_id": "s", "batch": "b"}
    batch = pa.RecordBatch.from_pylist([names, names], schema=RAW_SONGS.plain_schema)
    assert taken(RAW_SONGS, batch)["b"].suspect == 0


def test_previews_are_short_and_texts_are_cut() -> None:
    notes = taken(USERS, users(*[f"{number:0200d}" for number in range(50)]))["all"]
    assert len(notes.preview) == PREVIEW_ROWS
    assert len(notes.preview[0]["user_id"]) == 120
    assert notes.preview[0]["first_name"] == ""


def test_plays_are_counted_by_day() -> None:
    days = (1, 1, 30)
    rows = [
        {
            "songplay_id": number,
            "start_time": dt.datetime(2018, 11, day, 23, 59, 59, 796000, tzinfo=dt.UTC),
            "session_id": 1,
            "month": 11,
            "year": 2018,
        }
        for number, day in enumerate(days)
    ]
    batch = pa.RecordBatch.from_pylist(rows, schema=SONGPLAYS.plain_schema)
    assert taken(SONGPLAYS, batch, batch)["2018-11"].days == {"2018-11-01": 4, "2018-11-30": 2}


def test_notes_of_several_writers_add_up() -> None:
    one = Notes(2, 1, 0, [{"a": "1"}], [{"a": "1"}] * 6, {"2018-11-01": 1})
    one.add(Notes(3, 0, 2, [{"a": "2"}], [{"a": "2"}] * 6, {"2018-11-01": 2, "2018-11-02": 1}))
    assert (one.rows, one.suspect, one.lacking) == (5, 1, 2)
    assert one.sample == [{"a": "1"}, {"a": "2"}]
    assert len(one.preview) == PREVIEW_ROWS
    assert one.days == {"2018-11-01": 3, "2018-11-02": 1}
