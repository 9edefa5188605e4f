"""What a plain reader of Delta tables sees of a lake: `deltalake`, and nothing of the project.

Also the rows that count, in the ledger's own terms: raw rows and rejects of the batches that it
names, read the same way.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from deltalake import DeltaTable
from deltalake.exceptions import TableNotFoundError

from sparkify_assets.tables import LANDED_FILES, PUBLIC, RAW_LOGS, RAW_SONGS, REJECTS, TABLES

Rows = list[tuple[Any, ...]]
Tables = dict[str, Rows]

# What differs between two loads of the same files: which reading it was, and when.
_OF_THE_READING = {"batch", "landed_at"}


@dataclass(frozen=True)
class PlainReader:
    """Reads lakes. `options`: deltalake's, for buckets."""

    options: Mapping[str, str]

    def rows(self, lake: str, name: str, version: int | None = None) -> Rows:
        """All rows of a table in one version, sorted; [] where there is no such table."""
        try:
            table = DeltaTable(f"{lake}/{name}", version, storage_options=dict(self.options))
        except TableNotFoundError:
            return []
        return _rows(table, name)

    def tables(self, lake: str) -> Tables:
        """The five tables in their newest versions."""
        return {table.name: self.rows(lake, table.name) for table in PUBLIC}

    def with_release(self, lake: str, release: Mapping[str, int] | None) -> tuple[Tables, Tables]:
        """The five tables in their newest versions, and in those of a release; {} without one.

        Where both are the same version it is read once.
        """
        newest: Tables = {}
        released: Tables = {}
        for table in PUBLIC:
            name, options = table.name, dict(self.options)
            try:
                opened = DeltaTable(f"{lake}/{name}", storage_options=options)
            except TableNotFoundError:
                newest[name] = []
                continue
            newest[name] = _rows(opened, name)
            if release is not None:
                same = opened.version() == release[name]
                released[name] = newest[name] if same else self.rows(lake, name, release[name])
        return newest, released

    def account(self, lake: str) -> Tables:
        """The ledger without what differs between two readings, and the raw rows that count."""
        ledger = self._records(lake, LANDED_FILES.name)
        named = {(row["source_file"], row["batch"]) for row in ledger}
        found = {LANDED_FILES.name: ledger}
        for table in (RAW_LOGS, RAW_SONGS, REJECTS):
            rows = self._records(lake, table.name)
            found[table.name] = [row for row in rows if (row["source_file"], row["batch"]) in named]
        return {name: _comparable(rows) for name, rows in found.items()}

    def _records(self, lake: str, name: str) -> list[dict[str, Any]]:
        return [dict(zip(TABLES[name].names, row, strict=True)) for row in self.rows(lake, name)]


def _rows(table: DeltaTable, name: str) -> Rows:
    columns = TABLES[name].names
    found = [tuple(row[c] for c in columns) for row in table.to_pyarrow_table().to_pylist()]
    return sorted(found, key=repr)


def _comparable(rows: list[dict[str, Any]]) -> Rows:
    kept = [
        tuple(
            tuple(value) if isinstance(value, list) else value
            for name, value in row.items()
            if name not in _OF_THE_READING
        )
        for row in rows
    ]
    return sorted(kept, key=repr)
