"""Dead rows are removed, rows that count or may still count never are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sparkify_assets.ingest import ingest as ingest_module
from sparkify_assets.ingest.ledger import Ledger, read_ledger
from sparkify_assets.maintenance import dead
from sparkify_assets.maintenance.report import Maintained
from sparkify_assets.refresh.plan import make_plan
from sparkify_assets.tables import LANDED_FILES, RAW_LOGS, REJECTS
from sparkify_assets_tests.maintenance.bench import NOVEMBER, Bench


class Crash(Exception):
    """Stands for the end of the process."""


def interrupted(bench: Bench) -> None:
    """An ingest that ends after it appended its rows and before it commits the ledger."""

    def crash(*_: Any) -> None:
        raise Crash

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Ledger, "commit", crash)
        with pytest.raises(Crash):
            bench.take_in()


def test_the_rows_of_a_replaced_file_are_removed(bench: Bench) -> None:
    bench.land(0)
    bench.take_in()
    old = {part.path for part in bench.lake.snapshot(RAW_LOGS).parts}
    bench.land(0, lines=3)
    bench.land(1)
    bench.take_in()
    bench.world.run()
    tables, counting = bench.world.tables(), bench.counting()
    report = bench.maintain()
    assert report.tables["raw_logs"].dead_files == 1
    assert report.tables["raw_logs"].dead_rows == 2
    assert report.tables["rejects"].dead_files == 1
    assert not old & {part.path for part in bench.lake.snapshot(RAW_LOGS).parts}
    assert bench.lake.snapshot(RAW_LOGS).rows == len(counting["raw_logs"]) == 5
    assert bench.counting() == counting
    assert bench.world.tables() == tables
    assert not make_plan(bench.world.settings()).needed


def test_the_rows_of_an_interrupted_run_are_removed_and_its_files_are_taken_in_later(
    bench: Bench,
) -> None:
    bench.land(0)
    bench.zone.song()
    bench.take_in()
    counting = bench.counting()
    bench.land(3)
    bench.zone.song("SOTWO")
    interrupted(bench)
    assert {(one.scope, *sorted(one.parts)) for one in bench.dead()} == {
        (NOVEMBER, "raw_logs", "rejects"),
        ("songs", "raw_songs"),
    }
    report = bench.maintain()
    assert [report.tables[n].dead_files for n in ("raw_logs", "raw_songs", "rejects")] == [1] * 3
    assert bench.dead() == []
    assert bench.counting() == counting
    assert len(bench.take_in().accounts[NOVEMBER]) == 1
    assert len(bench.counting()["landed_files"]) == 4


def test_dead_rows_of_a_month_that_the_ledger_does_not_know_are_removed(bench: Bench) -> None:
    bench.land(0)
    interrupted(bench)
    assert read_ledger(bench.lake).scopes == []
    assert bench.maintain().tables["raw_logs"].dead_files == 1
    assert bench.lake.snapshot(RAW_LOGS).parts == []
    ledger = read_ledger(bench.lake)
    assert (ledger.scopes, ledger.number(NOVEMBER), ledger.event_months()) == ([], 0, [])
    bench.take_in()
    assert len(bench.counting()["raw_logs"]) == 2


def test_a_batch_that_counts_for_one_file_only_is_kept_whole(bench: Bench) -> None:
    for number in range(4):
        bench.land(number)
    bench.take_in()
    for number in range(3):
        bench.land(number, lines=3)
    bench.take_in()
    counting = bench.counting()
    versions = bench.versions()
    assert bench.maintain().total("dead_files") == 0
    assert bench.versions() == versions
    assert bench.counting() == counting


def test_one_batch_may_be_dead_in_one_month_and_alive_in_another(bench: Bench) -> None:
    bench.land(0)
    bench.land(0, "2018-12")
    bench.take_in()
    bench.land(0, lines=3)
    bench.take_in()
    counting = bench.counting()
    report = bench.maintain()
    assert report.tables["raw_logs"].dead_files == 1
    assert bench.counting() == counting


def test_a_lake_without_dead_rows_gets_no_new_version(bench: Bench) -> None:
    bench.many(3)
    versions = bench.versions()
    bench.maintain()
    assert bench.versions() == versions


def test_only_the_months_with_dead_rows_are_fenced(bench: Bench) -> None:
    bench.many(2)
    bench.many(2, "2018-12")
    bench.land(0, lines=3)
    bench.take_in()
    before = read_ledger(bench.lake)
    bench.maintain()
    after = read_ledger(bench.lake)
    assert after.counter(NOVEMBER) == before.counter(NOVEMBER) + 1
    assert after.counter("2018-12") == before.counter("2018-12")
    assert [f._asdict() for f in after.files()] == [f._asdict() for f in before.files()]
    assert after.snapshot.parts == before.snapshot.parts


def test_an_ingest_that_waits_with_its_commit_plans_again_and_loses_nothing(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.land(0)
    original = ingest_module._commit
    reports: list[Maintained] = []

    def maintained_first(*given: Any) -> None:
        if not reports:
            reports.append(bench.maintain(grace_hours=0))
        original(*given)

    monkeypatch.setattr(ingest_module, "_commit", maintained_first)
    bench.take_in()
    assert reports[0].tables["raw_logs"].dead_rows == 2
    assert len(bench.counting()["raw_logs"]) == 2
    assert bench.dead() == []
    bench.world.run()
    assert len(bench.world.rows("songplays")) == 2


def test_without_the_fence_such_an_ingest_would_lose_its_rows(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That the tests of races can fail: this is what they would see."""
    bench.land(0)
    original = ingest_module._commit
    done: list[bool] = []

    def maintained_first(*given: Any) -> None:
        if not done:
            done.append(True)
            bench.maintain()
        original(*given)

    monkeypatch.setattr(Ledger, "fence", lambda self, *_: self)
    monkeypatch.setattr(ingest_module, "_commit", maintained_first)
    bench.take_in()
    with pytest.raises(AssertionError):
        bench.counting()


