"""A maintenance beside an ingest, a build or another maintenance, in every order of their steps.

The steps are the looks at the lake and the commits; everything in between touches nothing that
the other could see.
"""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sparkify_assets.errors import PlanChanged
from sparkify_assets.ingest import ingest as ingest_module
from sparkify_assets.ingest import ledger
from sparkify_assets.ingest.ledger import Ledger, seen_ledger
from sparkify_assets.ingest.raw import read_raw_logs
from sparkify_assets.lake import log
from sparkify_assets.lake.lake import Lake
from sparkify_assets.maintenance import compact, dead
from sparkify_assets.maintenance.compact import MOST_SMALL_PARTS
from sparkify_assets.maintenance.dead import remove_dead
from sparkify_assets.tables import LANDED_FILES, RAW_LOGS
from sparkify_assets_tests.maintenance.bench import NOVEMBER, Bench
from sparkify_assets_tests.maintenance.test_dead import interrupted
from sparkify_assets_tests.maintenance.turns import Turns, in_turns, like_processes, schedules

# Ledger; rows and rejects appended; ledger committed.
_INGEST = 4
# Three raw tables, ledger; counters raised; rows dropped.
_DEAD = 6
# Twice the ledger and three raw tables; rows and rejects appended; ledger committed.
_COMPACT = 11
# Both, and the rows of three tables are dropped.
_BOTH = _COMPACT + _DEAD + 2
_FILES = MOST_SMALL_PARTS + 1


@pytest.fixture
def again(bench: Bench, tmp_path: Path) -> Callable[[], None]:
    """Takes the lake back to where it was at the first call."""
    kept = tmp_path / "kept"

    def restore() -> None:
        log._known.clear()
        ledger._latest.clear()
        if kept.exists():
            shutil.rmtree(tmp_path / "lake")
            shutil.copytree(kept, tmp_path / "lake")
        else:
            shutil.copytree(tmp_path / "lake", kept)

    return restore


def run_in_turns(schedule: str, **actors: Callable[[], Any]) -> tuple[Turns, dict[str, Any]]:
    """Run the actors; every look at the lake and every commit of theirs is a step."""
    turns = Turns(schedule)
    with pytest.MonkeyPatch.context() as patch:
        like_processes(patch)
        for owner, names in (
            (ingest_module, ("read_ledger", "append")),
            (compact, ("read_ledger", "append")),
            (dead, ("read_ledger", "drop")),
            (Ledger, ("commit", "fence")),
            (Lake, ("snapshot", "find")),
        ):
            for name in names:
                in_turns(patch, turns, owner, name)
        results = turns.run(**actors)
    log._known.clear()
    ledger._latest.clear()
    return turns, results


def planned_again(turns: Turns, actor: str) -> bool:
    return turns.taken.count(f"{actor}:read_ledger") > 1


def drawn(found: list[str], number: int) -> list[str]:
    """Some of very many orders, the same each time."""
    return random.Random(1).sample(found, number)


@pytest.mark.parametrize("known", [True, False], ids=["a known month", "a new month"])
def test_removing_dead_rows_beside_an_ingest(
    bench: Bench, again: Callable[[], None], known: bool
) -> None:
    if known:
        bench.land(1)
        bench.take_in()
    bench.land(2)
    interrupted(bench)
    bench.land(3)
    again()
    rows = 4 + 2 * known
    ingest_again = dead_again = 0
    orders = schedules("M", _DEAD, "I", _INGEST)
    for schedule in orders if known else drawn(orders, 70):
        again()
        turns, _ = run_in_turns(schedule, M=lambda: remove_dead(bench.lake), I=bench.take_in)
        ingest_again += planned_again(turns, "I")
        dead_again += planned_again(turns, "M")
        assert len(bench.counting()["raw_logs"]) == rows, turns.taken
        remove_dead(bench.lake)
        assert bench.dead() == []
        assert len(bench.counting()["raw_logs"]) == rows, turns.taken
        assert bench.lake.snapshot(RAW_LOGS).rows == rows
    # In some orders the one had to give way, in some the other.
    assert ingest_again
    assert dead_again


def test_putting_together_beside_an_ingest(bench: Bench, again: Callable[[], None]) -> None:
    bench.many(_FILES)
    bench.land(_FILES)
    bench.land(0, lines=3)  # taken in before with two rows
    again()
    ingest_again = compact_again = 0
    for schedule in drawn(schedules("M", _COMPACT, "I", _INGEST), 100):
        again()
        turns, _ = run_in_turns(schedule, M=lambda: compact.compact(bench.lake), I=bench.take_in)
        ingest_again += planned_again(turns, "I")
        compact_again += turns.taken.count("M:commit") > 1
        counting = bench.counting()
        assert len(counting["raw_logs"]) == 2 * _FILES + 3, turns.taken
        assert len(counting["landed_files"]) == _FILES + 1, turns.taken
        remove_dead(bench.lake)
        assert bench.counting() == counting, turns.taken
        assert bench.parts("raw_logs") <= MOST_SMALL_PARTS
    assert ingest_again
    assert compact_again


def test_a_build_beside_a_maintenance_reads_all_rows_or_plans_again(
    bench: Bench, again: Callable[[], None]
) -> None:
    bench.many(_FILES)
    rows = 2 * _FILES
    again()

    def upkeep() -> None:
        compact.compact(bench.lake)
        remove_dead(bench.lake)

    def build() -> int | None:
        bench.lake.find(LANDED_FILES)  # in the order of `Lake.look`
        bench.lake.find(RAW_LOGS)
        try:
            raw = read_raw_logs(bench.spark, bench.lake, seen_ledger(bench.lake), [NOVEMBER])
            return raw.frame.count()
        except PlanChanged:
            return None

    seen = []
    for schedule in drawn(schedules("M", _BOTH, "B", 2), 100):
        again()
        turns, results = run_in_turns(schedule, M=upkeep, B=build)
        assert results["B"] in (rows, None), turns.taken
        seen.append(results["B"])
    assert rows in seen
    assert None in seen  # the ledger from before, the rows from after


def test_two_maintenances_and_an_ingest_at_once(bench: Bench, again: Callable[[], None]) -> None:
    bench.many(_FILES)
    bench.land(100)
    interrupted(bench)
    bench.land(101)
    again()

    def upkeep() -> compact.Compacted:
        done = compact.compact(bench.lake)
        remove_dead(bench.lake)
        return done

    for seed in range(40):
        again()
        order = list("M" * _BOTH + "N" * _BOTH + "I" * _INGEST)
        random.Random(seed).shuffle(order)
        turns, results = run_in_turns("".join(order), M=upkeep, N=upkeep, I=bench.take_in)
        assert [results[name].failed for name in "MN"] == [{}, {}], turns.taken
        counting = bench.counting()
        assert len(counting["raw_logs"]) == 2 * _FILES + 4, turns.taken
        upkeep()
        assert bench.counting() == counting, turns.taken
        assert bench.dead() == []
        assert bench.parts("raw_logs") <= MOST_SMALL_PARTS
