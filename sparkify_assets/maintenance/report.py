"""What a maintenance tells: its steps while it goes on, and what it did, by table."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any

from sparkify_assets.refresh.steps import Step, Watcher


@dataclass
class TableUpkeep:
    """One table before and after, and what was done to it (or would be).

    Attributes:
        files_before, rows_before, bytes_before: of the newest version, before.
        files_after, rows_after, bytes_after: and after.
        batches_compacted: small batches that were put together.
        dead_files, dead_rows, dead_bytes: what was taken out as no ledger row names it; without
            that of the batches that were put together just now.
        checkpoint: whether one was written.
        replaced: files that were removed from the storage as others took their place.
        left_over: as they were never committed.
        old_log: as checkpoints made them unnecessary.
        removed_bytes: of `replaced` and `left_over`.
    """

    files_before: int = 0
    files_after: int = 0
    rows_before: int = 0
    rows_after: int = 0
    bytes_before: int = 0
    bytes_after: int = 0
    batches_compacted: int = 0
    dead_files: int = 0
    dead_rows: int = 0
    dead_bytes: int = 0
    checkpoint: bool = False
    replaced: int = 0
    left_over: int = 0
    old_log: int = 0
    removed_bytes: int = 0

    @property
    def removed_files(self) -> int:
        """Files that were removed from the storage."""
        return self.replaced + self.left_over + self.old_log

    @property
    def anything(self) -> bool:
        """Whether there was anything to do."""
        return bool(
            self.batches_compacted or self.dead_files or self.removed_files or self.checkpoint
        )


@dataclass
class Maintained:
    """What a maintenance did, or would do.

    Attributes:
        tables: by name; those that are there.
        postponed: scopes (months, or `songs`) in which other runs were quicker each time, with
            the reason; the next maintenance tries again.
        releases_removed: releases that were superseded longer ago than the grace period.
        not_released: why no release was recorded of the tables as they are.
        failed: what was left as it is because something is wrong, with the reason.
    """

    dry_run: bool
    tables: dict[str, TableUpkeep] = field(default_factory=dict)
    postponed: dict[str, str] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    releases_removed: int = 0
    not_released: str = ""
    seconds: float = 0.0

    @property
    def anything(self) -> bool:
        """Whether there was anything to do."""
        return any(table.anything for table in self.tables.values())

    def total(self, name: str) -> int:
        """The sum of one number over all tables."""
        return sum(getattr(table, name) for table in self.tables.values())

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


@contextmanager
def watched(watch: Watcher, name: str) -> Iterator[Step]:
    """Tell of a step as it starts and ends; its state may be set to another one than `done`."""
    step = Step(name, "running")
    watch(Step(name, "running"))
    started = time.monotonic()
    try:
        yield step
    except BaseException:
        watch(Step(name, "failed"))
        raise
    state = "done" if step.state == "running" else step.state
    watch(Step(name, state, time.monotonic() - started))
