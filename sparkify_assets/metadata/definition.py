"""What is known of an asset before any run, all of it from the table's declaration."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
from dagster import (
    TableColumn,
    TableColumnConstraints,
    TableConstraints,
    TableSchema,
)

from sparkify_assets.storage.location import Location
from sparkify_assets.tables import Column, Table

_TYPES = {
    pa.string(): "string",
    pa.int64(): "bigint",
    pa.int32(): "int",
    pa.float64(): "double",
    pa.timestamp("us", tz="UTC"): "timestamp (UTC)",
}


def description(table: Table) -> str:
    """Markdown: what a row is, then key, partitions and sources as a list."""
    facts = [f"**Key:** {_code(table.key)}"]
    if table.monthly:
        facts.append("**Partitions:** month of the event, UTC (`YYYY-MM`)")
    elif table.partition_by:
        facts.append(f"**Partitions:** {_code(table.partition_by)}")
    else:
        facts.append("**Partitions:** none; replaced as a whole")
    facts += [f"**Made from** `{name}`: {reads.value}" for name, reads in table.reads.items()]
    facts.append(f"**In SQL:** `sparkify query 'FROM {table.name} LIMIT 10'`")
    return "\n".join([table.description, "", *[f"- {fact}" for fact in facts]])


def table_metadata(table: Table, lake: str) -> dict[str, Any]:
    """Columns with descriptions and constraints, name and place of the table."""
    location = Location(lake.rstrip("/")).join(table.name)
    return {
        "dagster/column_schema": column_schema(table),
        "dagster/table_name": table.name,
        "dagster/uri": location.uri,
        "dagster/storage_kind": "s3" if location.on_s3 else "folder",
    }


def column_schema(table: Table) -> TableSchema:
    """The columns as Dagster shows them."""
    return TableSchema(
        columns=[_column(table, column) for column in table.columns],
        constraints=TableConstraints(other=[f"unique: {', '.join(table.key)}"]),
    )


def tags(table: Table, layer: str) -> dict[str, str]:
    """For searching in the UI: the layer, and whether rows tell about a person."""
    return {
        "sparkify/layer": layer,
        "sparkify/personal_data": "yes" if table.personal else "no",
    }


def _column(table: Table, column: Column) -> TableColumn:
    other = []
    if column.name in table.key and len(table.key) > 1:
        other.append("part of the key")
    if column.name in table.partition_by:
        other.append("partition column")
    if column.refers_to:
        other.append(f"refers to {column.refers_to}")
    return TableColumn(
        name=column.name,
        type=_TYPES.get(column.type, str(column.type)),
        description=column.description,
        constraints=TableColumnConstraints(
            nullable=column.nullable, unique=table.key == (column.name,), other=other
        ),
    )


def _code(names: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in names)
