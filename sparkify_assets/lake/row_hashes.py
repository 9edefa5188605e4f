"""A number for each row: of its key, to find equal ones, or of all that stands in it."""

from __future__ import annotations

from functools import cache

import duckdb
import pyarrow as pa


def key_hashes(keys: pa.RecordBatch) -> pa.Array:
    """In 8 bytes; equal for equal keys, null equals null. Good within a process."""
    (kind, *more) = keys.schema.types
    if not more and (pa.types.is_int64(kind) or pa.types.is_timestamp(kind)):
        return keys.column(0).cast(pa.int64()).cast(pa.uint64(), safe=False)
    return _hashes(keys, f"hash({', '.join(keys.schema.names)})")


def content_hashes(rows: pa.RecordBatch) -> pa.Array:
    """In 8 bytes, of the values as text, each after its length; the same in every process.

    Where DuckDB came to write numbers in another way, partitions would once be made again.
    """
    values = ", ".join(
        f"coalesce(strlen({name}::VARCHAR) || ':' || {name}::VARCHAR, '-')"
        for name in rows.schema.names
    )
    return _hashes(rows, f"md5_number_lower(concat({values}))")


def _hashes(rows: pa.RecordBatch, expression: str) -> pa.Array:
    with _database().cursor() as connection:
        connection.register("rows_", rows)
        query = f"SELECT {expression} AS found FROM rows_"  # noqa: S608 -- columns that are declared
        return connection.sql(query).to_arrow_table()["found"].combine_chunks()


@cache
def _database() -> duckdb.DuckDBPyConnection:
    return duckdb.connect(config={"threads": 1})
