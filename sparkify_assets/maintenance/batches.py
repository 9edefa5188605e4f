"""The batches that lie in the raw tables, whether the ledger names them or not.

A batch is what one reading wrote for one scope: its rows in raw_logs or raw_songs, and its rejects.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from sparkify_assets.ingest.landing import SONG_SCOPE
from sparkify_assets.ingest.ledger import Ledger
from sparkify_assets.ingest.place import place_of
from sparkify_assets.lake.lake import Lake
from sparkify_assets.lake.log import StoredPart
from sparkify_assets.tables import RAW_LOGS, RAW_SONGS, REJECTS, Table

RAW_TABLES = (RAW_LOGS, RAW_SONGS, REJECTS)


@dataclass
class Batch:
    """One batch of one scope, with its parts by table; only tables in which it has some."""

    scope: str
    batch: str
    parts: dict[str, list[StoredPart]] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """Bytes of all its parts."""
        return sum(part.size for parts in self.parts.values() for part in parts)

    @property
    def files(self) -> int:
        """How many parts it has."""
        return sum(map(len, self.parts.values()))

    def crumbled(self, part_bytes: int) -> bool:
        """Whether its rows are in several parts, smaller than that on average."""
        rows = self.parts.get(raw_table(self.scope).name, ())
        return len(rows) > 1 and sum(part.size for part in rows) < len(rows) * part_bytes


def find_batches(lake: Lake) -> list[Batch]:
    """Every batch in the newest versions of the raw tables."""
    found: dict[tuple[str, str], Batch] = {}
    for table in RAW_TABLES:
        for part in lake.snapshot(table).parts:
            place = place_of(part)
            one = found.setdefault(place, Batch(*place))
            one.parts.setdefault(table.name, []).append(part)
    return list(found.values())


def split(found: Iterable[Batch], ledger: Ledger) -> tuple[list[Batch], list[Batch]]:
    """Those that the ledger names for any file of their scope, and those that it does not."""
    named: dict[str, set[str]] = {}
    live: list[Batch] = []
    dead: list[Batch] = []
    for one in found:
        if one.scope not in named:
            named[one.scope] = ledger.batches(one.scope)
        (live if one.batch in named[one.scope] else dead).append(one)
    return live, dead


def raw_table(scope: str) -> Table:
    """Where the rows of a scope's files are."""
    return RAW_SONGS if scope == SONG_SCOPE else RAW_LOGS


def parts_in(found: Iterable[Batch], table: Table) -> list[StoredPart]:
    """The parts that some batches have in a table."""
    return [part for one in found for part in one.parts.get(table.name, ())]
