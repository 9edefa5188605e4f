"""What a table's declaration consists of, and the schemas that are derived from it.

The Arrow schema is the one that counts; Spark's and Delta's are made from it. The tables
themselves stand in the modules beside this one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property
from typing import TYPE_CHECKING

import pyarrow as pa

from sparkify_assets.partitions import month_of

if TYPE_CHECKING:
    from pyspark.sql.types import StructType

# The key of the one partition of a table that is replaced as a whole.
WHOLE_TABLE = "all"

TEXT = pa.string()
WHOLE = pa.int64()
SMALL = pa.int32()
NUMBER = pa.float64()
INSTANT = pa.timestamp("us", tz="UTC")
TEXTS = pa.list_(pa.field("element", pa.string()))  # "element" is what Parquet calls it


class Reads(Enum):
    """Which part of an upstream table one partition is made from."""

    FILES_OF_MONTH = "the landed log files with events of the same month"
    FILES = "all landed song files"
    SAME_MONTH = "the same month"
    CONTENT_OF_MONTH = "the same month, by its content (made again with the same rows: no change)"
    WHOLE_TABLE = "the whole table"
    CLOSED_MONTHS = "every month but the two newest"
    OPEN_MONTHS = "the months after those that user_history is made from"


@dataclass(frozen=True)
class Column:
    """One column: its name, Arrow type, meaning, and whether it may be null.

    `refers_to` is the column in which every value of this one stands, as `users.user_id`.
    """

    name: str
    type: pa.DataType
    description: str
    nullable: bool = True
    refers_to: str | None = None

    def to_arrow(self) -> pa.Field:
        return pa.field(
            self.name,
            self.type,
            nullable=self.nullable,
            metadata={"comment": self.description},
        )


@dataclass(frozen=True)
class Table:
    """One table of the lake, declared once.

    Attributes:
        description: grain, source and caveats, for people.
        key: the columns that identify a row.
        partition_by: the partition columns, outermost first; `("year", "month")` for a table by
            month, empty for a table that is replaced as a whole.
        reads: the upstream tables, and which part of each makes one partition. From these (and
            `code_version`) follows whether a partition is up to date.
        uses: of an upstream table only these columns are read; all of those that are not here.
        code_version: raised whenever the transform gives other rows for the same input.
        content_hash: whether a commit also records a hash of the rows, for downstream tables
            that need not be made again when the content is the same.
        lines_a_row: about how many log lines make one row.
        row_bytes: about how many bytes a row takes in a part (`python -m bench.month`). What Apache
            Spark writes is cut by these two.
        personal: whether its rows tell about a person.
        day_of: the timestamp column by whose day rows are counted as they are written.
    """

    name: str
    description: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    partition_by: tuple[str, ...] = ()
    reads: Mapping[str, Reads] = field(default_factory=dict)
    uses: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    code_version: int = 1
    content_hash: bool = False
    day_of: str | None = None
    lines_a_row: int = 1
    row_bytes: float = 30.0
    personal: bool = False

    @property
    def monthly(self) -> bool:
        """Whether a partition is a month of event time."""
        return self.partition_by == ("year", "month")

    @cached_property
    def schema(self) -> pa.Schema:
        """The Arrow schema, with descriptions as field metadata (key `comment`)."""
        return pa.schema([column.to_arrow() for column in self.columns])

    @cached_property
    def plain_schema(self) -> pa.Schema:
        """The Arrow schema without metadata: what data are compared with."""
        return self.schema.remove_metadata()

    def partition_key(self, values: Mapping[str, object]) -> str:
        """The partition that has these values; `WHOLE_TABLE` for a table without partitions."""
        if self.monthly:
            return month_of(int(str(values["year"])), int(str(values["month"])))
        return str(values[self.partition_by[0]]) if self.partition_by else WHOLE_TABLE

    def partition_values(self, key: str) -> dict[str, int | str]:
        """The values of a partition's columns, by its key."""
        if self.monthly:
            year, month = key.split("-")
            return {"year": int(year), "month": int(month)}
        return {self.partition_by[0]: key} if self.partition_by else {}

    @property
    def names(self) -> list[str]:
        """The names of the columns, in order."""
        return [column.name for column in self.columns]

    @property
    def inside(self) -> list[str]:
        """The names of those that stand in the files; the others are the partitions'."""
        return [name for name in self.names if name not in self.partition_by]

    @property
    def required(self) -> list[str]:
        """The columns that may not be null."""
        return [column.name for column in self.columns if not column.nullable]

    def spark_schema(self) -> StructType:
        """The schema for Spark; every column nullable, as Spark reads them."""
        from pyspark.sql.pandas.types import from_arrow_schema

        nullable = [column.to_arrow().with_nullable(True) for column in self.columns]
        return from_arrow_schema(pa.schema(nullable).remove_metadata())

    @cached_property
    def delta_schema(self) -> str:
        """The schema as the Delta log has it, descriptions included: JSON."""
        from deltalake import Schema

        return str(Schema.from_arrow(self.schema).to_json())
