"""A small lake with two months and a release, made once for all tests of SQL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sparkify_assets.analytics.session import Session, open_session
from sparkify_assets.lake.lake import Lake
from sparkify_assets.refresh.run import refresh
from sparkify_assets.settings import load_settings
from sparkify_assets_tests.zone import Zone, event

MONTHS = ("2018-11", "2018-12")


@pytest.fixture(scope="session")
def small_lake(tmp_path_factory: pytest.TempPathFactory, engine: str) -> Lake:
    """November: three plays of two users, one matched; December: two of one user, now paying."""
    root = tmp_path_factory.mktemp("analytics")
    zone = Zone(Path(root, "landing"))
    zone.logs(
        "log_data/2018-11-05-events.json",
        event("2018-11-05 10:00", level="free", userId="1", firstName="Ann"),
        event("2018-11-05 10:05", level="free", userId="1", itemInSession=1, song="Undo",
              artist="Björk", length=60.5),
        event("2018-11-30 23:59:30", level="paid", userId="2", sessionId=2),
        event("2018-11-05 10:06", page="Home", userId="1", itemInSession=2, song=None),
    )  # fmt: skip
    zone.logs(
        "log_data/2018-12-06-events.json",
        event("2018-12-06 10:00", level="paid", userId="1", sessionId=3),
        event("2018-12-06 10:10", level="paid", userId="1", sessionId=3, itemInSession=1,
              song="It's | \"new\"", artist="Nobody"),
    )  # fmt: skip
    zone.write("log_data/2018-12-07-events.json", "torn {")
    zone.song()
    zone.song("SOAAAAA12AB0182364", title="Never heard", artist_id="ARAAAAA1187FB35FF4")
    settings = load_settings(
        landing=str(zone.root),
        lake=str(root / "lake"),
        engine=engine,
        first_month="2018-10",
        last_month="2019-03",
    )
    lake = Lake.at(settings.lake)
    lake.create_missing()
    refresh(settings)
    return lake


@pytest.fixture
def session(small_lake: Lake) -> Iterator[Session]:
    """SQL over the newest release of the small lake."""
    with open_session(small_lake) as session:
        yield session
