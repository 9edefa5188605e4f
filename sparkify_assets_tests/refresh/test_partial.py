"""A range of months in which one cannot be made: the others are, and the run says which is not."""

from __future__ import annotations

from pathlib import Path

import pytest
from pyspark.sql import DataFrame

from sparkify_assets.lake.lake import Lake
from sparkify_assets.refresh.run import RunFailed
from sparkify_assets.tables import RAW_LOGS, RAW_SONGS, TABLES
from sparkify_assets.transforms import listening
from sparkify_assets_tests.jobs_in_process import numbers, run
from sparkify_assets_tests.refresh.world import World, parts_of
from sparkify_assets_tests.zone import event

MONTHS = ("2018-11", "2018-12", "2019-01")
OTHERS = {"2018-11", "2019-01"}


@pytest.fixture
def loaded(world: World) -> World:
    """Three months with two plays each, all tables made."""
    for month in MONTHS:
        first = event(f"{month}-05 10:00", sessionId=int(month[-2:]))
        second = event(f"{month}-05 11:00", sessionId=int(month[-2:]), itemInSession=1)
        world.zone.logs(f"log_data/{month}-05-events.json", first, second)
    world.zone.song()
    world.run()
    return world


def twice_in_december(monkeypatch: pytest.MonkeyPatch) -> None:
    """Break the transform: it returns the plays of December twice."""
    right = listening.songplays

    def songplays(raw_logs: DataFrame, song_matches: DataFrame) -> DataFrame:
        frame = right(raw_logs, song_matches)
        return frame.unionAll(frame.filter("month = 12"))

    monkeypatch.setattr(listening, "songplays", songplays)


@pytest.mark.engines
def test_a_month_with_a_repeated_key_is_not_published_and_the_others_are(
    loaded: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {month: parts_of(loaded, "songplays", month) for month in MONTHS}
    rows = loaded.rows("songplays")
    with monkeypatch.context() as broken:
        twice_in_december(broken)
        result = run(loaded, *MONTHS, only=["songplays"], rebuild=["songplays"])
        assert not result.success
        text, metadata = result.reason()
        assert text.startswith("songplays 2018-12: key: 2 rows repeat a key (songplay_id)")
        assert "Nothing was published" in text
        assert metadata["months"] == ["2018-12"]
        assert result.made("songplays").keys() == OTHERS
        found = result.checked("songplays", "key")
    assert {month: one.passed for month, one in found.items()} == {
        "2018-11": True, "2018-12": False, "2019-01": True
    }  # fmt: skip
    failed = numbers(found["2018-12"].metadata)
    assert (failed["rows"], failed["repeated"]) == (4, 2)
    assert "stands there 2 times" in failed["sample"]
    assert found["2018-12"].blocking
    after = {month: parts_of(loaded, "songplays", month) for month in MONTHS}
    assert {month for month in MONTHS if after[month] != before[month]} == OTHERS
    assert loaded.rows("songplays") == rows
    assert run(loaded, *MONTHS, only=["songplays"], rebuild=["songplays"]).success
    assert loaded.rows("songplays") == rows


def lose_raw_rows(world: World, month: str) -> Path:
    """Remove the part with a month's raw rows."""
    lake = world.lake
    (path,) = [p.path for p in lake.snapshot(RAW_LOGS).parts_of([month])]
    lost = Path(lake.table_location(RAW_LOGS).uri) / path
    lost.unlink()
    return lost


@pytest.mark.engines
def test_a_month_whose_raw_rows_are_lost_is_laid_aside(loaded: World) -> None:
    before = {month: parts_of(loaded, "songplays", month) for month in MONTHS}
    lost = lose_raw_rows(loaded, "2018-12")
    result = run(loaded, *MONTHS, only=["songplays"], rebuild=["songplays"])
    assert not result.success
    text, metadata = result.reason()
    assert text.startswith("songplays 2018-12: ")
    assert f"{lost.name} is gone" in text
    assert "sparkify run --rebuild --month 2018-12" in text
    assert metadata["months"] == ["2018-12"]
    assert result.made("songplays").keys() == OTHERS
    after = {month: parts_of(loaded, "songplays", month) for month in MONTHS}
    assert {month for month in MONTHS if after[month] != before[month]} == OTHERS


def test_the_way_out_that_the_message_names_works(loaded: World) -> None:
    rows = loaded.tables()
    lose_raw_rows(loaded, "2018-12")
    assert not run(loaded, "2018-12", only=["songplays"], rebuild=["songplays"]).success
    loaded.run(only=["2018-12"], rebuild=True)
    assert loaded.tables() == rows
    assert run(loaded, *MONTHS, only=["songplays"], rebuild=["songplays"]).success


def test_a_month_of_a_table_whose_source_is_lost_is_laid_aside(loaded: World) -> None:
    (path,) = parts_of(loaded, "songplays", "2018-12")
    (Path(loaded.lake.table_location(TABLES["songplays"]).uri) / path).unlink()
    result = run(loaded, *MONTHS, only=["time"], rebuild=["time"])
    text, metadata = result.reason()
    assert text.startswith("time 2018-12: ")
    assert "--rebuild --month 2018-12" in text
    assert metadata["months"] == ["2018-12"]
    assert result.made("time").keys() == OTHERS


def test_a_part_that_is_no_parquet_any_more_is_named(loaded: World) -> None:
    lose_raw_rows(loaded, "2018-12").write_bytes(b"PAR1 not really")
    text, _ = run(loaded, *MONTHS, only=["songplays"], rebuild=["songplays"]).reason()
    assert "cannot be read" in text


def test_where_nothing_can_be_made_the_step_fails_as_a_whole(loaded: World) -> None:
    lake: Lake = loaded.lake
    (path,) = [p.path for p in lake.snapshot(RAW_SONGS).parts]
    (Path(lake.table_location(RAW_SONGS).uri) / path).unlink()
    result = run(loaded, "2018-11", only=["songs"], rebuild=["songs"])
    text, _ = result.reason()
    assert text.startswith("songs: ")
    assert "is gone" in text
    assert "sparkify run --rebuild" in text


def test_the_command_line_makes_all_other_months_up_to_the_last_table(loaded: World) -> None:
    lose_raw_rows(loaded, "2018-12")
    for month in MONTHS:
        more = event(f"{month}-06 10:00", sessionId=50, userId="50")
        loaded.zone.logs(f"log_data/{month}-06-events.json", more)
    before = {name: loaded.rows(name) for name in ("songplays", "time")}
    with pytest.raises(RunFailed) as failed:
        loaded.run()
    assert "is gone. Restore it from a backup" in str(failed.value)
    assert str(failed.value).endswith("Everything else is up to date.")
    for name in ("songplays", "time"):
        after = [row for row in loaded.rows(name) if row not in before[name]]
        assert len(after) == 2, name  # December is as it was
    assert "50" in loaded.rows("users", "user_id")
    loaded.run(only=["2018-12"], rebuild=True)
    assert len(loaded.rows("songplays")) == 9
    assert loaded.run().run_ids == []
