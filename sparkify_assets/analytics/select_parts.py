"""The SELECT that reads the parts of a table: every column as declared, also of older parts."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from sparkify_assets.analytics.part_files import PartFiles
from sparkify_assets.analytics.sql import sql_type, text, utc
from sparkify_assets.lake.snapshot import Snapshot
from sparkify_assets.tables import Table
from sparkify_assets.tables.declaration import INSTANT

_YEAR_MONTH = "year_month"


def select_parts(files: PartFiles, table: Table, snapshot: Snapshot) -> str:
    """SQL that gives the rows of a snapshot: the columns in the order in which they are declared.

    Instants are UTC without a zone. Last comes `year_month`, of a table with months.

    Args:
        files: takes the parts.
    """
    types = {field.name: sql_type(field.type) for field in table.plain_schema}
    if table.monthly:
        types[_YEAR_MONTH] = "VARCHAR"
    selected = _selected(table, types, _paths(files, table, snapshot))
    # UTC without a zone: parts of a time with one take several times as long.
    instants = {field.name for field in table.plain_schema if field.type == INSTANT}
    # By name: in a part the columns of its path come last, wherever they are declared.
    columns = ", ".join(utc(name) if name in instants else f'"{name}"' for name in types)
    return f"SELECT {columns} FROM ({selected})"


def _paths(files: PartFiles, table: Table, snapshot: Snapshot) -> dict[frozenset[str], list[str]]:
    """The parts by the columns that were counted as they were written."""
    found: dict[frozenset[str], list[str]] = {}
    for part in snapshot.parts:
        month = f"/{_YEAR_MONTH}={table.partition_key(part.partition)}"
        folder = f"{table.name}/{snapshot.version}{month if table.monthly else ''}"
        path = files.add(folder, snapshot.location, part)
        found.setdefault(frozenset(part.nulls), []).append(path)
    return found


def _selected(
    table: Table, types: Mapping[str, str], paths: Mapping[frozenset[str], Collection[str]]
) -> str:
    in_path = {*table.partition_by, *([_YEAR_MONTH] if table.monthly else [])}
    hive = ", ".join(f"'{name}': {types[name]}" for name in sorted(in_path))
    options = f"hive_partitioning = {bool(in_path)}"
    options += f", hive_types = {{{hive}}}" if in_path else ""
    # DuckDB takes the columns of the first of several files for those of all. So parts with other
    # columns are read apart; where nobody counted, each has to be opened first.
    reads = [
        f"SELECT * FROM read_parquet([{', '.join(map(text, some))}], {options}"
        f"{'' if columns else ', union_by_name = true'})"
        for columns, some in paths.items()
    ]
    if paths.keys() == {frozenset(table.inside)}:
        return reads[0]
    # Which columns there are, and of what type, is said first: maybe no part has all of them.
    nothing = ", ".join(f'NULL::{kind} AS "{name}"' for name, kind in types.items())
    return " UNION ALL BY NAME ".join([f"SELECT {nothing} WHERE false", *reads])
