"""The Parquet files that one task has open: one for each partition that its rows belong to.

A group of rows is written as it comes, so little is in memory; see `row_groups` for how large
groups are.
"""

from __future__ import annotations

import time
import uuid
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pyarrow as pa
import pyarrow.parquet as pq

from sparkify_assets.lake.part import Part
from sparkify_assets.storage.location import Location
from sparkify_assets.tables import Table

FILE_BYTES = 256 << 20


class PartWriters:
    """Open files by folder; every row of a folder goes to the one that is open, in order."""

    def __init__(self, table: Table, location: Location) -> None:
        self._location = location
        self._filesystem, self._root = location.arrow()
        self._inside = table.inside
        self._schema = pa.schema([table.plain_schema.field(name) for name in self._inside])
        # Numbers and times seldom occur again: a dictionary of them takes time and room.
        self.dictionaries = [one.name for one in self._schema if not _is_number(one.type)]
        # Least and greatest text of a group seldom rule it out for anybody, and take time to find.
        self.statistics = [one.name for one in self._schema if _is_number(one.type)]
        self._open: dict[str, _File] = {}
        self.parts: list[Part] = []

    def write(self, folder: str, values: dict[str, str], group: pa.Table) -> None:
        """Write a group of rows of the partition with these values."""
        if folder not in self._open:
            self._open[folder] = self._new(folder, values)
        file = self._open[folder]
        file.write(group.select(self._inside))
        if file.size >= FILE_BYTES:
            self.parts.append(self._open.pop(folder).finish())

    def finish(self) -> None:
        """Close all files; `parts` describes them then."""
        for folder in list(self._open):
            self.parts.append(self._open.pop(folder).finish())

    def abandon(self) -> None:
        """Close what is open after something failed; no part comes of it."""
        for file in self._open.values():
            file.abandon()
        self._open.clear()

    def _new(self, folder: str, values: dict[str, str]) -> _File:
        path = f"{folder}part-{uuid.uuid4().hex}-0.parquet"
        if not self._location.on_s3:  # a bucket has no folders
            Path(self._root, folder).mkdir(parents=True, exist_ok=True)
        return _File(
            path, values, self._filesystem.open_output_stream(f"{self._root}/{path}"), self
        )

    @property
    def schema(self) -> pa.Schema:
        """Of the rows inside the files."""
        return self._schema


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_primitive(kind))


def folder_of(values: dict[str, str]) -> str:
    """The folder of a partition below the table's, in Hive's way, with a slash at its end."""
    return "".join(f"{name}={quote(value, safe='')}/" for name, value in values.items())


class _File:
    def __init__(self, path: str, values: dict[str, str], out: Any, writers: PartWriters) -> None:
        self.path = path
        self.values = values
        self.out = out
        self._nulls = dict.fromkeys(writers.schema.names, 0)
        self._metadata: list[pq.FileMetaData] = []
        self.writer = pq.ParquetWriter(
            out,
            writers.schema,
            compression="zstd",
            use_dictionary=writers.dictionaries,
            write_statistics=writers.statistics,
            metadata_collector=self._metadata,
        )

    def write(self, group: pa.Table) -> None:
        self.writer.write_table(group, row_group_size=max(1, group.num_rows))
        for name, column in zip(group.column_names, group.columns, strict=True):
            self._nulls[name] += column.null_count

    @property
    def size(self) -> int:
        """Bytes, of the groups that are complete."""
        return int(self.out.tell())

    def abandon(self) -> None:
        # Else it is closed once more when it is collected, and complains on standard error.
        self.writer.is_open = False
        with suppress(Exception):
            self.out.close()

    def finish(self) -> Part:
        try:
            self.writer.close()
            size = self.out.tell()
            self.out.close()
        except OSError:
            self.abandon()
            raise
        [metadata] = self._metadata
        return Part(
            path=self.path,
            partition=self.values,
            size=size,
            rows=metadata.num_rows,
            nulls=self._nulls,
            columns={one.name: str(one.type) for one in metadata.schema.to_arrow_schema()},
            written_at=time.time_ns() // 1_000_000,
        )
