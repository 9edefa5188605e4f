"""Making parts visible: the only place that writes to a Delta log.

`replace` exchanges whole partitions of a table, `append` adds parts, `drop` takes parts away and
`restamp` changes stamps alone. Each either lands whole or leaves the table as it was. The rules
behind them:

- A version of the log is an object that exactly one writer can put. A replacement carries one
  application transaction per partition, its stamp.
- Whoever comes second looks at what the first one did. Where the own partitions are still as they
  were (stamp, when it was put, and parts, so also where they are empty), the same actions become
  the next version; where not, the work has to be planned again.
- An error from a commit is no proof that it did not land. Each commit carries an id of its own,
  looked up in the log before anything else is done about an error.
- Parts are checked before they are named: whoever reads the log checks nothing. In a folder they
  are on the disk by then, and a commit is when it returns.
- Columns that were declared since the table was made are added to it by the commit itself.
"""

from __future__ import annotations

import json
import logging
import random
import time
import uuid
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from sparkify_assets.errors import LakeError, PlanChanged
from sparkify_assets.lake import checkpoint
from sparkify_assets.lake.actions import Action
from sparkify_assets.lake.checkpoint_writer import mend_checkpoint, put_checkpoint
from sparkify_assets.lake.lake import Lake
from sparkify_assets.lake.layout import check_writer, widened
from sparkify_assets.lake.log import (
    COMMIT_ID,
    LogState,
    StoredPart,
    checkpoint_key,
    commit_key,
    known_log,
    write_log,
)
from sparkify_assets.lake.part import Part
from sparkify_assets.lake.snapshot import Snapshot, stamp_id
from sparkify_assets.storage.location import Location
from sparkify_assets.storage.objects import entry_of, objects
from sparkify_assets.tables import Table

MAX_PART_AGE_HOURS = 12
_ATTEMPTS = 60
_LONGEST_PAUSE_SECONDS = 1.0
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Stamp:
    """What is recorded with the replacement of one partition.

    Attributes:
        fingerprint: of what it was made from (see `freshness`); for the ledger, a counter.
        more: other numbers about it, by their kind, such as `content`, the hash of its rows.
    """

    fingerprint: int
    more: Mapping[str, int] = field(default_factory=dict)


def replace(
    lake: Lake, base: Snapshot, parts: Sequence[Part], stamps: Mapping[str, Stamp]
) -> Snapshot:
    """Exchange the content of the partitions named by `stamps` for `parts`, in one commit.

    A partition without parts becomes empty.

    Args:
        base: the version that the work was planned from.
        stamps: by partition key.

    Returns:
        The table as it is after the commit.

    Raises:
        PlanChanged: somebody else replaced one of these partitions since `base`.
        LakeError: the parts do not fit the table or are gone, or the commit failed.
    """
    _check_parts(base.table, parts, stamps)
    _settle(base.location, parts)
    named = _named(base.table, stamps)
    additions = [_addition(part) for part in parts]

    def actions(current: Snapshot) -> list[Action]:
        _check_unchanged(base, current, stamps)
        return [*named, *_removals(current.parts_of(stamps)), *additions]

    return _commit(lake, base, actions)


def restamp(lake: Lake, base: Snapshot, stamps: Mapping[str, Stamp]) -> Snapshot:
    """Record stamps for partitions whose rows stay as they are, in one commit.

    Whoever planned to replace one of these partitions from an older version plans again.

    Args:
        base: the version that the stamps were made from.

    Raises:
        PlanChanged: somebody else replaced one of these partitions since `base`.
        LakeError: the commit failed.
    """
    named = _named(base.table, stamps)

    def actions(current: Snapshot) -> list[Action]:
        _check_unchanged(base, current, stamps)
        return named

    return _commit(lake, base, actions)


def append(lake: Lake, table: Table, parts: Sequence[Part]) -> None:
    """Add parts to a table in one commit; nothing is done where there are none.

    Raises:
        LakeError: the parts do not fit the table or are gone, or the commit failed.
    """
    if not parts:
        return
    _check_parts(table, parts, None)
    _settle(lake.table_location(table), parts)
    additions = [_addition(part) for part in parts]
    _commit(lake, lake.last_seen(table), lambda _current: additions)


def drop(lake: Lake, table: Table, paths: Collection[str]) -> Snapshot:
    """Take parts away in one commit; those that are gone already are passed over.

    The files stay for readers under way until `vacuum` removes them.

    Raises:
        LakeError: the commit failed.
    """
    wanted = set(paths)

    def actions(current: Snapshot) -> list[Action]:
        return _removals(part for part in current.parts if part.path in wanted)

    return _commit(lake, lake.last_seen(table), actions)


def checkpoint_newest(lake: Lake, table: Table, *, dry_run: bool = False) -> bool:
    """Write a checkpoint of a table's newest version, if that has none.

    Returns:
        Whether there was a reason.

    Raises:
        LakeError: this version must not write the table.
        StorageError, OSError: it could not be written; the table is as good as before.
    """
    snapshot = lake.snapshot(table)
    check_writer(snapshot.state, snapshot.location)
    key = checkpoint_key(snapshot.version)
    there = entry_of(objects(snapshot.location), key) is not None
    if not dry_run:  # who wrote the one that is there may have been killed before the pointer
        (mend_checkpoint if there else put_checkpoint)(snapshot.location, snapshot.state)
    return not there


