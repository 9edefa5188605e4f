"""Releases: numbered, found by time, and nothing that they need is removed."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sparkify_assets.errors import LakeError
from sparkify_assets.lake import checkpoint
from sparkify_assets.lake.commit import checkpoint_newest
from sparkify_assets.lake.lake import Lake
from sparkify_assets.lake.release import (
    RELEASES,
    Release,
    forget_releases,
    last_release,
    newest_release,
    record_release,
    release_at,
    releases,
)
from sparkify_assets.lake.vacuum import LOG_HOURS, vacuum
from sparkify_assets.tables import TIME
from sparkify_assets_tests.lake.helpers import put


def record(lake: Lake) -> Release:
    """A release of `time` as it is now."""
    return record_release(lake, newest_release(lake), {"time": lake.snapshot(TIME).version})


def days(lake: Lake, release: Release) -> list[int]:
    """The days in `time`, read as of a release."""
    return list(lake.snapshot_at(TIME, release.versions["time"]).read(["day"])["day"].to_pylist())


def make_older(lake: Lake, release: Release, hours: float) -> None:
    """Let a release look as if it had been recorded some hours before."""
    path = Path(lake.location.uri, RELEASES, f"{release.number:020d}.json")
    then = time.time() - hours * 3600
    text = path.read_text().replace(str(release.recorded_at), str(int(then * 1000)))
    path.write_text(text)
    os.utime(path, (then, then))


def test_releases_are_numbered_and_the_newest_is_read(lake: Lake) -> None:
    assert newest_release(lake) is None
    with pytest.raises(LakeError, match="no release to read from yet; `sparkify run` records one"):
        last_release(lake)
    first, second = record(lake), record(lake)
    assert (first.number, second.number) == (1, 2)
    assert last_release(lake) == second
    assert releases(lake) == [first, second]


def test_what_a_release_names_is_on_the_disk_before_it(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also what another process has put and not synced yet."""
    done: list[str] = []
    fsync, link = os.fsync, os.link

    def synced(opened: int) -> None:
        done.append(Path(f"/proc/self/fd/{opened}").readlink().name)
        fsync(opened)

    def linked(aside: str, path: Path) -> None:
        done.append(f"put {path.name}")
        link(aside, path)

    version = lake.snapshot(TIME).version
    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(os, "link", linked)
    record(lake)
    before = done[: done.index(f"put {1:020d}.json")]
    assert {f"{version:020d}.json", "_delta_log", "time"} <= set(before)


def test_of_two_that_record_at_once_one_is_told(lake: Lake) -> None:
    record(lake)
    before = newest_release(lake)
    record_release(lake, before, {"time": 0})
    with pytest.raises(FileExistsError):
        record_release(lake, before, {"time": 0})


def test_a_release_is_found_by_time(lake: Lake) -> None:
    first, second = record(lake), record(lake)
    make_older(lake, first, hours=2)
    now = datetime.now(UTC) + timedelta(seconds=1)  # two in one millisecond are told apart
    assert release_at(lake, now).number == second.number
    assert release_at(lake, now - timedelta(hours=1)).number == first.number
    with pytest.raises(LakeError, match=r"is kept: the oldest is release 1 of .*GRACE_HOURS"):
        release_at(lake, now - timedelta(hours=3))


def test_every_version_can_be_read_with_and_without_checkpoints(lake: Lake) -> None:
    expected: dict[int, list[int]] = {0: []}
    for number in range(1, 2 * checkpoint.EVERY + 3):
        expected[number] = [number % 28 + 1]
        put(lake, lake.snapshot(TIME), number, "2018-11", expected[number])
    for version, found in expected.items():
        assert lake.snapshot_at(TIME, version).read(["day"])["day"].to_pylist() == found
    with pytest.raises(LakeError, match="version 99 is no longer there"):
        lake.snapshot_at(TIME, 99)


def test_the_newest_release_keeps_its_files_however_old_it_is(lake: Lake) -> None:
    put(lake, lake.snapshot(TIME), 1, "2018-11", [1])
    old = record(lake)
    put(lake, lake.snapshot(TIME), 2, "2018-11", [2])
    put(lake, lake.snapshot(TIME), 3, "2018-11", [3])
    make_older(lake, old, hours=1000)
    assert forget_releases(lake, grace_hours=0) == 0
    assert vacuum(lake, TIME, grace_hours=0).replaced == []
    assert days(lake, old) == [1]
    new = record(lake)
    # What only lay in between goes with the older release.
    assert len(vacuum(lake, TIME, grace_hours=0).replaced) == 2
    assert forget_releases(lake, grace_hours=0) == 1
    assert releases(lake) == [new]
    assert days(lake, new) == [3]


def test_a_release_is_kept_for_the_grace_period_after_the_next(lake: Lake) -> None:
    put(lake, lake.snapshot(TIME), 1, "2018-11", [1])
    old = record(lake)
    put(lake, lake.snapshot(TIME), 2, "2018-11", [2])
    make_older(lake, old, hours=1000)
    new = record(lake)
    make_older(lake, new, hours=0.9)
    assert forget_releases(lake, grace_hours=1) == 0
    # Replaced long ago, by the log; but readers of the older release may be under way.
    assert vacuum(lake, TIME, grace_hours=1).replaced == []
    assert days(lake, old) == [1]
    make_older(lake, new, hours=1.1)
    assert forget_releases(lake, grace_hours=1, dry_run=True) == 1
    assert forget_releases(lake, grace_hours=1) == 1
    assert len(vacuum(lake, TIME, grace_hours=0).replaced) == 1


def test_files_stay_also_when_the_log_has_forgotten_that_they_were_replaced(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(lake, lake.snapshot(TIME), 1, "2018-11", [1])
    old = record(lake)
    put(lake, lake.snapshot(TIME), 2, "2018-11", [2])
    monkeypatch.setattr(checkpoint, "_KEEP_REMOVED_MS", -3_600_000)
    assert checkpoint_newest(lake, TIME)
    monkeypatch.setattr("sparkify_assets.lake.log._known", {})
    assert lake.snapshot(TIME).state.removed == {}
    for path in Path(lake.table_location(TIME).uri).rglob("*.parquet"):
        os.utime(path, (0, 0))
    found = vacuum(lake, TIME, grace_hours=0)
    assert (found.replaced, found.orphans) == ([], [])
    assert days(lake, old) == [1]


def test_versions_of_the_log_stay_that_a_release_begins_with(lake: Lake) -> None:
    every = checkpoint.EVERY
    for number in range(1, every + 3):
        put(lake, lake.snapshot(TIME), number, "2018-11", [number])
    old = record(lake)
    for number in range(every + 3, 2 * every + 3):
        put(lake, lake.snapshot(TIME), number, "2018-11", [number])
    long_ago = time.time() - (LOG_HOURS + 1) * 3600
    for path in Path(lake.table_location(TIME).uri, "_delta_log").iterdir():
        os.utime(path, (long_ago, long_ago))
    assert len(vacuum(lake, TIME, grace_hours=0).log) == every
    assert days(lake, old) == [every + 2]
    record(lake)
    assert vacuum(lake, TIME, grace_hours=0).log
    assert days(lake, last_release(lake)) == [2 * every + 2]
