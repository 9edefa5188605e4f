"""Fixtures with S3-compatible servers: one of each kind for the whole test run, a bucket a test."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator

import pytest

from sparkify_assets.settings import Settings, load_settings
from sparkify_assets_tests.refresh.world import World
from sparkify_assets_tests.s3.proxy import Proxy
from sparkify_assets_tests.s3.servers import (
    ACCESS_KEY,
    KINDS,
    MINISTACK,
    MOTO,
    REGION,
    SECRET_KEY,
    Server,
    make_bucket,
    start,
)
from sparkify_assets_tests.s3.zone import BucketZone


@pytest.fixture(scope="session")
def moto_server() -> Iterator[Server]:
    """A moto server; tests share it, so each makes a bucket of its own."""
    with start(MOTO) as server:
        yield server


@pytest.fixture(scope="session")
def ministack_server() -> Iterator[Server]:
    """A ministack server; tests share it, so each makes a bucket of its own."""
    with start(MINISTACK) as server:
        yield server


@pytest.fixture(params=KINDS)
def server(request: pytest.FixtureRequest) -> Server:
    """Each kind of server."""
    found = request.getfixturevalue(f"{request.param}_server")
    assert isinstance(found, Server)
    return found


@pytest.fixture
def bucket(server: Server) -> str:
    """A bucket of this test."""
    return new_bucket(server)


@pytest.fixture
def on_moto(moto_server: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    """The environment of somebody whose S3 is a moto server behind a proxy."""
    yield from _proxied(moto_server, monkeypatch)


@pytest.fixture
def on_ministack(ministack_server: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    """The environment of somebody whose S3 is a ministack server behind a proxy."""
    yield from _proxied(ministack_server, monkeypatch)


@pytest.fixture
def s3_settings(on_moto: Proxy, engine: str) -> Callable[..., Settings]:
    """Makes settings for a landing zone and a lake in buckets of this test."""
    landing, lake = new_bucket(on_moto), new_bucket(on_moto)

    def make(**given: object) -> Settings:
        return load_settings(
            **{
                "landing": f"s3://{landing}/in",
                "lake": f"s3://{lake}/the/lake",
                "engine": engine,
                "first_month": "2018-10",
                "last_month": "2019-03",
                **given,
            }
        )

    return make


@pytest.fixture
def s3_world(on_moto: Proxy, s3_settings: Callable[..., Settings]) -> World:
    """A landing zone and a lake in buckets, with runs through Dagster."""
    return World(BucketZone(on_moto.endpoint, s3_settings().landing), s3_settings)


def new_bucket(server: Server | Proxy) -> str:
    """A new bucket's name."""
    name = f"test-{uuid.uuid4().hex[:12]}"
    make_bucket(server.endpoint, name)
    return name


def environment(endpoint: str) -> dict[str, str]:
    """What a process needs to be somebody on a server."""
    return {
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        "AWS_REGION": REGION,
        "AWS_ENDPOINT_URL": endpoint,
    }


def _proxied(server: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    with Proxy.start(server) as proxy:
        for name, value in environment(proxy.endpoint).items():
            monkeypatch.setenv(name, value)
        yield proxy
