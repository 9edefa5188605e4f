"""Another declaration of a table for the length of a test: as a later version would have it."""

from __future__ import annotations

from typing import Any

import pytest

from sparkify_assets.analytics import relations
from sparkify_assets.tables import Column, Table
from sparkify_assets.tables.declaration import SMALL, TEXT

QUARTER = Column("quarter", SMALL, "Quarter of the year, 1 to 4.")
DEVICE = Column("device", TEXT, "What it was played on.")


def declare(monkeypatch: pytest.MonkeyPatch, table: Table, **fields: Any) -> None:
    """Give a table other fields, wherever it is known by now.

    A declaration is frozen and imported by name; so the one object is changed, and what was made
    from it is made anew.
    """
    known = vars(table)
    for name, value in fields.items():
        monkeypatch.setitem(known, name, value)
    for made in ("schema", "plain_schema", "delta_schema"):
        monkeypatch.delitem(known, made, raising=False)
        # Set once, so that it is as before at the end.
        monkeypatch.setitem(known, made, getattr(type(table), made).func(table))
    found = relations.RELATIONS[table.name]
    anew = relations._of_table(table, found.kind)
    monkeypatch.setitem(relations.RELATIONS, table.name, anew)


def add_column(
    monkeypatch: pytest.MonkeyPatch, table: Table, column: Column, **fields: Any
) -> None:
    """Declare a column before the last one of a table, which need not be the last in the log."""
    columns = (*table.columns[:-1], column, table.columns[-1])
    declare(monkeypatch, table, columns=columns, **fields)
