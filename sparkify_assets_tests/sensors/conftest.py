"""Fixtures of the sensor's tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from dagster import DagsterInstance

from sparkify_assets.settings import Settings
from sparkify_assets_tests.refresh.world import World
from sparkify_assets_tests.sensors.station import Station


@pytest.fixture(params=["folder", "bucket"])
def place(request: pytest.FixtureRequest) -> World:
    """A landing zone with a lake, once in folders and once in buckets."""
    found = request.getfixturevalue("world" if request.param == "folder" else "s3_world")
    assert isinstance(found, World)
    return found


@pytest.fixture
def station(place: World) -> Iterator[Station]:
    """The sensor over that place."""
    with DagsterInstance.ephemeral() as instance:
        yield Station(place.settings, instance)


@pytest.fixture
def folder_station(world: World, settings: Callable[..., Settings]) -> Iterator[Station]:
    """The sensor over folders."""
    with DagsterInstance.ephemeral() as instance:
        yield Station(settings, instance)
