"""What SQL can read: the tables of the lake, and the views for people, described alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources

import pyarrow as pa

from sparkify_assets.analytics.views import VIEWS
from sparkify_assets.tables import DERIVED, PUBLIC, RAW, Column, Table
from sparkify_assets.tables.declaration import INSTANT

_UTC = pa.timestamp("us")
_HERE = "sparkify_assets.analytics"
# Rows of these count only if the ledger names their batch for their file.
_COUNTING = {table.name for table in RAW} - {"landed_files"}


@dataclass(frozen=True)
class Relation:
    """A table or a view.

    Attributes:
        kind: `table` for what analysts use, `view`, or `inner table` for the rest of the lake.
        sql: what it selects; of a table, from its parts in the schema `parts`.
        needs: the relations that the SQL names.
        whole: whether it takes all plays to make any of its rows.
    """

    name: str
    kind: str
    description: str
    columns: tuple[Column, ...]
    sql: str
    needs: tuple[str, ...] = ()
    whole: bool = False

    @property
    def schema(self) -> pa.Schema:
        """What SQL gives: as declared, but instants without a zone. They are UTC."""
        return pa.schema(
            (column.name, _UTC if column.type == INSTANT else column.type)
            for column in self.columns
        )

    @property
    def names(self) -> list[str]:
        """The names of its columns, in order."""
        return [column.name for column in self.columns]


def _of_table(table: Table, kind: str) -> Relation:
    columns = ", ".join(f'"{name}"' for name in table.names)
    sql = f'SELECT {columns} FROM parts."{table.name}"'
    needs: tuple[str, ...] = ()
    if table.name in _COUNTING:
        sql += " SEMI JOIN landed_files USING (source_file, batch)"
        needs = ("landed_files",)
    return Relation(table.name, kind, table.description, table.columns, sql, needs)


def _all() -> dict[str, Relation]:
    found = [_of_table(table, "table") for table in PUBLIC]
    for view in VIEWS:
        sql = resources.files(_HERE).joinpath("views", f"{view.name}.sql").read_text("utf-8")
        about = view.description, view.columns, sql, view.needs, view.whole
        found.append(Relation(view.name, "view", *about))
    found += [_of_table(table, "inner table") for table in (*DERIVED, *RAW)]
    return {relation.name: relation for relation in found}


RELATIONS: Mapping[str, Relation] = _all()


def with_needed(names: frozenset[str]) -> list[Relation]:
    """The relations of these names (all, for `*`) and those that they need, needed ones first."""
    ordered: dict[str, Relation] = {}

    def add(name: str) -> None:
        relation = RELATIONS.get(name)
        if relation is None or name in ordered:
            return
        for needed in relation.needs:
            add(needed)
        ordered[name] = relation

    for name in RELATIONS if "*" in names else sorted(names):
        add(name)
    return list(ordered.values())
