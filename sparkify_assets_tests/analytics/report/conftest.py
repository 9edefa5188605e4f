"""Lakes of a test's own, to be changed."""

from __future__ import annotations

import shutil

import pytest

from sparkify_assets.lake.lake import Lake
from sparkify_assets_tests.refresh.world import World
from sparkify_assets_tests.zone import event


@pytest.fixture
def loaded(world: World) -> World:
    """November and December with a play each, and a release."""
    for month in ("2018-11", "2018-12"):
        world.zone.logs(f"log_data/{month}-05-events.json", event(f"{month}-05 10:00"))
    world.zone.song()
    world.run()
    return world


@pytest.fixture
def copied(world: World, small_lake: Lake) -> World:
    """A copy of the small lake, without its landing zone and reports."""
    shutil.copytree(
        small_lake.location.uri,
        world.lake.location.uri,
        ignore=shutil.ignore_patterns("_reports"),
        dirs_exist_ok=True,
    )
    return world
