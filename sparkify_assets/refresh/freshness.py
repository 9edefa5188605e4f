"""What has to be made again: fingerprints of what each partition is made from.

With each replacement of a partition the lake records a fingerprint of its inputs: the landed
files or the upstream partitions that it was read from, and the version of the code. It is up to
date exactly when that equals the present one. Nothing else remembers what was done, so there is
nothing to repair after a crash: a run makes whatever differs.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from sparkify_assets.ingest.ledger import Ledger
from sparkify_assets.lake.lake import Lake
from sparkify_assets.lake.snapshot import Snapshot
from sparkify_assets.partitions import month_number
from sparkify_assets.tables import BUILT, TABLES, USER_HISTORY, WHOLE_TABLE, Reads, Table

# The newest months, to which almost all that is new belongs.
OPEN_MONTHS = 2
THROUGH = "through"


@dataclass(frozen=True)
class Stale:
    """A partition that is not up to date, why in words for people, and what it should be."""

    table: Table
    key: str
    reason: str
    fingerprint: int


class Freshness:
    """Fingerprints against one ledger and one version of each table.

    The versions are those that this process saw last (see `Lake.look`), and stay the same.
    """

    def __init__(self, lake: Lake, ledger: Ledger) -> None:
        self._lake = lake
        self.ledger = ledger
        self._snapshots: dict[str, Snapshot] = {}

    def snapshot(self, table: Table) -> Snapshot:
        """The version of a table that this object speaks of.

        One that is not there yet, of a lake from before it was declared, is as good as empty.
        """
        if table.name not in self._snapshots:
            found = self._lake.seen(table)
            self._snapshots[table.name] = self._lake.empty(table) if found is None else found
        return self._snapshots[table.name]

    def fingerprint(self, table: Table, key: str) -> int:
        """The present fingerprint of one partition: 63 bits."""
        digest = hashlib.blake2b(digest_size=8)
        digest.update(f"{table.name} {table.code_version}\n".encode())
        for text in self._ingredients(table, key):
            digest.update(text.encode())
            digest.update(b"\n")
        return int.from_bytes(digest.digest(), "big") >> 1

    def keys(self, table: Table) -> list[str]:
        """The partitions that have rows or files now: what may be out of date."""
        if not table.monthly:
            return [WHOLE_TABLE]
        return sorted({*self.ledger.event_months(), *self.snapshot(table).partitions})

    def stale(self, table: Table, within: Iterable[str]) -> list[Stale]:
        """The partitions of a table that are not up to date.

        Args:
            within: the months to look at; a table without months is always looked at.
        """
        keys = self.keys(table)
        if table.monthly:
            allowed = set(within)
            keys = [key for key in keys if key in allowed]
        found = []
        for key in keys:
            stored, present = self.snapshot(table).stamp(key), self.fingerprint(table, key)
            if stored == present:
                continue
            reason = (
                "never made" if stored is None else "its files, its sources or the code changed"
            )
            found.append(Stale(table, key, reason, present))
        return found

    def all_stale(self, within: Iterable[str]) -> list[Stale]:
        """Every partition of every built table that is not up to date."""
        months = list(within)
        return [stale for table in BUILT for stale in self.stale(table, months)]

    def _ingredients(self, table: Table, key: str) -> Iterable[str]:
        for name, reads in table.reads.items():
            if reads is Reads.FILES:
                yield self.ledger.songs_digest
            elif reads is Reads.FILES_OF_MONTH:
                yield self.ledger.events_digest(key)
            else:
                upstream = self.snapshot(TABLES[name])
                kind = "content" if reads is Reads.CONTENT_OF_MONTH else ""
                keys = self.upstream_keys(upstream, reads, key)
                yield from (f"{name}/{k} {upstream.stamp(k, kind)}" for k in keys)

    def upstream_keys(self, upstream: Snapshot, reads: Reads, key: str) -> list[str]:
        """Which partitions of an upstream table one partition is made from."""
        if reads is Reads.WHOLE_TABLE:
            return [WHOLE_TABLE]
        if reads is Reads.CLOSED_MONTHS:
            return upstream.partitions[:-OPEN_MONTHS]
        if reads is Reads.OPEN_MONTHS:
            closed = self.snapshot(USER_HISTORY).stamp(WHOLE_TABLE, THROUGH) or 0
            return [month for month in upstream.partitions if month_number(month) > closed]
        return [key]

    def through(self, table: Table) -> dict[str, int]:
        """For a table made from closed months, the last of these, to be stamped on it.

        Whoever reads the open months as well takes all that come after this one: together they
        are always every month, whatever was made in between.
        """
        for name, reads in table.reads.items():
            if reads is Reads.CLOSED_MONTHS:
                closed = self.snapshot(TABLES[name]).partitions[:-OPEN_MONTHS]
                return {THROUGH: month_number(closed[-1]) if closed else 0}
        return {}
