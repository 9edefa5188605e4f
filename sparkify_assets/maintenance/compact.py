"""Putting small raw parts together: the rows that count of many small batches become one batch.

Each run that takes in a file leaves a part of its own, and each build of that month reads them all.
The rows are rewritten, appended, and the ledger is committed with the files naming the new batch:
until then the new rows do not count, from then on the old ones do not. The account of the files
stays as it is, and so do the ledger's numbers, so that no table is out of date by it.

What is read here is seen after the ledger, as by any other reader of raw rows.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

from sparkify_assets.errors import LakeError, PlanChanged
from sparkify_assets.ingest.ledger import LandedFile, Ledger, read_ledger
from sparkify_assets.lake.commit import append
from sparkify_assets.lake.lake import Lake
from sparkify_assets.lake.parts import Written
from sparkify_assets.maintenance.batches import (
    RAW_TABLES,
    Batch,
    find_batches,
    parts_in,
    raw_table,
    split,
)
from sparkify_assets.maintenance.report import watched
from sparkify_assets.maintenance.rewrite import rewrite
from sparkify_assets.refresh.steps import Step, Watcher
from sparkify_assets.tables import REJECTS, Table

# Larger ones are read by groups of rows and not with one request (`lake.scan`), and to write them
# again each night would cost more than it saves.
SMALL_BYTES = 32 << 20
# Of a large batch that many tasks wrote, parts are put together if they are smaller on average.
SMALL_PART_BYTES = 8 << 20
# As many as a reader has to fetch of a table's log at most, where every tenth version has a
# checkpoint: to save less than that would not be noticed.
MOST_SMALL_PARTS = 8
# One round is done in seconds, mostly before the next file lands, and what it writes can still be
# read in several tasks.
ROUND_BYTES = 128 << 20
ROUND_PARTS = 1_000
_ATTEMPTS = 8


@dataclass
class Compacted:
    """What was put together (or would be).

    Attributes:
        batches: scope and id of each old batch, by table.
        made: the ids of the new ones.
        postponed: scopes in which other runs were quicker each time, with the last collision.
        failed: scopes that were left as they are because something is wrong, with the reason.
    """

    batches: dict[str, set[tuple[str, str]]] = field(default_factory=dict)
    made: set[str] = field(default_factory=set)
    postponed: dict[str, str] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)

    def add(self, merged: Iterable[Batch]) -> None:
        """Note old batches."""
        for one in merged:
            for name in one.parts:
                self.batches.setdefault(name, set()).add((one.scope, one.batch))


def compact(lake: Lake, *, dry_run: bool = False, watch: Watcher = lambda _step: None) -> Compacted:
    """Put small batches together wherever there are more than a handful of small parts.

    A scope in which this fails does not stop the others.
    """
    done = Compacted()
    _, crowded = _plan(lake)
    for scope, small in sorted(crowded.items()):
        if dry_run:
            done.add(small)
            continue
        with watched(watch, f"compact {scope}") as step:
            try:
                while _round(lake, scope, done, watch, step):
                    pass
            except PlanChanged as change:
                done.postponed[scope] = str(change)
                step.state = "skipped"
            except (LakeError, FileNotFoundError) as error:
                done.failed[scope] = str(error)
                step.state = "failed"
    return done


def _plan(
    lake: Lake, scope: str | None = None, but: Collection[str] = ()
) -> tuple[Ledger, dict[str, list[Batch]]]:
    """The ledger, and by scope the batches to put together, the smallest first.

    Args:
        scope: look at this one only.
        but: batches to leave alone.
    """
    ledger = read_ledger(lake)  # before the rows that it names
    found = [one for one in find_batches(lake) if scope is None or one.scope == scope]
    live, _ = split(found, ledger)
    small: dict[str, list[Batch]] = {}
    for one in sorted(live, key=lambda batch: batch.size):
        if _is_small(one) and one.batch not in but:
            small.setdefault(one.scope, []).append(one)
    return ledger, {scope: found for scope, found in small.items() if _too_many(found)}


def _is_small(one: Batch) -> bool:
    return one.size < SMALL_BYTES or one.crumbled(SMALL_PART_BYTES)


def _too_many(small: Sequence[Batch]) -> bool:
    return any(len(parts_in(small, table)) > MOST_SMALL_PARTS for table in RAW_TABLES)


def _round(lake: Lake, scope: str, done: Compacted, watch: Watcher, step: Step) -> bool:
    """Put together as many as one round takes; whether there is more to do.

    After a collision with another run only half as many are taken, so that the next attempt is
    quicker. What a round has made is left alone by the next ones: each takes what there was.

    Raises:
        PlanChanged: another run was quicker each time.
    """
    last = PlanChanged(scope)
    for attempt in range(_ATTEMPTS):
        ledger, crowded = _plan(lake, scope, done.made)
        if scope not in crowded:
            return False
        chosen = _first(crowded[scope], ROUND_BYTES >> attempt, ROUND_PARTS >> attempt)
        batch = uuid.uuid4().hex
        try:
            _merge(lake, ledger, chosen, batch)
        except PlanChanged as change:
            last = change
            watch(Step(step.name, "retry"))
            continue
        done.made.add(batch)
        done.add(chosen)
        return _too_many(crowded[scope][len(chosen) :])
    raise last


def _first(small: Sequence[Batch], most_bytes: int, most_parts: int) -> list[Batch]:
    """As many from the front as one round takes: two at least, or one that is worth it alone."""
    chosen: list[Batch] = []
    size = parts = 0
    for one in small:
        size += one.size
        parts += one.files
        enough = len(chosen) > 1 or (chosen and chosen[0].crumbled(SMALL_PART_BYTES))
        if enough and (size > most_bytes or parts > most_parts):
            break
        chosen.append(one)
    return chosen


def _merge(lake: Lake, ledger: Ledger, chosen: Sequence[Batch], batch: str) -> None:
    """Rewrite the rows that count of some batches of one scope as a new one.

    Raises:
        PlanChanged: another run changed the ledger of the scope meanwhile.
        LakeError: there are not as many rows as the ledger counts; nothing was changed.
    """
    scope, old = chosen[0].scope, {one.batch for one in chosen}
    landed = ledger.of(scope)
    files = [file for file in landed if file.batch in old]
    raw = raw_table(scope)
    try:
        rows = _rewrite(lake, raw, chosen, files, batch)
        rejects = _rewrite(lake, REJECTS, chosen, files, batch)
    except (LakeError, FileNotFoundError) as error:
        if read_ledger(lake).counter(scope) != ledger.counter(scope):
            raise PlanChanged(f"{scope}: another run replaced what was read: {error}") from error
        raise
    append(lake, raw, rows.parts)
    append(lake, REJECTS, rejects.parts)
    after = [file._replace(batch=batch) if file.batch in old else file for file in landed]
    ledger.commit(lake, {scope: after})


def _rewrite(
    lake: Lake, table: Table, chosen: Sequence[Batch], files: Sequence[LandedFile], batch: str
) -> Written:
    """Write what counts of one table; every file must have as many rows as the ledger says."""
    keys: dict[str, list[str]] = {one.batch: [] for one in chosen}
    for file in files:
        keys[file.batch].append(file.source_file)
    parts = parts_in(chosen, table)
    written, found = rewrite(table, lake.table_location(table), parts, keys, batch)
    for file in files:
        expected = file.rejected if table is REJECTS else file.rows
        if found[file.source_file] != expected:
            raise LakeError(
                f"{table.name}: {found[file.source_file]:,} rows of {file.source_file} were found "
                f"of the {expected:,} that the ledger counts; nothing was put together. "
                "`sparkify run --rebuild` reads the file again"
            )
    if sum(part.rows for part in written.parts) != found.total():
        raise LakeError(
            f"{table.name}: {sum(part.rows for part in written.parts):,} rows were written of "
            f"{found.total():,}; nothing was put together, run again"
        )
    return written
