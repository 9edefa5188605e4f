"""Cutting a batch of rows by the partitions that they belong to: once, for all who want to know."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from sparkify_assets.tables import Table


@dataclass(frozen=True)
class Slice:
    """The rows of a batch that belong to one partition, in the order they came.

    Attributes:
        key: of the partition.
        values: of the partition columns, as text.
        rows: all columns.
    """

    key: str
    values: dict[str, str]
    rows: pa.RecordBatch


def by_partition(table: Table, batch: pa.RecordBatch) -> list[Slice]:
    """The rows of each partition; nothing for no rows. Partition columns must be filled."""
    if not batch.num_rows:
        return []
    columns = [pc.dictionary_encode(batch.column(name)) for name in table.partition_by]
    if all(len(column.dictionary) == 1 for column in columns):
        return [_slice(table, columns, batch, 0)]
    codes = _codes(columns)
    order = np.argsort(codes, kind="stable")
    sorted_rows, sorted_codes = batch.take(pa.array(order)), codes[order]
    starts = [0, *(np.flatnonzero(np.diff(sorted_codes)) + 1).tolist()]
    ends = [*starts[1:], batch.num_rows]
    return [
        _slice(table, columns, sorted_rows.slice(start, end - start), int(order[start]))
        for start, end in zip(starts, ends, strict=True)
    ]


def _codes(columns: Sequence[pa.DictionaryArray]) -> npt.NDArray[np.int64]:
    """A number for each row, the same where all partition columns are."""
    codes = np.zeros(len(columns[0]), np.int64)
    for column in columns:
        codes = codes * len(column.dictionary) + column.indices.to_numpy()
    return codes


def _slice(
    table: Table, columns: Sequence[pa.DictionaryArray], rows: pa.RecordBatch, at: int
) -> Slice:
    found: dict[str, Any] = {
        name: column[at].as_py() for name, column in zip(table.partition_by, columns, strict=True)
    }
    values = {name: str(value) for name, value in found.items()}
    return Slice(table.partition_key(found), values, rows)
