"""Removing files: never one that a reader or a writer may need."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest
from deltalake import DeltaTable

from sparkify_assets.errors import StorageError
from sparkify_assets.lake import checkpoint, commit, log
from sparkify_assets.lake.checkpoint_writer import put_checkpoint
from sparkify_assets.lake.commit import Stamp, checkpoint_newest, replace
from sparkify_assets.lake.lake import Lake
from sparkify_assets.lake.vacuum import LOG_HOURS, vacuum
from sparkify_assets.storage.objects import Entry, FolderObjects
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


def age_log(lake: Lake, hours: float) -> Path:
    """The folder of the log, with everything in it put so long ago."""
    folder = Path(lake.table_location(TIME).uri, "_delta_log")
    when = time.time() - hours * 3600
    for path in folder.iterdir():
        os.utime(path, (when, when))
    return folder


def versions(folder: Path) -> list[int]:
    return sorted(int(path.stem) for path in folder.glob("*.json"))


def test_versions_before_a_checkpoint_go_after_a_day(lake: Lake) -> None:
    for number in range(1, checkpoint.EVERY + 3):
        put(lake, lake.snapshot(TIME), number, "2018-11", [number])
    folder = age_log(lake, LOG_HOURS - 1)
    assert vacuum(lake, TIME, grace_hours=0).log == []
    age_log(lake, LOG_HOURS + 1)
    assert vacuum(lake, TIME, grace_hours=LOG_HOURS + 2).log == []
    assert vacuum(lake, TIME, grace_hours=0).log
    assert versions(folder) == [10, 11, 12]
    log._known.clear()
    assert content(lake) == [(11, 12)]


def test_no_version_is_put_again_that_was_removed(lake: Lake) -> None:
    base = put(lake, lake.snapshot(TIME), 1, "2018-11", [1])
    long_ago, other = dict(log._known), parts(lake, "2018-12", 2)
    for number in range(2, checkpoint.EVERY + 3):
        put(lake, lake.snapshot(TIME), number, "2018-11", [number])
    folder = age_log(lake, LOG_HOURS + 1)
    vacuum(lake, TIME, grace_hours=0)
    # A process that slept for a day, with what it knew then.
    log._known.update(long_ago)
    log._looked[lake.table_location(TIME).uri] = time.time() - LOG_HOURS * 3600
    replace(lake, base, other, {"2018-12": Stamp(1)})
    assert versions(folder) == [10, 11, 12, 13]
    assert content(lake) == [(11, 12), (12, 2)]


def test_a_checkpoint_does_not_name_what_is_gone(lake: Lake) -> None:
    for number in (1, 2, 3):
        put(lake, lake.snapshot(TIME), number, "2018-11", [number])
    (first, second) = lake.snapshot(TIME).state.removed
    Path(lake.table_location(TIME).uri, first).unlink()  # by another process, earlier
    done = vacuum(lake, TIME, grace_hours=1)
    assert done.gone == {first}
    checkpoint_newest(lake, TIME)
    log._known.clear()
    assert set(lake.snapshot(TIME).state.removed) == {second}
    assert vacuum(lake, TIME, grace_hours=0).gone == {second}
    put(lake, lake.snapshot(TIME), 4, "2018-12", [4])
    checkpoint_newest(lake, TIME)
    log._known.clear()
    assert lake.snapshot(TIME).state.removed == {}
    assert content(lake) == [(11, 3), (12, 4)]


def test_a_checkpoint_is_never_replaced_while_somebody_may_read_it(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Readers fetch its end and then its columns; of two different ones they would get neither."""
    monkeypatch.setattr(checkpoint, "EVERY", 2)
    for number in (1, 2):
        put(lake, lake.snapshot(TIME), number, "2018-11", [number])
    log_folder = Path(lake.table_location(TIME).uri, "_delta_log")
    [path] = log_folder.glob("*.checkpoint.parquet")
    before = path.read_bytes()
    vacuum(lake, TIME, grace_hours=0)  # now there is less to say
    assert not checkpoint_newest(lake, TIME)
    snapshot = lake.snapshot(TIME)
    commit._write_checkpoint(snapshot.location, snapshot.state)  # as a process that comes second
    assert path.read_bytes() == before
    assert checkpoint.checkpoint(snapshot.state, (1, 2)) != before
    log._known.clear()
    assert content(lake) == [(11, 2)]
    assert DeltaTable(snapshot.location.uri).version() == 2


