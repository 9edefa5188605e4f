"""Putting small parts together: the same rows in fewer files, and no table is out of date by it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable

from sparkify_assets.ingest import ingest
from sparkify_assets.ingest.ledger import Ledger, read_ledger
from sparkify_assets.ingest.taken_in import taken_in
from sparkify_assets.lake import row_groups
from sparkify_assets.lake.lake import Lake
from sparkify_assets.lake.scan import scan_part
from sparkify_assets.maintenance import compact, rewrite
from sparkify_assets.maintenance.compact import MOST_SMALL_PARTS
from sparkify_assets.refresh.plan import make_plan
from sparkify_assets.refresh.steps import Step
from sparkify_assets.tables import BUILT, RAW_LOGS, REJECTS
from sparkify_assets_tests.maintenance.bench import NOVEMBER, Bench
from sparkify_assets_tests.refresh.world import World

FILES = 30


def test_after_many_small_runs_there_are_few_parts_and_every_table_reads_the_same(
    bench: Bench,
) -> None:
    for number in range(FILES):
        bench.zone.song(f"SO{number:02d}", title=f"Song {number}")
        bench.land(number)
        bench.take_in()
    bench.zone.write("song_data/A/broken.json", "{")
    bench.take_in()
    bench.world.run()
    tables, counting, rejects = bench.world.tables(), bench.counting(), bench.rejects()
    ledger = read_ledger(bench.lake)
    assert (bench.parts("raw_logs"), bench.parts("raw_songs")) == (FILES, FILES)
    assert len(rejects) == FILES // 3 + 1

    taken_before = taken_in()
    report = bench.maintain()

    assert {n: bench.parts(n) for n in ("raw_logs", "raw_songs", "rejects")} == {
        "raw_logs": 1,
        "raw_songs": 1,
        "rejects": 2,  # of the month, of the songs
    }
    logs = report.tables["raw_logs"]
    assert (logs.batches_compacted, logs.files_before, logs.files_after) == (FILES, FILES, 1)
    assert logs.rows_before == logs.rows_after == 2 * FILES
    assert logs.bytes_after < logs.bytes_before
    assert (logs.dead_files, report.postponed, report.failed) == (0, {}, {})
    assert bench.counting() == counting
    assert bench.rejects() == rejects
    assert bench.world.tables() == tables
    # To a run's summary nothing was read.
    after = read_ledger(bench.lake)
    assert after.snapshot.version > ledger.snapshot.version
    assert taken_in() == taken_before


def test_the_next_run_reads_no_file_and_gives_no_table_a_new_version(bench: Bench) -> None:
    bench.many(FILES)
    bench.zone.song()
    bench.world.run()
    ledger = read_ledger(bench.lake)
    numbers = {scope: ledger.number(scope) for scope in ledger.scopes}
    digest = ledger.events_digest(NOVEMBER)
    assert bench.maintain().tables["raw_logs"].batches_compacted == FILES
    after = read_ledger(bench.lake)
    assert {scope: after.number(scope) for scope in after.scopes} == numbers
    assert after.events_digest(NOVEMBER) == digest
    versions = bench.versions()
    plan = make_plan(bench.world.settings())
    assert not plan.needed
    assert (plan.files_to_read, plan.stale, plan.scopes) == (0, [], [])
    assert bench.world.run().run_ids == []
    assert bench.take_in().accounts == {}
    assert bench.versions() == versions


def test_tables_that_are_made_again_from_what_was_put_together_are_the_same(bench: Bench) -> None:
    bench.many(FILES)
    for number in range(12):
        bench.zone.song(f"SO{number:02d}", title="Setanta matins", duration=200.0 + number)
        bench.take_in()
    bench.world.run()
    before = bench.world.tables()
    bench.maintain()
    assert (bench.parts("raw_logs"), bench.parts("raw_songs")) == (1, 1)
    versions = bench.versions()
    bench.rebuild()
    after = bench.versions()
    assert all(after[table.name] > versions[table.name] for table in BUILT)
    assert bench.world.tables() == before


def test_what_comes_after_a_maintenance_is_taken_in_as_without_one(
    bench: Bench, tmp_path: Path
) -> None:
    bench.many(FILES)
    bench.world.run()
    bench.maintain(grace_hours=0)
    bench.land(FILES)
    bench.land(3, lines=5)  # another content
    outcome = bench.world.run()
    assert outcome.before.files_to_read == 2
    fresh = World(bench.zone, lambda **more: bench.world.settings(lake=str(tmp_path / "2"), **more))
    fresh.run()
    assert bench.world.tables() == fresh.tables()
    assert bench.world.run().run_ids == []


def test_a_reader_of_another_make_sees_the_same_rows(bench: Bench) -> None:
    bench.many(FILES)
    bench.maintain(grace_hours=0)
    for table in (RAW_LOGS, REJECTS):
        snapshot = bench.lake.snapshot(table)
        theirs = DeltaTable(snapshot.location.uri)
        order = [(name, "ascending") for name in table.key]
        rows = theirs.to_pyarrow_table().select(table.names).sort_by(order).to_pylist()
        assert rows == snapshot.read().sort_by(order).to_pylist()
        assert theirs.version() == snapshot.version
        assert len(theirs.file_uris()) == 1
    assert len(rows) == FILES // 3


def test_a_handful_of_parts_is_left_alone(bench: Bench) -> None:
    bench.many(MOST_SMALL_PARTS)
    versions = bench.versions()
    report = bench.maintain()
    assert bench.versions() == versions
    assert report.total("batches_compacted") == 0
    bench.land(99)
    bench.take_in()
    report = bench.maintain()
    assert report.tables["raw_logs"].batches_compacted == MOST_SMALL_PARTS + 1


def test_large_batches_are_left_alone(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.land(500, lines=2_000)
    bench.take_in()
    [large] = bench.lake.snapshot(RAW_LOGS).parts
    bench.many(FILES)
    small = max(part.size for part in bench.lake.snapshot(RAW_LOGS).parts if part != large)
    monkeypatch.setattr(compact, "SMALL_BYTES", large.size)
    assert small < large.size
    counting = bench.counting()
    assert bench.maintain().tables["raw_logs"].batches_compacted == FILES
    left = bench.lake.snapshot(RAW_LOGS).parts
    assert large.path in {part.path for part in left}
    assert len(left) == 2
    assert bench.counting() == counting


def test_months_are_put_together_each_by_itself(bench: Bench) -> None:
    """One reading has the same batch in every month that it takes files of."""
    for number in range(FILES):
        bench.land(number)
        if number % 5 == 0:
            bench.land(number, "2018-12")
        bench.take_in()
    counting = bench.counting()
    bench.maintain()
    parts = Counter(part.partition["landing_month"] for part in bench.lake.snapshot(RAW_LOGS).parts)
    assert parts == {NOVEMBER: 1, "2018-12": FILES // 5}
    assert bench.counting() == counting
    assert bench.dead() == []


def test_rows_that_do_not_count_are_left_out(bench: Bench) -> None:
    """Of a batch with many files some were replaced: its other rows count."""
    for number in range(12):
        bench.land(number)
    bench.take_in()
    for number in range(9):
        bench.land(number, lines=3)
        bench.take_in()
    counting = bench.counting()
    assert bench.lake.snapshot(RAW_LOGS).rows > len(counting["raw_logs"])
    bench.maintain()
    assert bench.lake.snapshot(RAW_LOGS).rows == len(counting["raw_logs"]) == 3 * 9 + 2 * 3
    assert bench.lake.snapshot(REJECTS).rows == len(counting["rejects"]) == 4
    assert bench.counting() == counting


def test_files_without_rows_keep_their_account(bench: Bench) -> None:
    for number in range(12):
        bench.zone.write(f"log_data/{NOVEMBER}-torn{number}.json", "torn\n" * number)
        bench.take_in()
    counting = bench.counting()
    report = bench.maintain()
    assert report.tables["rejects"].batches_compacted == 11  # one file is empty
    assert report.tables["raw_logs"].batches_compacted == 0
    assert bench.counting() == counting
    assert bench.parts("rejects") == 1


def test_a_second_maintenance_finds_nothing_to_do(bench: Bench) -> None:
    bench.many(FILES)
    bench.maintain(grace_hours=0)
    versions = bench.versions()
    report = bench.maintain(grace_hours=0)
    assert not report.anything
    assert bench.versions() == versions


def test_very_many_parts_are_put_together_in_rounds(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compact, "ROUND_PARTS", 12)
    bench.many(FILES)
    counting = bench.counting()
    before = read_ledger(bench.lake).counter(NOVEMBER)
    report = bench.maintain()
    assert bench.counting() == counting
    assert bench.parts("raw_logs") <= MOST_SMALL_PARTS + FILES // 8
    assert read_ledger(bench.lake).counter(NOVEMBER) >= before + 3
    assert report.tables["raw_logs"].batches_compacted >= FILES - MOST_SMALL_PARTS
    assert bench.dead() == []


def test_rows_go_through_in_pieces(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(row_groups, "GROUP_BYTES", 2_000)
    bench.many(12)
    counting = bench.counting()
    bench.maintain()
    snapshot = bench.lake.snapshot(RAW_LOGS)
    [part] = snapshot.parts
    groups = pq.ParquetFile(f"{snapshot.location.uri}/{part.path}").num_row_groups
    assert 1 < groups < 12
    assert bench.counting() == counting


def test_a_round_that_another_run_disturbs_is_planned_again(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.many(FILES)
    original, disturbing = compact._merge, [100, 101]

    def disturbed(*given: Any) -> None:
        rewritten = compact._rewrite

        def another_first(*arguments: Any) -> Any:
            if disturbing:
                bench.land(disturbing.pop())
                bench.take_in()
            return rewritten(*arguments)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(compact, "_rewrite", another_first)
            original(*given)

    monkeypatch.setattr(compact, "_merge", disturbed)
    steps: list[Step] = []
    report = bench.maintain(watch=steps.append)
    assert not disturbing
    states = [step.state for step in steps if step.name == f"compact {NOVEMBER}"]
    assert states[0] == "running"
    assert "retry" in states
    assert states[-1] == "done"
    assert report.postponed == {}
    assert len(bench.counting()["landed_files"]) == FILES + 2
    assert bench.parts("raw_logs") <= MOST_SMALL_PARTS
    assert bench.dead() == []


def test_a_month_that_is_never_quiet_is_left_for_the_next_time(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.many(12)
    bench.many(12, "2018-12")
    original, numbers = Ledger.commit, iter(range(100, 200))
    inside = [False]

    def another_first(self: Ledger, lake: Lake, scopes: Any) -> Any:
        if NOVEMBER in scopes and not inside[0]:
            inside[0] = True
            bench.land(next(numbers))
            bench.take_in()
            inside[0] = False
        return original(self, lake, scopes)

    monkeypatch.setattr(Ledger, "commit", another_first)
    report = bench.maintain()
    monkeypatch.undo()
    assert "2018-11 was changed by another run" in report.postponed.pop(NOVEMBER)
    assert report.postponed == {}
    assert report.tables["raw_logs"].batches_compacted == 12
    months = Counter(p.partition["landing_month"] for p in bench.lake.snapshot(RAW_LOGS).parts)
    assert months["2018-12"] == 1
    counting = bench.counting()
    assert bench.maintain().postponed == {}
    assert bench.counting() == counting
    assert bench.parts("raw_logs") == 2


def test_rows_that_are_missing_are_refused_and_nothing_is_changed(bench: Bench) -> None:
    bench.many(12)
    bench.many(12, "2018-12")
    snapshot = bench.lake.snapshot(RAW_LOGS)
    lost = next(p for p in snapshot.parts if p.partition["landing_month"] == NOVEMBER)
    content = Path(snapshot.location.uri, lost.path).read_bytes()
    Path(snapshot.location.uri, lost.path).unlink()
    report = bench.maintain(grace_hours=0)
    assert lost.path in report.failed.pop(NOVEMBER)
    assert report.failed == {}
    # The other month was done, and what is left of this one is untouched.
    months = Counter(p.partition["landing_month"] for p in bench.lake.snapshot(RAW_LOGS).parts)
    assert months == {NOVEMBER: 12, "2018-12": 1}
    Path(snapshot.location.uri, lost.path).write_bytes(content)
    counting = bench.counting()
    assert bench.maintain().failed == {}
    assert bench.counting() == counting


@pytest.mark.parametrize("table", ["raw_logs", "rejects"])
def test_a_count_that_is_not_the_ledgers_is_refused(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, table: str
) -> None:
    bench.many(12)
    original = scan_part

    def less(*given: Any) -> Any:
        for rows in original(*given):
            yield rows.slice(1) if given[0].name == table else rows

    monkeypatch.setattr(rewrite, "scan_part", less)
    versions = bench.versions()
    reason = bench.maintain().failed[NOVEMBER]
    assert f"{table}: " in reason
    assert "that the ledger counts; nothing was put together" in reason
    assert bench.versions() == versions


def test_a_large_batch_that_many_tasks_wrote_is_put_together_too(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compact, "SMALL_BYTES", 1)  # none is small by itself
    monkeypatch.setattr(compact, "MOST_SMALL_PARTS", 1)
    monkeypatch.setattr(ingest, "_TASK_FILES", 1)
    monkeypatch.setattr("os.cpu_count", lambda: 4)
    for number in range(8):
        bench.land(number)
    bench.take_in()
    counting = bench.counting()
    assert bench.parts("raw_logs") == 4
    bench.maintain()
    assert bench.parts("raw_logs") == 1
    assert bench.counting() == counting
    assert bench.maintain().tables["raw_logs"].batches_compacted == 0
