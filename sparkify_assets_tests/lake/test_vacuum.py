"""Removing files: never one that a reader or a writer may need."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest

from sparkify_assets.lake.commit import Stamp, replace
from sparkify_assets.lake.lake import Lake
from sparkify_assets.lake.vacuum import vacuum
from sparkify_assets.storage.objects import FolderObjects
from sparkify_assets.tables import TIME
from sparkify_assets_tests.lake.helpers import content, parts, put


def files(lake: Lake) -> set[str]:
    root = Path(lake.table_location(TIME).uri)
    return {str(path.relative_to(root)) for path in root.rglob("*.parquet")}


def test_replaced_files_stay_for_the_grace_period(lake: Lake) -> None:
    put(lake, lake.snapshot(TIME), 1, "2018-11", [1])
    reader = lake.snapshot(TIME)
    put(lake, lake.snapshot(TIME), 2, "2018-11", [2])
    version = lake.snapshot(TIME).version
    assert vacuum(lake, TIME, grace_hours=1).replaced == []
    assert reader.read(["day"])["day"].to_pylist() == [1]

    replaced = reader.parts[0].path
    assert vacuum(lake, TIME, grace_hours=0, dry_run=True).replaced == [replaced]
    assert replaced in files(lake)
    assert vacuum(lake, TIME, grace_hours=0).replaced == [replaced]
    assert files(lake) == {part.path for part in lake.snapshot(TIME).parts}
    assert content(lake) == [(11, 2)]
    assert lake.snapshot(TIME).version == version


def test_a_part_that_is_being_written_is_not_removed_and_can_be_committed(lake: Lake) -> None:
    written = parts(lake, "2018-11", 1)
    done = vacuum(lake, TIME, grace_hours=0)
    assert (done.replaced, done.orphans) == ([], [])
    replace(lake, lake.snapshot(TIME), written, {"2018-11": Stamp(1)})
    assert content(lake) == [(11, 1)]


def test_parts_that_were_never_committed_are_removed_after_a_day(lake: Lake) -> None:
    put(lake, lake.snapshot(TIME), 1, "2018-11", [1])
    orphan = parts(lake, "2018-12", 2)[0].path
    path = Path(lake.table_location(TIME).uri, orphan)
    young, old = time.time() - 23 * 3600, time.time() - 25 * 3600
    os.utime(path, (young, young))
    assert vacuum(lake, TIME, grace_hours=0).orphans == []
    os.utime(path, (old, old))
    done = vacuum(lake, TIME, grace_hours=0)
    assert done.orphans == [orphan]
    assert done.size > 0
    assert content(lake) == [(11, 1)]


def test_two_runs_may_remove_the_same_files(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    put(lake, lake.snapshot(TIME), 1, "2018-11", [1])
    put(lake, lake.snapshot(TIME), 2, "2018-11", [2])
    remove = FolderObjects.delete

    def another_first(*given: Any) -> None:
        remove(*given)
        remove(*given)

    monkeypatch.setattr(FolderObjects, "delete", another_first)
    assert len(vacuum(lake, TIME, grace_hours=0).replaced) == 1
    assert content(lake) == [(11, 2)]
