"""A small lake with every case that other tools may stumble over, and a release of it."""

from __future__ import annotations

from pathlib import Path

from sparkify_assets.lake.lake import Lake
from sparkify_assets.lake.release import Release, last_release, newest_release, record_release
from sparkify_assets.tables import TABLES
from sparkify_assets_tests import processes
from sparkify_assets_tests.zone import Zone, event


def make_small_lake(folder: Path) -> Lake:
    """A lake of two months, in `folder/lake`: matches and none, nulls, quotes, a month's end."""
    zone = Zone(folder / "landing")
    zone.logs(
        "log_data/2018-11-30-events.json",
        event("2018-11-30 23:59:59.796", level="free"),
        event("2018-12-01 00:03:00.001", itemInSession=1),
        event("2018-11-12 08:00:00", userId="7", sessionId=3, song='It\'s "that"; é', length=1.5),
        event("2018-11-13 08:00:00", userId="7", sessionId=4, location=None, userAgent=None),
    )
    zone.logs(
        "log_data/2018-12-05-events.json",
        event("2018-12-05 10:00:00", userId="7", sessionId=5, level="free"),
    )
    zone.song()
    zone.song("SOOTHER12AB0180000", title="Never heard", artist_latitude=None, year=1999)
    processes.run(zone.root, folder / "lake")
    lake = Lake.at(str(folder / "lake"))
    if newest_release(lake) is None:
        release_now(lake, None)
    return lake


def release_now(lake: Lake, before: Release | None) -> Release:
    """A release of what the tables are now."""
    found = {name: lake.find(table) for name, table in TABLES.items()}
    versions = {name: snapshot.version for name, snapshot in found.items() if snapshot}
    record_release(lake, before, versions)
    return last_release(lake)