def test_a_month_that_is_never_quiet_keeps_its_dead_rows_for_the_next_time(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.land(0)
    interrupted(bench)
    original, numbers = read_ledger, iter(range(100, 200))

    def another_after(*given: Any) -> Any:
        ledger = original(*given)
        bench.land(next(numbers))
        bench.take_in()
        return ledger

    monkeypatch.setattr(dead, "read_ledger", another_after)
    report = bench.maintain()
    monkeypatch.undo()
    assert "2018-11 was changed by another run" in report.postponed["remove dead rows"]
    assert len(bench.dead()) == 1
    counting = bench.counting()
    assert bench.maintain().postponed == {}
    assert bench.dead() == []
    assert bench.counting() == counting


def test_a_reader_of_an_older_version_can_finish_within_the_grace_period(bench: Bench) -> None:
    bench.many(12)
    bench.land(0, lines=3)
    bench.take_in()
    readers = [bench.lake.snapshot(table) for table in (RAW_LOGS, REJECTS, LANDED_FILES)]
    before = [reader.read().to_pylist() for reader in readers]
    report = bench.maintain(grace_hours=1)
    assert report.tables["raw_logs"].files_after == 1
    assert report.total("replaced") == 0
    assert [reader.read().to_pylist() for reader in readers] == before
    report = bench.maintain(grace_hours=0)
    assert report.tables["raw_logs"].replaced == 13
    here = Path(bench.lake.table_location(RAW_LOGS).uri).rglob("part-*.parquet")
    assert len(list(here)) == 1


def test_rejects_are_shown_whole_whatever_is_put_together_meanwhile(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sparkify_assets.ingest import rejected

    bench.many(12)
    expected = bench.rejects()
    original, times = read_ledger, [1]

    def maintained_after(*given: Any) -> Any:
        ledger = original(*given)
        if times.pop() if times else 0:
            bench.maintain()
        return ledger

    monkeypatch.setattr(rejected, "read_ledger", maintained_after)
    assert bench.rejects() == expected
    assert not times
    assert len(expected) == 4
