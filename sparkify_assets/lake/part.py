"""What a Parquet file of a table is to a commit."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Part:
    """One Parquet file of a table, as its writer describes it.

    Attributes:
        path: relative to the table's folder.
        partition: values of the partition columns, as text.
        size: bytes.
        nulls: count of nulls by column.
        columns: `name: type` of the columns inside the file.
        written_at: milliseconds since the epoch.
    """

    path: str
    partition: dict[str, str]
    size: int
    rows: int
    nulls: dict[str, int]
    columns: dict[str, str]
    written_at: int
