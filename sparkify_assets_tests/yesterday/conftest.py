"""Fixtures: each lake of yesterday with its landing zone, and clean loads to compare with."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from sparkify_assets.refresh.run import refresh
from sparkify_assets.settings import Settings, load_settings
from sparkify_assets_tests.refresh.world import World
from sparkify_assets_tests.s3.fixtures import new_bucket
from sparkify_assets_tests.s3.proxy import Proxy
from sparkify_assets_tests.s3.zone import BucketZone
from sparkify_assets_tests.yesterday.old_lakes import LAKES, LANDING, Yesterday, unpack
from sparkify_assets_tests.zone import Zone

Land = Callable[[Zone], None]


def nothing(_zone: Zone) -> None:
    """Nothing lands."""


@pytest.fixture(params=LAKES, ids=str)
def yesterday(request: pytest.FixtureRequest) -> Yesterday:
    """Each lake of yesterday."""
    found = request.param
    assert isinstance(found, Yesterday)
    return found


@pytest.fixture
def unpacked(tmp_path: Path, engine: str, on_moto: Proxy) -> Callable[[Yesterday], World]:
    """Unpacks a lake of yesterday, with its landing zone in a bucket or a folder."""

    def make(yesterday: Yesterday) -> World:
        lake = unpack(yesterday.name, tmp_path)
        root = unpack(LANDING, tmp_path)
        if yesterday.in_bucket:
            uri = f"s3://{new_bucket(on_moto)}/in"
            zone: Zone = BucketZone(on_moto.endpoint, uri)
            for path in root.rglob("*.json"):
                zone.write(str(path.relative_to(root)), path.read_bytes())
        else:
            uri, zone = str(root), Zone(root)
        return World(zone, settings_for(uri, lake, engine))

    return make


@pytest.fixture
def old(yesterday: Yesterday, unpacked: Callable[[Yesterday], World]) -> World:
    """Each lake of yesterday, unpacked."""
    return unpacked(yesterday)


@pytest.fixture(scope="session")
def clean(tmp_path_factory: pytest.TempPathFactory, engine: str) -> Callable[[Land], World]:
    """A lake that today's code made of the same landing zone and of what lands there today."""

    @cache
    def make(land: Land) -> World:
        folder = tmp_path_factory.mktemp("clean")
        zone = Zone(unpack(LANDING, folder))
        land(zone)
        world = World(zone, settings_for(str(zone.root), folder / "lake", engine))
        world.lake.create_missing()
        refresh(world.settings())
        return world

    return make


def settings_for(landing: str, lake: Path, engine: str) -> Callable[..., Settings]:
    """Makes settings for these places, with the months of yesterday."""

    def make(**given: object) -> Settings:
        return load_settings(
            **{
                "landing": landing,
                "lake": str(lake),
                "engine": engine,
                "first_month": "2018-10",
                "last_month": "2019-03",
                **given,
            }
        )

    return make
