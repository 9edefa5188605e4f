"""Removing files that nobody can need any more.

Two kinds: files that were replaced, after a grace period for readers under way; and files that
no commit ever named (left over by interrupted runs), after a day. No commit names a part older
than half a day, so nothing that is being written is lost.
"""

from __future__ import annotations

import datetime as dt
from contextlib import suppress
from dataclasses import dataclass, field

import pyarrow.fs as pafs

from sparkify_assets.lake.commit import MAX_PART_AGE_HOURS
from sparkify_assets.lake.lake import Lake
from sparkify_assets.tables import Table

ORPHAN_HOURS = 24
assert ORPHAN_HOURS > MAX_PART_AGE_HOURS  # noqa: S101 -- the rule that keeps both safe


@dataclass
class Vacuumed:
    """What was removed from one table (or would be): paths relative to it, and bytes."""

    replaced: list[str] = field(default_factory=list)
    orphans: list[str] = field(default_factory=list)
    size: int = 0


def vacuum(lake: Lake, table: Table, grace_hours: int, *, dry_run: bool = False) -> Vacuumed:
    """Remove replaced files after `grace_hours`, and files without a commit after a day.

    Changes no version of the table; a snapshot older than the grace period cannot be read
    afterwards.
    """
    snapshot = lake.snapshot(table)
    filesystem = pafs.SubTreeFileSystem(snapshot.location.path, snapshot.location.filesystem())

    def unneeded(*, full: bool) -> list[str]:
        # Only listed here: delta-rs would also remove what another writer is just writing.
        return snapshot.delta.vacuum(
            retention_hours=grace_hours, enforce_retention_duration=False, dry_run=True, full=full
        )

    done = Vacuumed()
    replaced = set(unneeded(full=False))
    oldest = dt.datetime.now(dt.UTC) - dt.timedelta(hours=ORPHAN_HOURS)
    for info in filesystem.get_file_info(sorted(replaced | set(unneeded(full=True)))):
        if info.type != pafs.FileType.File:
            continue
        if info.path in replaced:
            done.replaced.append(info.path)
        elif info.mtime < oldest:
            done.orphans.append(info.path)
        else:
            continue
        done.size += info.size
        if not dry_run:
            _remove(filesystem, info.path)
    return done


def _remove(filesystem: pafs.FileSystem, path: str) -> None:
    with suppress(FileNotFoundError):  # another run removes the same files
        filesystem.delete_file(path)
