"""Recording a release: when the tables, as they are now, belong together.

They do when nothing is out of date: each table is then made from the same landing files. A month
that cannot be made must not keep all others from readers: a release is recorded with it as it was
before, and names it as pending. A month that is only not made yet is waited for: one file may have
events of two months, and nobody is to see half of it where both can be made.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sparkify_assets.ingest.ledger import seen_ledger
from sparkify_assets.lake.lake import Lake
from sparkify_assets.lake.release import Release, newest_release, record_release
from sparkify_assets.refresh.freshness import Freshness, Stale
from sparkify_assets.refresh.given_up import is_given_up
from sparkify_assets.tables import LANDED_FILES, TABLES, TIME

_ATTEMPTS = 10


@dataclass(frozen=True)
class Published:
    """What became of it.

    Attributes:
        release: the newest there is now; None where there never was one.
        recorded: whether it was recorded just now.
        why_not: why the tables as they are now are not released; "" where they are.
    """

    release: Release | None
    recorded: bool = False
    why_not: str = ""


def publish(lake: Lake, months: Collection[str], hopeless: Collection[str] = ()) -> Published:
    """Record the present versions of all tables as a release, if they belong together.

    Args:
        months: the configured ones.
        hopeless: months that nobody tries any more, beside what `given_up` notes.

    Raises:
        LakeError, StorageError: the lake cannot be read or written.
    """
    for _ in range(_ATTEMPTS):
        # The newest release first: whoever records one meanwhile takes the next number.
        before = newest_release(lake)
        if before is not None and _versions(lake) == before.versions:
            return Published(before)
        lake.look()
        versions = _versions(lake)
        if set(versions) != set(TABLES):
            return Published(before, why_not="not all tables are made yet")
        # Raw tables are seen after the ledger: maintenance may have put rows together in between.
        if lake.snapshot(LANDED_FILES).version != versions.get(LANDED_FILES.name):
            continue
        stale = _stale(lake, months)
        why_not = _why_not(lake, stale, hopeless)
        if why_not:
            return Published(before, why_not=why_not)
        pending = tuple(sorted({found.key for found in stale}))
        try:
            return Published(record_release(lake, before, versions, pending), recorded=True)
        except FileExistsError:
            continue
    return Published(newest_release(lake), why_not="other runs were quicker each time")


def would_publish(lake: Lake, months: Collection[str]) -> Published:
    """The newest release, and whether what was last seen of the tables differs from it."""
    before = newest_release(lake)
    if before is None:
        return Published(None)
    if _versions(lake) == before.versions:
        return Published(before)
    why_not = _why_not(lake, _stale(lake, months), ())
    return Published(before, why_not=why_not or "no run has recorded it; `sparkify run` does")


def _versions(lake: Lake) -> dict[str, int]:
    return {name: s.version for name, table in TABLES.items() if (s := lake.seen(table))}


def _stale(lake: Lake, months: Collection[str]) -> list[Stale]:
    return Freshness(lake, seen_ledger(lake)).all_stale(sorted(months))


def _why_not(lake: Lake, stale: Sequence[Stale], hopeless: Collection[str]) -> str:
    # songs against artists, or plays against their times: no reader is to see that.
    torn = any(not found.table.monthly or found.table is TIME for found in stale)
    tried = not torn and all(s.key in hopeless or is_given_up(lake, s) for s in stale)
    if tried:
        return ""
    told = ", ".join(f"{found.table.name}/{found.key}" for found in stale[:3])
    more = f" and {len(stale) - 3} more" if len(stale) > 3 else ""
    return f"out of date: {told}{more}"
