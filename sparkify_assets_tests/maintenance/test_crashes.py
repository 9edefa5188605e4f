"""A maintenance that is killed leaves every table as it was, and the next one completes it."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from sparkify_assets.ingest import ledger
from sparkify_assets.lake import log
from sparkify_assets.lake.lake import Lake
from sparkify_assets.lake.release import last_release
from sparkify_assets.maintenance import rewrite
from sparkify_assets.refresh.plan import make_plan
from sparkify_assets.storage.objects import FolderObjects
from sparkify_assets.tables import TABLES
from sparkify_assets_tests import processes
from sparkify_assets_tests.maintenance.bench import Bench
from sparkify_assets_tests.maintenance.test_dead import Crash, interrupted

_KILLS = 3


@pytest.fixture
def worn(bench: Bench) -> Bench:
    """A lake with everything that a maintenance looks for."""
    bench.many(12)
    for number in range(10):
        bench.zone.song(f"SO{number}")
        bench.take_in()
    bench.land(0, lines=3)
    bench.take_in()
    bench.world.run()
    bench.land(50)
    interrupted(bench)
    (bench.zone.root / "log_data/2018-11-050.json").unlink()
    return bench


@contextmanager
def killed_after(number: int) -> Iterator[list[str]]:
    """Ends a maintenance after so many things that it wrote or removed; what these were."""
    done: list[str] = []
    with pytest.MonkeyPatch.context() as patch:

        def counted(owner: Any, name: str) -> None:
            original = getattr(owner, name)

            def counting(*given: Any, **named: Any) -> Any:
                result = original(*given, **named)
                done.append(f"{name} {given[1] if owner is FolderObjects else given[1].name}")
                if len(done) == number:
                    raise Crash
                return result

            patch.setattr(owner, name, counting)

        counted(rewrite, "write_parts")
        counted(ledger, "write_parts")
        for name in ("put_new", "put", "delete"):
            counted(FolderObjects, name)
        yield done


def _forget() -> None:
    log._known.clear()
    ledger._latest.clear()


def lost(lake: Lake) -> list[str]:
    """Parts that the newest release names and that are not there."""
    return [
        part.path
        for name, version in last_release(lake).versions.items()
        for part in lake.snapshot_at(TABLES[name], version).parts
        if not Path(lake.table_location(TABLES[name]).uri, part.path).is_file()
    ]


def test_killed_after_whichever_step(worn: Bench, tmp_path: Path) -> None:
    tables, counting, rejects = worn.world.tables(), worn.counting(), worn.rejects()
    kept = tmp_path / "kept"
    shutil.copytree(tmp_path / "lake", kept)
    with killed_after(-1) as done:
        worn.maintain(grace_hours=0)
    steps = list(done)
    commits = [s for s in steps if s.startswith("put_new") and "checkpoint" not in s]
    # Months and songs put together, the fence, three tables from which rows are dropped, and
    # the release.
    assert len(commits) == 3 + 2 + 1 + 3 + 1
    assert sum(step.startswith("write_parts") for step in steps) >= 5
    assert sum("checkpoint" in step for step in steps) == 2 * 13
    few = {name: worn.parts(name) for name in ("raw_logs", "raw_songs", "rejects")}
    assert few == {"raw_logs": 1, "raw_songs": 1, "rejects": 1}
    # The checkpoints of thirteen tables are all alike, and so are their removals of files.
    for number in [*range(1, len(steps) - 36), *range(len(steps) - 36, len(steps) + 1, 5)]:
        shutil.rmtree(tmp_path / "lake")
        shutil.copytree(kept, tmp_path / "lake")
        _forget()
        with killed_after(number) as done, pytest.raises(Crash):
            worn.maintain(grace_hours=0)
        _forget()
        assert worn.world.tables() == tables, done
        assert worn.counting() == counting, done
        assert worn.rejects() == rejects, done
        assert lost(worn.world.lake) == [], done
        assert not make_plan(worn.world.settings()).needed
        report = worn.maintain(grace_hours=0)
        assert (report.postponed, report.failed) == ({}, {})
        assert {name: worn.parts(name) for name in few} == few, done
        assert worn.dead() == []
        assert worn.world.tables() == tables, done
        assert worn.counting() == counting, done
    worn.rebuild()
    assert worn.world.tables() == tables


def test_killed_at_any_moment(worn: Bench, tmp_path: Path) -> None:
    """As a process of its own, with a signal that it cannot hear."""
    tables, counting = worn.world.tables(), worn.counting()
    kept, lake = tmp_path / "kept", tmp_path / "lake"
    shutil.copytree(lake, kept)
    command = ("maintain", "--lake", str(lake), "--format", "json")
    started = time.monotonic()
    processes.finish(processes.start(*command, SPARKIFY_GRACE_HOURS="0"))
    seconds = time.monotonic() - started
    for kill in range(_KILLS):
        shutil.rmtree(lake)
        shutil.copytree(kept, lake)
        _forget()
        process = processes.start(*command, SPARKIFY_GRACE_HOURS="0")
        share = 0.7 + 0.3 * random.Random(kill).random()  # before that it starts up
        try:
            process.wait(timeout=seconds * share)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        assert worn.world.tables() == tables
        assert worn.counting() == counting
        report = processes.finish(processes.start(*command, SPARKIFY_GRACE_HOURS="0"))
        assert (report["postponed"], report["failed"]) == ({}, {})
        _forget()
        assert worn.parts("raw_logs") == 1
        assert worn.counting() == counting