def _commit(lake: Lake, base: Snapshot, actions: Callable[[Snapshot], list[Action]]) -> Snapshot:
    """Make these actions the table's next version, from whichever version is then the newest."""
    table, location = base.table, base.location
    commit_id = uuid.uuid4().hex
    # Whoever was quicker is noticed when the version is put; there is no need to look before. Only
    # what came after a version seen long ago may be removed already, and could be put once more.
    known = known_log(location, MAX_PART_AGE_HOURS)
    current = lake.snapshot(table) if known is None else lake.last_seen(table)
    for attempt in range(_ATTEMPTS):
        check_writer(current.state, location)
        wanted = actions(current)
        if not wanted:
            return current
        try:
            more = widened(table, current.state)
            state = write_log(location, current.state, [_info(commit_id), *more, *wanted])
        except OSError as error:  # somebody else was quicker, or the storage failed
            current = lake.snapshot(table)
            if commit_id in current.state.commits:  # it landed, and the reply was lost
                # Or it was the sync behind it that failed: nothing may follow that could be lost.
                version = current.state.commits[commit_id]
                with suppress(FileNotFoundError):  # a checkpoint stands for it by now
                    objects(location).settle([commit_key(version)])
                return current
            if not isinstance(error, FileExistsError):
                raise LakeError(f"{table.name}: the commit failed: {error}") from error
            _pause(attempt)
        else:
            _write_checkpoint(location, state)
            return Snapshot(table, location, state)
    raise _too_busy(table)


def _settle(location: Location, parts: Sequence[Part]) -> None:
    """Have the parts on the disk before a commit names them: a loss of power must not leave one
    without the other.

    Raises:
        LakeError: one is gone. Maintenance removes nothing that is so new.
    """
    try:
        objects(location).settle([part.path for part in parts])
    except FileNotFoundError as error:
        raise LakeError(
            f"{location.uri}: what was written just now is gone ({error}), and the project removes "
            "nothing so new; stop what else removes files in the lake and run again"
        ) from error


def _info(commit_id: str) -> Action:
    now = time.time_ns() // 1_000_000
    return {"commitInfo": {"timestamp": now, "operation": "WRITE", COMMIT_ID: commit_id}}


def _write_checkpoint(location: Location, state: LogState) -> None:
    if state.version % checkpoint.EVERY:
        return
    try:
        put_checkpoint(location, state)
    except OSError as error:
        # The commit stands without it; readers begin at the checkpoint before.
        _log.warning(
            "%s: the checkpoint of version %s was not written, or not the pointer to it: %s",
            location.uri,
            state.version,
            error,
        )


def _named(table: Table, stamps: Mapping[str, Stamp]) -> list[Action]:
    return [
        {"txn": {"appId": stamp_id(table, key, kind), "version": value}}
        for key, stamp in stamps.items()
        for kind, value in {"": stamp.fingerprint, **stamp.more}.items()
    ]


def _addition(part: Part) -> Action:
    return {
        "add": {
            "path": part.path,
            "partitionValues": part.partition,
            "size": part.size,
            "modificationTime": part.written_at,
            "dataChange": True,
            "stats": json.dumps({"numRecords": part.rows, "nullCount": part.nulls}),
        }
    }


def _removals(parts: Iterable[StoredPart]) -> list[Action]:
    now = time.time_ns() // 1_000_000
    return [
        {
            "remove": {
                "path": part.path,
                "deletionTimestamp": now,
                "dataChange": True,
                "extendedFileMetadata": True,
                "partitionValues": dict(part.partition),
                "size": part.size,
            }
        }
        for part in parts
    ]


def _check_unchanged(base: Snapshot, current: Snapshot, keys: Collection[str]) -> None:
    if any(_state(current, key) != _state(base, key) for key in keys):
        raise PlanChanged(
            f"{base.table.name}: {', '.join(keys)} was changed by another run meanwhile"
        )


def _state(snapshot: Snapshot, key: str) -> tuple[int | None, int | None, frozenset[str]]:
    # A fingerprint comes back with the files that it is of, and a partition without parts has no
    # path that tells one replacement from another: so also when it was stamped.
    paths = frozenset(part.path for part in snapshot.parts_of([key]))
    return snapshot.stamp(key), snapshot.stamped(key), paths


def _pause(attempt: int) -> None:
    longest = min(_LONGEST_PAUSE_SECONDS, 0.01 * 2 ** min(attempt, 10))
    time.sleep(random.uniform(0, longest))  # noqa: S311 -- spreads writers, no secret


def _too_busy(table: Table) -> LakeError:
    return LakeError(
        f"{table.name}: {_ATTEMPTS} commits in a row collided with those of other runs; nothing "
        "was changed. Run again when fewer runs are at work on this lake"
    )


def _check_parts(table: Table, parts: Sequence[Part], keys: Mapping[str, Any] | None) -> None:
    declared = {name: str(table.plain_schema.field(name).type) for name in table.inside}
    oldest = time.time_ns() // 1_000_000 - MAX_PART_AGE_HOURS * 3_600_000
    for part in parts:
        where = f"{table.name}: part {part.path}"
        if part.columns != declared:
            raise LakeError(f"{where} has columns {part.columns}, declared {declared}")
        if set(part.partition) != set(table.partition_by):
            raise LakeError(f"{where} is partitioned by {sorted(part.partition)}")
        if keys is not None and table.partition_key(part.partition) not in keys:
            raise LakeError(f"{where} lies outside the partitions to replace, {', '.join(keys)}")
        for name in table.required:
            if part.nulls.get(name, 0):
                raise LakeError(f"{where} has {part.nulls[name]} nulls in required {name}")
        if part.written_at < oldest:
            raise LakeError(
                f"{where} is older than {MAX_PART_AGE_HOURS} hours and may be removed at any "
                "moment as left over; run again"
            )