@pytest.mark.parametrize("lost", ["reply", "pointer"])
def test_a_checkpoint_without_its_pointer_is_found_when_the_log_before_it_is_gone(
    lake: Lake, monkeypatch: pytest.MonkeyPatch, lost: str
) -> None:
    right_new, right = FolderObjects.put_new, FolderObjects.put

    def put_new(self: FolderObjects, key: str, content: bytes) -> Entry:
        made = right_new(self, key, content)
        if key.endswith(".checkpoint.parquet"):
            raise StorageError("the reply was lost")
        return made

    def put_pointer(self: FolderObjects, key: str, content: bytes, kind: str | None = None) -> None:
        if key.endswith("_last_checkpoint"):
            raise StorageError("no pointer")
        right(self, key, content, kind)

    for number in range(1, checkpoint.EVERY):
        put(lake, lake.snapshot(TIME), number, "2018-11", [number])
    with monkeypatch.context() as faults:
        if lost == "reply":
            faults.setattr(FolderObjects, "put_new", put_new)
        else:
            faults.setattr(FolderObjects, "put", put_pointer)
        put(lake, lake.snapshot(TIME), 10, "2018-11", [10])
    folder = age_log(lake, LOG_HOURS + 1)
    assert (folder / "_last_checkpoint").exists() is (lost == "reply")
    put(lake, lake.snapshot(TIME), 11, "2018-11", [11])
    assert vacuum(lake, TIME, grace_hours=0).log
    assert versions(folder)[0] == 10
    log._known.clear()
    assert content(lake) == [(11, 11)]
    assert DeltaTable(str(folder.parent)).version() == 11
    # The next maintenance writes one of the newest version, and points to that.
    assert checkpoint_newest(lake, TIME)
    assert checkpoint.pointed_at((folder / "_last_checkpoint").read_bytes()) == 11


def test_a_missing_pointer_is_put_again_and_never_goes_back(lake: Lake) -> None:
    put(lake, lake.snapshot(TIME), 1, "2018-11", [1])
    old = lake.snapshot(TIME)
    put(lake, old, 2, "2018-11", [2])
    assert checkpoint_newest(lake, TIME)
    pointer = Path(lake.table_location(TIME).uri, "_delta_log", "_last_checkpoint")
    before = pointer.read_bytes()
    pointer.unlink()
    assert not checkpoint_newest(lake, TIME)
    assert pointer.read_bytes() == before
    put_checkpoint(old.location, old.state)  # by a process that was slow
    assert pointer.read_bytes() == before
    pointer.write_text(json.dumps({"version": 99, "size": 1}))  # of which there is no checkpoint
    assert not checkpoint_newest(lake, TIME)
    assert pointer.read_bytes() == before


def test_a_checkpoint_of_another_log_does_not_stand_for_this_one(
    lake: Lake, caplog: pytest.LogCaptureFixture
) -> None:
    """As after a table was rolled back by hand: the version is made a second time."""
    put(lake, lake.snapshot(TIME), 1, "2018-11", [1])
    put(lake, lake.snapshot(TIME), 2, "2018-11", [2])
    assert checkpoint_newest(lake, TIME)
    folder = Path(lake.table_location(TIME).uri, "_delta_log")
    (folder / f"{2:020d}.json").unlink()
    (folder / "_last_checkpoint").unlink()
    kept = (folder / f"{2:020d}.checkpoint.parquet").read_bytes()
    (folder / f"{2:020d}.checkpoint.parquet").unlink()
    log._known.clear()
    put(lake, lake.snapshot(TIME), 3, "2018-11", [3])
    (folder / f"{2:020d}.checkpoint.parquet").write_bytes(kept)
    snapshot = lake.snapshot(TIME)
    assert snapshot.version == 2
    put_checkpoint(snapshot.location, snapshot.state)
    assert "is of another log" in caplog.text
    log._known.clear()
    assert content(lake) == [(11, 3)]
