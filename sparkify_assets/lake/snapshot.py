"""One version of one table, as a reader sees it: its parts, and what it was made from."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from functools import cached_property
from typing import TYPE_CHECKING

import pyarrow as pa

from sparkify_assets.lake.log import LogState, StoredPart
from sparkify_assets.lake.scan import read_parts, scan_part
from sparkify_assets.storage.location import Location
from sparkify_assets.tables import Table

if TYPE_CHECKING:  # they load pandas, which takes longer than most commands
    import pyarrow.compute as pc
    import pyarrow.dataset as ds


# Where the table lies, its id, the version, the tag of that version's commit.
Identity = tuple[str, str, int, str]


class Snapshot:
    """One version of a table.

    Everything read through it belongs to that version, whatever is committed meanwhile.
    """

    def __init__(self, table: Table, location: Location, state: LogState) -> None:
        self.table = table
        self.location = location
        self.state = state
        self.version = state.version

    @property
    def identity(self) -> Identity:
        """Tells this version of this table from all others, to remember what was found in it.

        A copy of a lake has the same ids, and one that was restored from a backup gives the same
        numbers again to other versions. Before its first version a table has no id: "".
        """
        last = self.state.last.etag if self.state.last else ""
        return self.location.uri, str(self.state.metadata.get("id", "")), self.version, last

    @cached_property
    def parts(self) -> list[StoredPart]:
        """Its Parquet files."""
        return list(self.state.parts.values())

    @property
    def rows(self) -> int:
        """Number of rows."""
        return sum(part.rows for part in self.parts)

    def nulls(self, column: str, keys: Collection[str] | None = None) -> int:
        """Number of rows without a value in a column, from the statistics of the parts.

        Partition columns have no statistics: they are never null. A part without a count is
        opened: it may be from before the column was added, or somebody else wrote it.

        Args:
            keys: only in these partitions.

        Raises:
            FileNotFoundError, LakeError: such a part is gone, or cannot be read.
        """
        if column in self.table.partition_by:
            return 0
        parts = self.parts if keys is None else self.parts_of(keys)
        return sum(self._nulls_in(part, column) for part in parts)

    def _nulls_in(self, part: StoredPart, column: str) -> int:
        # Where not even rows were counted, none counts (see `rows`), with a value or without.
        if not part.rows or not part.may_lack([column]):
            return part.nulls.get(column, 0)
        batches = scan_part(self.table, self.location, part, [column])
        return sum(batch.column(0).null_count for batch in batches)

    @property
    def size(self) -> int:
        """Bytes of all parts."""
        return sum(part.size for part in self.parts)

    @cached_property
    def partitions(self) -> list[str]:
        """Keys of the partitions that have rows, sorted."""
        return sorted({self.table.partition_key(part.partition) for part in self.parts})

    def rows_of(self, keys: Collection[str]) -> int:
        """Number of rows of some partitions."""
        return sum(part.rows for part in self.parts_of(keys))

    def parts_of(self, keys: Collection[str]) -> list[StoredPart]:
        """The parts of some partitions."""
        return [p for p in self.parts if self.table.partition_key(p.partition) in keys]

    def stamp(self, key: str, kind: str = "") -> int | None:
        """What was recorded with the last replacement of a partition, None where never made.

        Args:
            kind: "" for the fingerprint of what it was made from, "content" for the hash of
                its rows.
        """
        return self.state.stamps.get(stamp_id(self.table, key, kind))

    def stamped(self, key: str) -> int | None:
        """In which version a partition was replaced last, None where never (`LogState.stamped`)."""
        return self.state.stamped.get(stamp_id(self.table, key))

    def dataset(self) -> ds.Dataset:
        """The rows as a pyarrow dataset, for readers that leave out what they do not need."""
        import pyarrow.dataset as ds

        filesystem, root = self.location.arrow()
        parquet = ds.ParquetFileFormat()
        fragments = [
            parquet.make_fragment(
                f"{root}/{part.path}", filesystem, partition_expression=self._partition(part)
            )
            for part in self.parts
        ]
        schema = self.table.plain_schema
        return ds.FileSystemDataset(fragments, schema, parquet, filesystem)

    def read(
        self, columns: Iterable[str] | None = None, keys: Collection[str] | None = None
    ) -> pa.Table:
        """The rows as an Arrow table, with types as declared; each part with one request.

        Args:
            keys: only these partitions.
        """
        names = list(columns) if columns is not None else self.table.names
        parts = self.parts if keys is None else self.parts_of(keys)
        return read_parts(self.table, self.location, parts, names)

    def batches(self, columns: Iterable[str], keys: Collection[str]) -> Iterator[pa.RecordBatch]:
        """As `read`, of some partitions, but batch by batch: never all rows in memory."""
        names = list(columns)
        for part in self.parts_of(keys):
            yield from scan_part(self.table, self.location, part, names)

    def last_change(self) -> int:
        """When this version was committed, milliseconds since the epoch."""
        return self.state.last.modified if self.state.last else 0

    def _partition(self, part: StoredPart) -> pc.Expression:
        import pyarrow.compute as pc

        expression = pc.scalar(value=True)
        for name in self.table.partition_by:
            value = pa.scalar(part.partition[name]).cast(self.table.plain_schema.field(name).type)
            expression = expression & (pc.field(name) == value)
        return expression


def stamp_id(table: Table, key: str, kind: str = "") -> str:
    """The id of the application transaction that goes with a partition: `songplays/2018-11`."""
    return "/".join(part for part in (table.name, key, kind) if part)
