"""Making parts visible: the only place that writes to a Delta log.

Two operations: `replace` exchanges whole partitions of a table, `append` adds parts. Both either
land whole or leave the table as it was. The rules behind them:

- A replacement carries one application transaction per partition. Two writers that start from
  the same version and replace the same partition therefore collide, also where it is empty.
- delta-rs also reports collisions between different partitions. Then the commit is tried again
  from the newest version, provided that the partitions to replace are still as they were.
- An error from a commit is no proof that it did not land. Each commit carries an id of its own,
  looked up in the history before anything else is done about an error.
- delta-rs checks none of what it is given, so parts are checked here.
"""

from __future__ import annotations

import json
import random
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from deltalake import DeltaTable
from deltalake.exceptions import CommitFailedError, DeltaError
from deltalake.transaction import AddAction, CommitProperties, RemoveAction, Transaction

from sparkify_assets.errors import LakeError, PlanChanged
from sparkify_assets.lake.lake import Lake
from sparkify_assets.lake.parts import Part
from sparkify_assets.lake.snapshot import Snapshot, stamp_id
from sparkify_assets.tables import Table

MAX_PART_AGE_HOURS = 12
_ATTEMPTS = 60
_LONGEST_PAUSE_SECONDS = 1.0
_COMMIT_ID = "sparkifyCommit"


@dataclass(frozen=True)
class Stamp:
    """What is recorded with the replacement of one partition.

    Attributes:
        fingerprint: of what it was made from (see `freshness`); for the ledger, a counter.
        content: hash of its rows, for tables declared with `content_hash`.
    """

    fingerprint: int
    content: int | None = None


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
        LakeError: the parts do not fit the table, or the commit failed.
    """
    table = base.table
    _check_parts(table, parts, stamps)
    transactions = [
        Transaction(stamp_id(table, key, kind), value)
        for key, stamp in stamps.items()
        for kind, value in (("", stamp.fingerprint), ("content", stamp.content))
        if value is not None
    ]
    current = base
    commit_id = uuid.uuid4().hex
    for attempt in range(_ATTEMPTS):
        actions: list[AddAction | RemoveAction] = [*_removals(current, stamps)]
        actions += map(_addition, parts)
        try:
            _write(current.delta, table, actions, commit_id, transactions)
        except (DeltaError, OSError) as error:  # storage errors come as either
            current = lake.snapshot(table)
            if _landed(current, base.version, commit_id):
                return current
            if not isinstance(error, CommitFailedError):
                raise LakeError(f"{table.name}: the commit failed: {error}") from error
            if any(_state(current, key) != _state(base, key) for key in stamps):
                raise PlanChanged(
                    f"{table.name}: {', '.join(stamps)} was changed by another run meanwhile"
                ) from error
            _pause(attempt)
        else:
            return lake.snapshot(table)
    raise _too_busy(table)


def append(lake: Lake, table: Table, parts: Sequence[Part]) -> None:
    """Add parts to a table in one commit; nothing is done where there are none."""
    if not parts:
        return
    _check_parts(table, parts, None)
    commit_id = uuid.uuid4().hex
    base = lake.snapshot(table)
    current = base
    for attempt in range(_ATTEMPTS):
        try:
            _write(current.delta, table, [_addition(part) for part in parts], commit_id, [])
        except (DeltaError, OSError) as error:
            current = lake.snapshot(table)
            if _landed(current, base.version, commit_id):
                return
            if not isinstance(error, CommitFailedError):
                raise LakeError(f"{table.name}: the commit failed: {error}") from error
            _pause(attempt)
        else:
            return
    raise _too_busy(table)


def _write(
    delta: DeltaTable,
    table: Table,
    actions: list[AddAction | RemoveAction],
    commit_id: str,
    transactions: list[Transaction],
) -> None:
    delta.create_write_transaction(
        actions,
        # Removals are named one by one: an overwrite with partition filters cannot name several
        # months of several years exactly.
        mode="append",
        schema=table.delta_schema(),
        partition_by=list(table.partition_by) or None,
        commit_properties=CommitProperties(
            custom_metadata={_COMMIT_ID: commit_id}, app_transactions=transactions
        ),
    )


def _addition(part: Part) -> AddAction:
    return AddAction(
        path=part.path,
        size=part.size,
        partition_values=part.partition,
        modification_time=part.written_at,
        data_change=True,
        stats=json.dumps({"numRecords": part.rows, "nullCount": part.nulls}),
    )


def _removals(current: Snapshot, keys: Mapping[str, Any]) -> list[RemoveAction]:
    now = time.time_ns() // 1_000_000
    return [
        RemoveAction(part.path, True, now, part.size, {**part.partition})
        for part in current.parts_of(keys)
    ]


def _state(snapshot: Snapshot, key: str) -> tuple[int | None, frozenset[str]]:
    return snapshot.stamp(key), frozenset(part.path for part in snapshot.parts_of([key]))


def _landed(current: Snapshot, since: int, commit_id: str) -> bool:
    newer = current.version - since
    return newer > 0 and any(
        entry.get(_COMMIT_ID) == commit_id for entry in current.delta.history(newer)
    )


def _pause(attempt: int) -> None:
    longest = min(_LONGEST_PAUSE_SECONDS, 0.01 * 2 ** min(attempt, 10))
    time.sleep(random.uniform(0, longest))  # noqa: S311 -- spreads writers, no secret


def _too_busy(table: Table) -> LakeError:
    return LakeError(
        f"{table.name}: {_ATTEMPTS} commits in a row collided with those of other runs; nothing "
        "was changed. Run again when fewer runs are at work on this lake"
    )


def _check_parts(table: Table, parts: Sequence[Part], keys: Mapping[str, Any] | None) -> None:
    declared = {
        field.name: str(field.type)
        for field in table.plain_schema
        if field.name not in table.partition_by
    }
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
