"""One whole maintenance, in the order in which each step makes work for the next.

The command line and Dagster's job both call `maintain`. It needs no engine.
"""

from __future__ import annotations

import time
from collections.abc import Collection

from sparkify_assets.errors import PlanChanged
from sparkify_assets.lake.commit import checkpoint_newest
from sparkify_assets.lake.lake import Lake
from sparkify_assets.lake.release import forget_releases
from sparkify_assets.lake.vacuum import vacuum
from sparkify_assets.maintenance.batches import RAW_TABLES, parts_in
from sparkify_assets.maintenance.compact import compact
from sparkify_assets.maintenance.dead import remove_dead
from sparkify_assets.maintenance.report import Maintained, TableUpkeep, watched
from sparkify_assets.refresh.publish import publish
from sparkify_assets.refresh.steps import Watcher
from sparkify_assets.tables import LANDED_FILES, TABLES, Table

DEAD = "remove dead rows"
CHECKPOINTS = "write checkpoints"
RELEASE = "record a release"
VACUUM = "remove files"


def maintain(
    lake: Lake,
    grace_hours: int,
    months: Collection[str],
    *,
    dry_run: bool = False,
    watch: Watcher = lambda _step: None,
) -> Maintained:
    """Put small raw parts together, remove dead rows, remove files, write checkpoints.

    May be killed at any moment, and may go on beside runs, readers and other maintenances. Tables
    that are not there yet are passed over.

    Args:
        grace_hours: how long replaced files stay for readers under way.
        months: the configured ones, for the release at the end.
        dry_run: tell what would be done, and change nothing.
        watch: told of each step as it starts and ends.

    Raises:
        LakeError, StorageError: the lake cannot be read or written.
    """
    started = time.monotonic()
    report = Maintained(dry_run)
    lake.check_tables()
    tables = [table for table in TABLES.values() if lake.find(table) is not None]
    lake.check_writers()
    for table in tables:
        report.tables[table.name] = _before(lake, table)
    if all(table in tables for table in (*RAW_TABLES, LANDED_FILES)):
        _compact(lake, report, watch)
    with watched(watch, RELEASE):
        if not dry_run:
            # Rows stand in other parts now: the old ones are kept as long as a release names them.
            report.not_released = publish(lake, months).why_not
    with watched(watch, VACUUM):
        report.releases_removed = forget_releases(lake, grace_hours, dry_run=dry_run)
        for table in tables:
            _vacuum(lake, table, grace_hours, report)
    with watched(watch, CHECKPOINTS):
        for table in tables:
            made = checkpoint_newest(lake, table, dry_run=dry_run)
            report.tables[table.name].checkpoint = made
    for table in tables:
        _note_after(lake, table, report.tables[table.name])
    report.seconds = round(time.monotonic() - started, 2)
    return report


def _compact(lake: Lake, report: Maintained, watch: Watcher) -> None:
    compacted = compact(lake, dry_run=report.dry_run, watch=watch)
    report.postponed |= compacted.postponed
    report.failed |= compacted.failed
    for name, batches in compacted.batches.items():
        report.tables[name].batches_compacted = len(batches)
    with watched(watch, DEAD) as step:
        try:
            dead = remove_dead(lake, dry_run=report.dry_run)
        except PlanChanged as change:
            report.postponed[DEAD] = str(change)
            step.state = "skipped"
            return
    for table in RAW_TABLES:
        merged, one = compacted.batches.get(table.name, set()), report.tables[table.name]
        parts = parts_in([b for b in dead if (b.scope, b.batch) not in merged], table)
        one.dead_files = len(parts)
        one.dead_rows = sum(part.rows for part in parts)
        one.dead_bytes = sum(part.size for part in parts)


def _vacuum(lake: Lake, table: Table, grace_hours: int, report: Maintained) -> None:
    done, one = vacuum(lake, table, grace_hours, dry_run=report.dry_run), report.tables[table.name]
    one.replaced, one.left_over, one.old_log = len(done.replaced), len(done.orphans), len(done.log)
    one.removed_bytes = done.size


def _before(lake: Lake, table: Table) -> TableUpkeep:
    found = lake.last_seen(table)
    return TableUpkeep(
        files_before=len(found.parts), rows_before=found.rows, bytes_before=found.size
    )


def _note_after(lake: Lake, table: Table, one: TableUpkeep) -> None:
    found = lake.last_seen(table)
    one.files_after, one.rows_after, one.bytes_after = len(found.parts), found.rows, found.size
