"""Fixtures for all tests: the engine under test, a lake and a landing zone of their own."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pyspark.sql import SparkSession
from sqlalchemy import Engine, event

from sparkify_assets.lake.lake import Lake
from sparkify_assets.resources.spark import SparkResource
from sparkify_assets.settings import EMBEDDED, Settings, load_settings
from sparkify_assets_tests.refresh.world import World
from sparkify_assets_tests.s3.fixtures import (  # noqa: F401 -- fixtures for all tests
    bucket,
    ministack_server,
    moto_server,
    on_ministack,
    on_moto,
    s3_settings,
    s3_world,
    server,
)
from sparkify_assets_tests.zone import Zone

_shared: list[SparkResource] = []


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--engine", default=EMBEDDED, help="embedded or a Spark master")


@pytest.fixture(scope="session")
def engine(request: pytest.FixtureRequest) -> str:
    """The engine that this test run is for; a process has but one."""
    return str(request.config.getoption("--engine"))


@pytest.fixture(autouse=True, scope="session")
def _own_instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A Dagster instance for the tests alone, and no setting from outside."""
    before = dict(os.environ)
    for name in list(os.environ):
        if name.startswith("SPARKIFY_") and name != "SPARKIFY_REAL_DATA":
            del os.environ[name]
    home = tmp_path_factory.mktemp("dagster")
    (home / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    os.environ["DAGSTER_HOME"] = str(home)
    yield
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture(autouse=True, scope="session")
def _quick_history() -> Iterator[None]:
    """Dagster's events are not forced to the disk one by one: small runs take a third of the time.

    No test ends the machine, and what a killed process has written the system still has. It is so
    for all of SQLAlchemy's SQLite in this process, and for no process that a test starts.
    """

    def do_not_wait(connection: object, _record: object) -> None:
        if isinstance(connection, sqlite3.Connection):
            connection.execute("PRAGMA synchronous=OFF")

    event.listen(Engine, "connect", do_not_wait)
    yield
    event.remove(Engine, "connect", do_not_wait)


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No .env, dl.cfg or AWS account of whoever runs the tests."""
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)
    before = dict(os.environ)
    # Loading settings leaves its style here: a fixture of the whole test run may have done so.
    for name in [n for n in os.environ if n.startswith("AWS_") or n == "SPARKIFY_S3_STYLE"]:
        del os.environ[name]
    os.environ["AWS_EC2_METADATA_DISABLED"] = "true"
    os.environ["AWS_CONFIG_FILE"] = os.environ["AWS_SHARED_CREDENTIALS_FILE"] = "/dev/null"
    yield
    # A session that this test began lives on, and PySpark remembers here what kind it is.
    sessions = {n: value for n, value in os.environ.items() if n.startswith("SPARK_")}
    os.environ.clear()
    os.environ.update(before | sessions)


@pytest.fixture
def spark(engine: str) -> SparkSession:
    """A session on the engine under test; a run that stops it costs the next test a new one."""
    if not _shared or _stopped(_shared[0]):
        _shared[:] = [SparkResource(engine=engine)]
    return _shared[0].session


def _stopped(resource: SparkResource) -> bool:
    if resource.engine == EMBEDDED:
        return False
    return resource.session.sparkContext._jsc is None


def pytest_sessionfinish() -> None:
    for resource in _shared:
        resource.stop()


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """A lake of its own, with every table made and empty."""
    lake = Lake.at(str(tmp_path / "lake"))
    lake.create_missing()
    return lake


@pytest.fixture
def zone(tmp_path: Path) -> Zone:
    """An empty landing zone."""
    return Zone(tmp_path / "landing")


@pytest.fixture
def settings(tmp_path: Path, engine: str) -> Callable[..., Settings]:
    """Makes settings for the landing zone and lake of this test, months 2018-10 to 2019-03."""

    def make(**given: object) -> Settings:
        return load_settings(
            **{
                "landing": str(tmp_path / "landing"),
                "lake": str(tmp_path / "lake"),
                "engine": engine,
                "first_month": "2018-10",
                "last_month": "2019-03",
                **given,
            }
        )

    return make


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The real input; where there is none, its tests are skipped, but never in CI."""
    found = os.environ.get("SPARKIFY_REAL_DATA", "")
    if not (Path(found) / "log_data").is_dir():
        reason = f"SPARKIFY_REAL_DATA: no real input in {found or '(not set)'}"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return Path(found).absolute()


@pytest.fixture
def world(zone: Zone, settings: Callable[..., Settings]) -> World:
    """The landing zone and lake of this test, with runs through Dagster."""
    return World(zone, settings)
