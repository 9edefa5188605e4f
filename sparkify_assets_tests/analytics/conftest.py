"""Lakes to ask: a sample of three months, and the real input."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sparkify_assets.analytics.session import Session, open_session
from sparkify_assets.lake.lake import Lake
from sparkify_assets.sample import Sample, write_sample
from sparkify_assets_tests.analytics.recorded import loaded


@pytest.fixture(scope="session")
def sample_lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """2018-01 to 2018-03."""
    folder = tmp_path_factory.mktemp("sample")
    write_sample(
        folder / "landing",
        Sample(songs=60, users=40, events=1500, first_month="2018-01", last_month="2018-03"),
    )
    return loaded(folder / "landing", folder / "lake", "2018-01", "2018-03")


@pytest.fixture(scope="session")
def real_lake(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Lake:
    return loaded(real_data, tmp_path_factory.mktemp("real") / "lake", "2018-11", "2018-11")


@pytest.fixture
def sample(sample_lake: Lake) -> Iterator[Session]:
    """A session over the sample."""
    with open_session(sample_lake) as session:
        yield session


@pytest.fixture
def real(real_lake: Lake) -> Iterator[Session]:
    """A session over the real input."""
    with open_session(real_lake) as session:
        yield session
