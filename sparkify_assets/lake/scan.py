"""Reading one part, in the driver or in a task: a small one whole, with a single request."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from functools import lru_cache

import pyarrow as pa
import pyarrow.parquet as pq

from sparkify_assets.errors import LakeError
from sparkify_assets.lake.log import StoredPart
from sparkify_assets.storage.failures import explained
from sparkify_assets.storage.location import Location
from sparkify_assets.storage.objects import objects
from sparkify_assets.storage.requests import GET, REQUESTS
from sparkify_assets.tables import Table

# Larger ones are read by row groups.
WHOLE_BYTES = 32 << 20
# Smaller ones are kept in memory for a while, 64 MiB of them at most.
SMALL_BYTES = 256 << 10
_BATCH_ROWS = 16_384
_BUFFER_BYTES = 1 << 20


def scan_part(
    table: Table, location: Location, part: StoredPart, names: Iterable[str] | None = None
) -> Iterator[pa.RecordBatch]:
    """The rows of a part with the values of its partition columns, types as declared.

    Columns that were added to the table after the part was written are null.

    Args:
        location: of the table.
        names: only these columns.

    Raises:
        FileNotFoundError: the part is gone.
        LakeError: it is no Parquet file, lacks a required column, or has not as many rows as its
            commit says.
    """
    wanted = table.names if names is None else list(names)
    inside = [name for name in wanted if name not in table.partition_by]
    schema = pa.schema([table.plain_schema.field(name) for name in wanted])
    rows = 0
    try:
        for batch in _batches(location, part, inside):
            rows += batch.num_rows
            _check_required(table, location, part, inside, batch)
            yield _with_partition(table, part, batch, schema)
    except pa.ArrowException as error:
        raise LakeError(
            f"{location.uri}/{part.path} cannot be read ({str(error).splitlines()[0]}); restore it "
            "from a backup, or run with --rebuild"
        ) from error
    if rows != part.rows:
        raise LakeError(
            f"{location.uri}/{part.path} has {rows:,} rows, but was committed with {part.rows:,}; "
            "restore it from a backup, or run with --rebuild"
        )


def read_parts(
    table: Table, location: Location, parts: Iterable[StoredPart], names: Iterable[str]
) -> pa.Table:
    """The rows of several parts as one table."""
    wanted = list(names)
    schema = pa.schema([table.plain_schema.field(name) for name in wanted])
    batches = [batch for part in parts for batch in scan_part(table, location, part, wanted)]
    return pa.Table.from_batches(batches, schema=schema)


def _batches(location: Location, part: StoredPart, inside: list[str]) -> Iterator[pa.RecordBatch]:
    if location.on_s3 and part.size <= WHOLE_BYTES:
        small = part.size <= SMALL_BYTES
        content = _small_part(location, part.path) if small else _get(location, part.path)
        yield from pq.ParquetFile(io.BytesIO(content)).iter_batches(_BATCH_ROWS, columns=inside)
        return
    try:
        filesystem, root = location.arrow()
        with filesystem.open_input_file(f"{root}/{part.path}") as source:
            # From a folder piece by piece: a column of a large part need not be in memory at once.
            buffer = 0 if location.on_s3 else _BUFFER_BYTES
            parquet = pq.ParquetFile(source, pre_buffer=location.on_s3, buffer_size=buffer)
            if location.on_s3:  # the size, the footer, and the columns of each row group
                REQUESTS.add(GET, 2 + parquet.num_row_groups)
            yield from parquet.iter_batches(_BATCH_ROWS, columns=inside)
    except OSError as error:
        if isinstance(error, FileNotFoundError) or not location.on_s3:
            raise
        raise explained(error, "GetObject", location) from None


def _get(location: Location, path: str) -> bytes:
    return objects(location).get(path)


# A run reads its new rows several times, and a part never changes.
_small_part = lru_cache(maxsize=256)(_get)


def _check_required(
    table: Table, location: Location, part: StoredPart, inside: list[str], batch: pa.RecordBatch
) -> None:
    lacking = [n for n in inside if n in table.required and n not in batch.schema.names]
    if lacking:
        raise LakeError(
            f"{location.uri}/{part.path} has no column {', '.join(lacking)}, and every row needs a "
            "value there; restore it from a backup, or run with --rebuild"
        )


def _with_partition(
    table: Table, part: StoredPart, batch: pa.RecordBatch, schema: pa.Schema
) -> pa.RecordBatch:
    arrays = []
    for field in schema:
        if field.name in table.partition_by:
            value = pa.scalar(part.partition[field.name]).cast(field.type)
            arrays.append(pa.repeat(value, batch.num_rows))
        elif field.name not in batch.schema.names:  # Arrow leaves out what is not in the file
            arrays.append(pa.nulls(batch.num_rows, field.type))
        else:
            arrays.append(batch.column(field.name).cast(field.type))
    return pa.RecordBatch.from_arrays(arrays, schema=schema)
