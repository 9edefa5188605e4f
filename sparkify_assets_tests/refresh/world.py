"""A landing zone and a lake, kept current by real Dagster runs, and what is in them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sparkify_assets.lake.lake import Lake
from sparkify_assets.refresh.report import versions
from sparkify_assets.refresh.run import refresh
from sparkify_assets.refresh.steps import Outcome
from sparkify_assets.settings import Settings
from sparkify_assets.tables import PUBLIC, TABLES
from sparkify_assets_tests.zone import Zone


class World:
    """One landing zone with one lake."""

    def __init__(self, zone: Zone, settings: Callable[..., Settings]) -> None:
        self.zone = zone
        self._settings = settings

    def settings(self, **given: Any) -> Settings:
        return self._settings(**given)

    @property
    def lake(self) -> Lake:
        return Lake.at(self._settings().lake)

    def run(self, only: list[str] | None = None, rebuild: bool = False, **given: Any) -> Outcome:
        """One `sparkify run`."""
        self.lake.create_missing()
        return refresh(self._settings(**given), only=only, rebuild=rebuild)

    def changed_by(self, **given: Any) -> set[str]:
        """The tables that a run gives a new version."""
        before = versions(self.lake)
        self.run(**given)
        return {name for name, version in versions(self.lake).items() if version != before[name]}

    def rows(self, name: str, *columns: str) -> list[Any]:
        """Rows of a table, sorted; plain values where one column is asked for."""
        table = self.lake.snapshot(TABLES[name]).read(columns or None)
        found = [tuple(row.values()) for row in table.to_pylist()]
        found.sort(key=lambda row: [(value is not None, str(value)) for value in row])
        return [row[0] for row in found] if len(columns) == 1 else found

    def tables(self) -> dict[str, list[Any]]:
        """All public tables."""
        return {table.name: self.rows(table.name) for table in PUBLIC}


def parts_of(world: World, name: str, month: str) -> list[str]:
    """The files that a month of a table consists of."""
    snapshot = world.lake.snapshot(TABLES[name])
    return [part.path for part in snapshot.parts_of([month])]
