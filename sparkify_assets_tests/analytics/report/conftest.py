"""The small lake's loaded twin: one of a test's own, to be changed."""

from __future__ import annotations

import pytest

from sparkify_assets_tests.refresh.world import World
from sparkify_assets_tests.zone import event


@pytest.fixture
def loaded(world: World) -> World:
    """November and December with a play each, a release, and their reports."""
    for month in ("2018-11", "2018-12"):
        world.zone.logs(f"log_data/{month}-05-events.json", event(f"{month}-05 10:00"))
    world.zone.song()
    world.run()
    return world
