"""When a run records a release, and what it says where it does not."""

from __future__ import annotations

from typing import Any

import pytest
from pyspark.sql import DataFrame

from sparkify_assets.ingest.ledger import read_ledger
from sparkify_assets.lake.lake import Lake
from sparkify_assets.lake.release import Release, last_release, record_release
from sparkify_assets.refresh import publish as publishing
from sparkify_assets.refresh.freshness import Freshness
from sparkify_assets.refresh.given_up import give_up, is_given_up
from sparkify_assets.refresh.publish import publish, would_publish
from sparkify_assets.refresh.run import RunFailed
from sparkify_assets.tables import BUILT, TABLES
from sparkify_assets.transforms import listening
from sparkify_assets_tests.jobs_in_process import numbers, run
from sparkify_assets_tests.refresh.world import World
from sparkify_assets_tests.zone import event

MONTHS = ["2018-10", "2018-11", "2018-12"]
# Everything but the release.
NAMES = ["raw_logs", "raw_songs", *(table.name for table in BUILT)]


@pytest.fixture
def loaded(world: World) -> World:
    """Two months with a play each, and a release of them."""
    for month in ("2018-11", "2018-12"):
        world.zone.logs(f"log_data/{month}-05-events.json", event(f"{month}-05 10:00"))
    world.zone.song()
    world.run()
    return world


def versions(world: World) -> dict[str, int]:
    return {name: world.lake.snapshot(table).version for name, table in TABLES.items()}


@pytest.mark.engines
def test_each_run_that_changes_something_records_a_release(loaded: World) -> None:
    first = last_release(loaded.lake)
    assert (first.number, first.versions, first.pending) == (1, versions(loaded), ())
    loaded.run()
    assert last_release(loaded.lake) == first
    loaded.zone.logs("log_data/2018-12-06-events.json", event("2018-12-06 10:00", sessionId=2))
    loaded.run()
    second = last_release(loaded.lake)
    assert (second.number, second.versions) == (2, versions(loaded))
    # The older one still reads as it was.
    plays = loaded.lake.snapshot_at(TABLES["songplays"], first.versions["songplays"])
    assert (plays.rows, len(loaded.rows("songplays"))) == (2, 3)


def test_tables_that_do_not_belong_together_are_not_released(loaded: World) -> None:
    loaded.zone.logs("log_data/2018-12-06-events.json", event("2018-12-06 10:00", sessionId=2))
    made = ["raw_logs", "heard_songs", "song_matches", "songplays"]
    assert run(loaded, "2018-12", only=made).success
    done = publish(loaded.lake, MONTHS)
    assert (done.recorded, done.release) == (False, last_release(loaded.lake))
    assert "time/2018-12" in done.why_not
    assert done.release is not None
    assert done.release.number == 1
    assert "out of date" in would_publish(loaded.lake, ["2018-12"]).why_not
    # Nobody has to start anything but a run, which finds nothing new in the landing zone.
    loaded.run()
    assert last_release(loaded.lake).number == 2


def broken_in_december(monkeypatch: pytest.MonkeyPatch) -> None:
    """Break the transform: it returns the plays of December twice."""
    right = listening.songplays

    def songplays(raw_logs: DataFrame, song_matches: DataFrame) -> DataFrame:
        frame = right(raw_logs, song_matches)
        return frame.unionAll(frame.filter("month = 12"))

    monkeypatch.setattr(listening, "songplays", songplays)


def test_a_month_that_cannot_be_made_keeps_no_other_from_readers(
    loaded: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for month in ("2018-11", "2018-12"):
        loaded.zone.logs(f"log_data/{month}-07-events.json", event(f"{month}-07", sessionId=3))
    with monkeypatch.context() as broken:
        broken_in_december(broken)
        with pytest.raises(RunFailed, match="songplays 2018-12"):
            loaded.run()
    found = last_release(loaded.lake)
    assert (found.number, found.pending) == (2, ("2018-12",))
    plays = loaded.lake.snapshot_at(TABLES["songplays"], found.versions["songplays"])
    assert {key: sum(p.rows for p in plays.parts_of([key])) for key in plays.partitions} == {
        "2018-11": 2, "2018-12": 1
    }  # fmt: skip
    loaded.run()
    assert last_release(loaded.lake).pending == ()


def test_a_month_that_is_not_made_yet_is_waited_for(loaded: World) -> None:
    loaded.zone.logs("log_data/2018-12-06-events.json", event("2018-12-06 10:00", sessionId=2))
    assert run(loaded, "2018-12", only=["raw_logs"]).success
    waits = publish(loaded.lake, MONTHS, ["2018-11"])
    assert (waits.recorded, "heard_songs/2018-12" in waits.why_not) == (False, True)
    alone = publish(loaded.lake, MONTHS, ["2018-12"])
    assert alone.recorded
    assert alone.release is not None
    assert alone.release.pending == ("2018-12",)


def test_what_was_tried_in_vain_is_tried_in_vain_until_its_sources_change(loaded: World) -> None:
    loaded.zone.logs("log_data/2018-12-06-events.json", event("2018-12-06 10:00", sessionId=2))
    assert run(loaded, "2018-12", only=["raw_logs"]).success
    stale = Freshness(loaded.lake, read_ledger(loaded.lake)).all_stale(MONTHS)
    assert stale
    for number, one in enumerate(stale):
        assert not publish(loaded.lake, MONTHS).recorded, number
        give_up(loaded.lake, one.table, {one.key: one.fingerprint - 1})
        assert not is_given_up(loaded.lake, one)
        give_up(loaded.lake, one.table, {one.key: one.fingerprint})
    done = publish(loaded.lake, MONTHS)
    assert done.recorded
    assert done.release is not None
    assert done.release.pending == ("2018-12",)
    loaded.zone.logs("log_data/2018-12-07-events.json", event("2018-12-07 10:00", sessionId=3))
    assert run(loaded, "2018-12", only=["raw_logs"]).success
    assert not publish(loaded.lake, MONTHS).recorded


def test_whoever_is_overtaken_looks_again(loaded: World, monkeypatch: pytest.MonkeyPatch) -> None:
    first = last_release(loaded.lake)
    loaded.zone.logs("log_data/2018-12-06-events.json", event("2018-12-06 10:00", sessionId=2))
    assert run(loaded, "2018-12", only=NAMES).success
    others: list[Release] = []

    def overtaken(lake: Lake, before: Release, versions: dict[str, int], *more: Any) -> Release:
        if not others:  # somebody who looked earlier takes the number
            others.append(record_release(lake, before, first.versions))
        return record_release(lake, before, versions, *more)

    monkeypatch.setattr(publishing, "record_release", overtaken)
    done = publish(loaded.lake, MONTHS)
    assert done.recorded
    assert done.release is not None
    assert (others[0].number, done.release.number) == (2, 3)
    assert done.release.versions == versions(loaded)


def test_the_asset_tells_what_it_recorded(loaded: World) -> None:
    loaded.zone.logs("log_data/2018-12-06-events.json", event("2018-12-06 10:00", sessionId=2))
    result = run(loaded, "2018-12")
    told = numbers(result.made("release")[None].metadata)
    assert (told["release"], told["recorded"], told["pending_months"]) == (2, True, "none")
    assert "songplays" in told["versions"]
