"""What this process took in, summed up: a step of Dagster returns nothing to who began the run.

Counted where the ledger was committed. So other writers' files are not among it, whatever any
clock says, and those of a step that failed afterwards and was tried again are.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass


@dataclass(frozen=True)
class TakenIn:
    """Sums over landing files; one that was read twice, as it changed in between, counts twice.

    Attributes:
        files: how many were read.
        removed: how many were gone, and their rows count no longer.
    """

    files: int = 0
    lines: int = 0
    rejected: int = 0
    repaired: int = 0
    removed: int = 0

    def __add__(self, other: TakenIn) -> TakenIn:
        return TakenIn(
            self.files + other.files,
            self.lines + other.lines,
            self.rejected + other.rejected,
            self.repaired + other.repaired,
            self.removed + other.removed,
        )

    def since(self, before: TakenIn) -> TakenIn:
        """What was added to `before`, an earlier sum."""
        return TakenIn(
            self.files - before.files,
            self.lines - before.lines,
            self.rejected - before.rejected,
            self.repaired - before.repaired,
            self.removed - before.removed,
        )


_lock = threading.Lock()
_sum = TakenIn()


def count(more: TakenIn) -> None:
    """Count what a commit of the ledger took in."""
    global _sum
    with _lock:
        _sum += more


def taken_in() -> TakenIn:
    """All of this process so far."""
    return _sum
