"""Writing Parquet parts, wherever the data are: in the engine's tasks or in the driver.

A part is invisible until a commit names it (`commit`). Nothing here needs Spark, a Delta log or
the driver: a task writes its batches and reports what it wrote, as one JSON text.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from sparkify_assets.errors import LakeError
from sparkify_assets.lake.notes import Notes, NoteTaker
from sparkify_assets.lake.part import Part
from sparkify_assets.lake.row_groups import groups_by_file
from sparkify_assets.lake.writers import PartWriters, folder_of
from sparkify_assets.storage.access import PART_BYTES
from sparkify_assets.storage.failures import explained, explained_on_disk
from sparkify_assets.storage.location import Location
from sparkify_assets.storage.requests import PUT, together
from sparkify_assets.tables import TABLES, Table

REPORT_SCHEMA = "report string"


@dataclass
class Written:
    """What one or several writers wrote: parts, and what was seen of the rows of each partition.

    `requests` are those to S3 that it took, by kind.
    """

    parts: list[Part] = field(default_factory=list)
    notes: dict[str, Notes] = field(default_factory=dict)
    requests: dict[str, int] = field(default_factory=dict)

    def add(self, other: Written) -> None:
        """Take in what another writer of the same table wrote."""
        self.parts.extend(other.parts)
        for key, found in other.notes.items():
            self.notes.setdefault(key, Notes()).add(found)
        self.requests = together(self.requests, other.requests)

    def to_json(self) -> str:
        return json.dumps(self, default=vars)

    @staticmethod
    def from_json(text: str) -> Written:
        return Written.from_dict(json.loads(text))

    @staticmethod
    def from_dict(values: dict[str, Any]) -> Written:
        parts = [Part(**part) for part in values["parts"]]
        notes = {key: Notes(**found) for key, found in values["notes"].items()}
        return Written(parts, notes, values["requests"])


def write_parts(batches: Iterable[pa.RecordBatch], table: Table, location: Location) -> Written:
    """Write the batches as Parquet files below the table's folder.

    Args:
        batches: rows with the table's columns (any order); cast to the declared types.
        location: the table's folder.

    Raises:
        LakeError: a column is missing or has another type.
        StorageError: the place cannot be written.
    """
    notes = NoteTaker(table)
    written = Written(notes=notes.notes)
    values: dict[str, dict[str, str]] = {}
    writers: PartWriters | None = None
    try:
        for folder, group in groups_by_file(_prepared(batches, table, notes, values)):
            writers = writers or PartWriters(table, location)
            writers.write(folder, values[folder], group)
        if writers is not None:
            writers.finish()
            written.parts = writers.parts
    except FileNotFoundError:  # of a part that is read to be written anew
        raise
    except OSError as error:
        if location.on_s3:
            raise explained(error, "PutObject", location) from None
        raise explained_on_disk(error, location) from None
    finally:
        if writers is not None:
            writers.abandon()
    notes.finish()
    if location.on_s3:
        written.requests = {PUT: sum(puts(part.size) for part in written.parts)}
    return written


def puts(size: int) -> int:
    """How many requests it takes to write a part: more than one where it is put in pieces."""
    return 1 if size < PART_BYTES else 2 + -(-size // PART_BYTES)


def part_writer(
    table_name: str, location: Location
) -> Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """The function for `DataFrame.mapInArrow(…, REPORT_SCHEMA)` that writes a task's rows.

    Each task yields one row: `Written` as JSON.
    """

    def write(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        written = write_parts(batches, TABLES[table_name], location)
        yield pa.RecordBatch.from_pydict({"report": [written.to_json()]})

    return write


def _prepared(
    batches: Iterable[pa.RecordBatch],
    table: Table,
    notes: NoteTaker,
    values: dict[str, dict[str, str]],
) -> Iterator[tuple[str, pa.RecordBatch]]:
    """The rows as they are to be written, by the folder of their partition.

    Args:
        values: takes the values of the partition columns, by folder.
    """
    for batch in batches:
        if batch.num_rows == 0:
            continue
        notes.arrive(batch.schema)
        for found in notes.take(_as_declared(batch, table)):
            folder = folder_of(found.values)
            values.setdefault(folder, found.values)
            yield folder, found.rows


def _as_declared(batch: pa.RecordBatch, table: Table) -> pa.RecordBatch:
    arrays = []
    for column in table.columns:
        index = batch.schema.get_field_index(column.name)
        if index < 0:
            raise LakeError(
                f"{table.name}: the rows to write have no column {column.name!r}; found "
                f"{', '.join(batch.schema.names)}"
            )
        array = batch.column(index)
        if array.type != column.type:
            try:
                array = array.cast(column.type)
            except pa.ArrowException as error:
                raise LakeError(
                    f"{table.name}.{column.name}: found {array.type}, declared {column.type} "
                    f"({error})"
                ) from error
        arrays.append(array)
    return pa.RecordBatch.from_arrays(arrays, schema=table.plain_schema)
