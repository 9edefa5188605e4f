"""Fixtures: PostgreSQL, sample data of two years, and a deployment on both."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from sparkify_assets.partitions import months_between
from sparkify_assets.sample import Sample, write_sample
from sparkify_assets_tests.deploy.deployment import CODE, DAEMON, WEBSERVER, Deployment
from sparkify_assets_tests.deploy.postgres import Postgres, installed_postgres

FIRST, LAST = "2018-11", "2020-10"
DATABASE = "dagster_prod"


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    """PostgreSQL, where it is installed."""
    with Postgres(installed_postgres()) as started:
        yield started


@dataclass(frozen=True)
class Stage:
    """One stage: its landing zone, its lake and its months."""

    folder: Path

    @property
    def months(self) -> list[str]:
        return months_between(FIRST, LAST)

    @property
    def lake(self) -> Path:
        return self.folder / "lake"

    def settings(self, lake: str = "lake") -> dict[str, str]:
        """Its environment, as in deploy/stage.env.example; also with another lake."""
        return {
            "SPARKIFY_LANDING": str(self.folder / "landing"),
            "SPARKIFY_LAKE": str(self.folder / lake),
            "SPARKIFY_FIRST_MONTH": FIRST,
            "SPARKIFY_LAST_MONTH": LAST,
        }


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    """A stage with two years of data."""
    folder = tmp_path_factory.mktemp("stage")
    write_sample(
        folder / "landing",
        Sample(songs=40, users=15, events=150, first_month=FIRST, last_month=LAST, bad_lines=5),
    )
    return Stage(folder)


@pytest.fixture(scope="module")
def deployment(postgres: Postgres, stage: Stage) -> Iterator[Deployment]:
    """Code server, daemon and webserver on that stage; all are up again before each test."""
    settings = {**stage.settings(), **postgres.database(DATABASE)}
    with Deployment(stage.folder / "dagster", settings) as deployment:
        yield deployment


@pytest.fixture(autouse=True)
def _all_up(request: pytest.FixtureRequest) -> None:
    if "deployment" in request.fixturenames:
        found: Deployment = request.getfixturevalue("deployment")
        found.start_missing(CODE, DAEMON, WEBSERVER)
