"""One version of one table, as a reader sees it: its parts, and what it was made from."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.fs as pafs
from deltalake import DeltaTable

from sparkify_assets.lake.location import Location
from sparkify_assets.tables import Table


@dataclass(frozen=True)
class StoredPart:
    """One Parquet file that the snapshot consists of; `path` is relative to the table."""

    path: str
    partition: dict[str, str]
    size: int
    rows: int


class Snapshot:
    """One version of a table.

    Everything read through it belongs to that version, whatever is committed meanwhile.
    """

    def __init__(self, table: Table, location: Location, delta: DeltaTable) -> None:
        self.table = table
        self.location = location
        self.delta = delta
        self.version: int = delta.version()

    @cached_property
    def _actions(self) -> pa.Table:
        return pa.table(self.delta.get_add_actions(flatten=True))

    @cached_property
    def parts(self) -> list[StoredPart]:
        """Its Parquet files."""
        actions = self._actions
        prefix = "partition."
        columns = [n for n in actions.column_names if n.startswith(prefix)]
        return [
            StoredPart(
                path=row["path"],
                partition={name.removeprefix(prefix): str(row[name]) for name in columns},
                size=row["size_bytes"],
                rows=row["num_records"],
            )
            for row in actions.to_pylist()
        ]

    @property
    def rows(self) -> int:
        """Number of rows."""
        return sum(part.rows for part in self.parts)

    def nulls(self, column: str) -> int:
        """Number of rows without a value in a column, from the statistics of the parts."""
        name = f"null_count.{column}"
        return int(pc.sum(self._actions[name]).as_py() or 0) if self.parts else 0

    @property
    def size(self) -> int:
        """Bytes of all parts."""
        return sum(part.size for part in self.parts)

    @cached_property
    def partitions(self) -> list[str]:
        """Keys of the partitions that have rows, sorted."""
        return sorted({self.table.partition_key(part.partition) for part in self.parts})

    def parts_of(self, keys: Collection[str]) -> list[StoredPart]:
        """The parts of some partitions."""
        return [p for p in self.parts if self.table.partition_key(p.partition) in keys]

    def stamp(self, key: str, kind: str = "") -> int | None:
        """What was recorded with the last replacement of a partition, None where never made.

        Args:
            kind: "" for the fingerprint of what it was made from, "content" for the hash of
                its rows.
        """
        return self.delta.transaction_version(stamp_id(self.table, key, kind))

    def dataset(self) -> ds.Dataset:
        """The rows as a pyarrow dataset.

        The file system is given, because delta-rs's own one can abort the process at exit.
        """
        filesystem = pafs.SubTreeFileSystem(self.location.path, self.location.filesystem())
        return self.delta.to_pyarrow_dataset(filesystem=filesystem)

    def read(self, columns: Iterable[str] | None = None) -> pa.Table:
        """The rows as an Arrow table, with types as declared."""
        names = list(columns) if columns is not None else self.table.names
        rows = self.dataset().to_table(columns=names)
        return rows.cast(pa.schema([self.table.plain_schema.field(n) for n in names]))

    def last_change(self) -> int:
        """When this version was committed, milliseconds since the epoch."""
        entry: dict[str, Any] = self.delta.history(1)[0]
        return int(entry["timestamp"])


def stamp_id(table: Table, key: str, kind: str = "") -> str:
    """The id of the application transaction that goes with a partition: `songplays/2018-11`."""
    return "/".join(part for part in (table.name, key, kind) if part)
