"""What this process took in, summed up: a step of Dagster returns nothing to who began the run.

Counted where the ledger was committed. So other writers' files are not among it, whatever any
clock says, and those of a step that failed afterwards and was tried again are.
"""

from __future__ import annotations

import operator
import threading
from collections.abc import Callable, Iterable
from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # what is behind it takes its time to load
    from sparkify_assets.ingest.task import Account


@dataclass(frozen=True)
class TakenIn:
    """Sums over landing files; one that was read twice, as it changed in between, counts twice.

    Attributes:
        files: how many were read.
        removed: how many were gone, and their rows count no longer.
    """

    files: int = 0
    lines: int = 0
    rows: int = 0
    rejected: int = 0
    repaired: int = 0
    removed: int = 0

    @classmethod
    def of(cls, accounts: Iterable[Account], removed: int = 0) -> TakenIn:
        """The sums over what was found in some files."""
        found = list(accounts)
        return cls(
            files=len(found),
            lines=sum(account.lines for account in found),
            rows=sum(account.rows for account in found),
            rejected=sum(account.rejected for account in found),
            repaired=sum(account.repaired for account in found),
            removed=removed,
        )

    def __add__(self, other: TakenIn) -> TakenIn:
        return self._by(operator.add, other)

    def since(self, before: TakenIn) -> TakenIn:
        """What was added to `before`, an earlier sum."""
        return self._by(operator.sub, before)

    def _by(self, combine: Callable[[int, int], int], other: TakenIn) -> TakenIn:
        return TakenIn(*map(combine, astuple(self), astuple(other)))


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
