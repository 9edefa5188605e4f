"""Words of SQL that several modules write: types, texts, instants."""

from __future__ import annotations

import pyarrow as pa


def sql_type(kind: pa.DataType) -> str:
    """The name of a column's type as DuckDB's DESCRIBE tells it."""
    if pa.types.is_list(kind):
        return f"{sql_type(kind.value_type)}[]"
    if pa.types.is_timestamp(kind):
        return "TIMESTAMP WITH TIME ZONE" if kind.tz else "TIMESTAMP"
    return _NAMES[kind]


def text(value: str) -> str:
    """A text as every SQL has it."""
    return "'" + value.replace("'", "''") + "'"


def utc(name: str) -> str:
    """An instant's column without its zone, under the same name: DuckDB's SQL."""
    return f'make_timestamp(epoch_us("{name}")) AS "{name}"'


_NAMES = {
    pa.string(): "VARCHAR",
    pa.int64(): "BIGINT",
    pa.int32(): "INTEGER",
    pa.float64(): "DOUBLE",
    pa.bool_(): "BOOLEAN",
    pa.date32(): "DATE",
}
