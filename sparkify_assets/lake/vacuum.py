"""Removing files that nobody can need any more.

Three kinds: files that were replaced, after a grace period for readers under way; files that no
commit ever named (left over by interrupted runs), after a day; commits of the log that a
checkpoint has long made unnecessary. No commit names a part older than half a day, so nothing that
is being written is lost.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from sparkify_assets.lake.checkpoint import LAST_CHECKPOINT
from sparkify_assets.lake.commit import MAX_PART_AGE_HOURS
from sparkify_assets.lake.lake import Lake
from sparkify_assets.lake.log import LOG
from sparkify_assets.storage.objects import Entry, objects
from sparkify_assets.tables import Table

ORPHAN_HOURS = 24
LOG_HOURS = 30 * 24
assert ORPHAN_HOURS > MAX_PART_AGE_HOURS  # noqa: S101 -- the rule that keeps both safe


@dataclass
class Vacuumed:
    """What was removed from one table (or would be): paths relative to it, and bytes."""

    replaced: list[str] = field(default_factory=list)
    orphans: list[str] = field(default_factory=list)
    log: list[str] = field(default_factory=list)
    size: int = 0


def vacuum(lake: Lake, table: Table, grace_hours: int, *, dry_run: bool = False) -> Vacuumed:
    """Remove replaced files after `grace_hours`, files without a commit after a day.

    Changes no version of the table; a snapshot older than the grace period cannot be read
    afterwards.
    """
    location = lake.table_location(table)
    source = objects(location)
    # Listed before the log is read: what is committed in between is not taken for left over.
    found = source.list()
    state = lake.snapshot(table).state
    now = time.time_ns() // 1_000_000
    done = Vacuumed()
    for entry in found:
        age_hours = (now - entry.modified) / 3_600_000
        if entry.key in state.parts or entry.key.startswith(f"{LOG}/"):
            continue
        if entry.key in state.removed:
            if now - state.removed[entry.key] < grace_hours * 3_600_000:
                continue
            done.replaced.append(entry.key)
        elif age_hours > ORPHAN_HOURS and entry.key.endswith(".parquet"):
            done.orphans.append(entry.key)
        else:
            continue
        done.size += entry.size
    done.log = _old_log(found, now, lambda: source.get(f"{LOG}/{LAST_CHECKPOINT}"))
    if not dry_run:
        source.delete([*done.replaced, *done.orphans, *done.log])
    return done


def tidy(lake: Lake, table: Table, grace_hours: int) -> None:
    """`vacuum`, if files were replaced longer ago than `grace_hours`; else looks at no file."""
    before = time.time_ns() // 1_000_000 - grace_hours * 3_600_000
    if any(when <= before for when in lake.last_seen(table).state.removed.values()):
        vacuum(lake, table, grace_hours)


def _old_log(found: list[Entry], now: int, last_checkpoint: Callable[[], bytes]) -> list[str]:
    old = [
        entry.key
        for entry in found
        if entry.key.startswith(f"{LOG}/0") and now - entry.modified > LOG_HOURS * 3_600_000
    ]
    if not old or not any(entry.key == f"{LOG}/{LAST_CHECKPOINT}" for entry in found):
        return []
    version = int(json.loads(last_checkpoint())["version"])
    return [key for key in old if key < f"{LOG}/{version:020d}"]
