"""Removing files that nobody can need any more.

Three kinds: files that were replaced, after a grace period for readers under way; files that no
commit ever named (left over by interrupted runs), after a day; versions of the log that a
checkpoint has made unnecessary, after a day. No commit names a part older than half a day, or
follows a version that was seen longer ago, so nothing that is being written is lost. What the
newest release needs stays, however old it is.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, field
from pathlib import Path

from sparkify_assets.errors import LakeError, StorageError
from sparkify_assets.lake.commit import MAX_PART_AGE_HOURS
from sparkify_assets.lake.lake import Lake
from sparkify_assets.lake.layout import check_writer
from sparkify_assets.lake.log import CHECKPOINT, LOG, LogState, checkpoint_key, forget
from sparkify_assets.lake.release import oldest_kept
from sparkify_assets.storage.objects import Entry, objects
from sparkify_assets.tables import Table

_log = logging.getLogger(__name__)
ORPHAN_HOURS = 24
LOG_HOURS = 24
# The rules that keep what is being written safe: a version that was removed could be put again.
assert min(ORPHAN_HOURS, LOG_HOURS) > MAX_PART_AGE_HOURS  # noqa: S101


@dataclass
class Vacuumed:
    """What was removed from one table (or would be): paths relative to it, and bytes.

    Attributes:
        gone: what the log tells as replaced, and is no longer there.
    """

    replaced: list[str] = field(default_factory=list)
    orphans: list[str] = field(default_factory=list)
    log: list[str] = field(default_factory=list)
    gone: set[str] = field(default_factory=set)
    size: int = 0


def vacuum(lake: Lake, table: Table, grace_hours: int, *, dry_run: bool = False) -> Vacuumed:
    """Remove replaced files after `grace_hours`, files without a commit after a day.

    Changes no version of the table; a snapshot older than the grace period cannot be read
    afterwards.

    Raises:
        LakeError: this version must not write the table.
    """
    location = lake.table_location(table)
    source = objects(location)
    # What was removed before the listing and is not in it is gone.
    before = lake.last_seen(table).state.removed
    # Listed before the log is read: what is committed in between is not taken for left over.
    found = source.list()
    state = lake.snapshot(table).state
    check_writer(state, location)
    now = time.time_ns() // 1_000_000
    done = Vacuumed()
    pinned = _pinned(lake, table, grace_hours)
    for entry in found:
        age_hours = (now - entry.modified) / 3_600_000
        if entry.key in state.parts or entry.key.startswith(f"{LOG}/"):
            continue
        if pinned is not None and entry.key in pinned.parts:
            continue
        if entry.key in state.removed:
            if now - state.removed[entry.key] < grace_hours * 3_600_000:
                continue
            if pinned is not None and entry.key not in pinned.removed:
                continue  # a release that is still read was recorded before
            done.replaced.append(entry.key)
        elif age_hours > ORPHAN_HOURS and entry.key.endswith(".parquet"):
            done.orphans.append(entry.key)
        else:
            continue
        done.size += entry.size
    done.log = _old_log(found, now, state if pinned is None else pinned, grace_hours)
    if not dry_run:
        source.delete([*done.replaced, *done.orphans, *done.log])
        done.gone = before.keys() & state.removed.keys() - {entry.key for entry in found}
        done.gone |= set(done.replaced)
        forget(location, done.gone)
    return done


def tidy(lake: Lake, table: Table, grace_hours: int) -> None:
    """`vacuum`, if files were replaced longer ago than `grace_hours`; else looks at no file."""
    before = time.time_ns() // 1_000_000 - grace_hours * 3_600_000
    if any(when <= before for when in lake.last_seen(table).state.removed.values()):
        vacuum(lake, table, grace_hours)


def _pinned(lake: Lake, table: Table, grace_hours: int) -> LogState | None:
    """The table in the oldest release that may still be read: what was there then stays."""
    release = oldest_kept(lake, grace_hours)
    if release is None or table.name not in release.versions:
        return None
    try:
        return lake.snapshot_at(table, release.versions[table.name]).state
    except StorageError:
        raise
    except LakeError as error:
        # A table that was restored or made anew. Nothing is known of what was replaced since.
        _log.warning("%s: %s; replaced files stay until the next release", table.name, error)
        return LogState()


def _old_log(found: list[Entry], now: int, oldest: LogState, grace_hours: int) -> list[str]:
    """Versions before the checkpoint that the oldest state still needed begins with."""
    checkpoints = [
        entry.key
        for entry in found
        if entry.key.endswith(CHECKPOINT) and entry.key <= checkpoint_key(oldest.version)
    ]
    if not checkpoints:
        return []
    old = now - max(LOG_HOURS, grace_hours) * 3_600_000
    first = f"{LOG}/{Path(checkpoints[-1]).name.removesuffix(CHECKPOINT)}"
    return [
        entry.key
        for entry in found
        if entry.key.startswith(f"{LOG}/0") and entry.modified < old and entry.key < first
    ]
