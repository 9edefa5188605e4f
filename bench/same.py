"""Whether two contenders made the same five tables: their rows counted and hashed.

`songplay_id` is left out of the hash, as no two engines make the same; that the ids are unique is
counted instead.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import duckdb

from sparkify_assets.lake.lake import Lake
from sparkify_assets.tables import PUBLIC, Table
from sparkify_assets.tables.declaration import INSTANT

_ID = "songplay_id"


class Content(NamedTuple):
    """A table: its rows, a hash of them in any order, and how many ids of its own it has."""

    rows: int
    hash: int
    ids: int


def content(folder: Path) -> dict[str, Content]:
    """What stands in the tables below a folder: plain Parquet, or a lake of this project.

    Raises:
        duckdb.Error: a table or a column is missing.
    """
    with duckdb.connect() as sql:
        sql.execute("SET TimeZone = 'UTC'")
        return {table.name: _content(sql, folder, table) for table in PUBLIC}


def differences(one: dict[str, Content], other: dict[str, Content]) -> list[str]:
    """What differs, in words; empty: they are the same."""
    return [
        f"{name}: {found.rows:,} rows and {other[name].rows:,}"
        if found.rows != other[name].rows
        else f"{name}: {found.rows:,} rows each, with other content"
        for name, found in one.items()
        if found != other[name]
    ]


def _content(sql: duckdb.DuckDBPyConnection, folder: Path, table: Table) -> Content:
    if (folder / table.name / "_delta_log").exists():
        snapshot = Lake.at(str(folder)).snapshot(table)
        files = [f"{folder}/{table.name}/{part.path}" for part in snapshot.parts]
    else:
        files = [f"{folder}/{table.name}/**/*.parquet"]
    columns = [
        f"epoch_us({field.name}) AS {field.name}"
        if field.type == INSTANT
        else f"{field.name}::{_TYPES.get(str(field.type), 'VARCHAR')} AS {field.name}"
        for field in table.plain_schema
        if field.name != _ID
    ]
    ids = f"(SELECT count(DISTINCT {_ID}) FROM {_read(files)})" if _ID in table.names else "0"
    found = sql.sql(
        f"SELECT count(*), coalesce(sum(hash(r)), 0), {ids} "
        f"FROM (SELECT {', '.join(columns)} FROM {_read(files)}) AS r"
    ).fetchall()
    return Content(*map(int, found[0]))


def _read(files: list[str]) -> str:
    return f"read_parquet({files!r}, hive_partitioning = true)"


_TYPES = {"int32": "INTEGER", "int64": "BIGINT", "double": "DOUBLE"}
