"""A backfill, the run of new files and a reader at the same time on one lake in a bucket."""

from __future__ import annotations

from sparkify_assets.tables import SONGPLAYS
from sparkify_assets_tests import processes
from sparkify_assets_tests.refresh.world import World
from sparkify_assets_tests.zone import Json, event

MONTHS = ("2018-10", "2018-11", "2018-12")


def test_each_ends_well_and_no_month_is_ever_mixed(s3_world: World) -> None:
    zone, settings = s3_world.zone, s3_world.settings()
    zone.song()
    for month in MONTHS:
        zone.logs(f"log_data/{month}-05-events.json", *_events(month, "old", 40))
    places = ("--landing", settings.landing, "--lake", settings.lake, "--engine", settings.engine)
    years = {"SPARKIFY_FIRST_MONTH": MONTHS[0], "SPARKIFY_LAST_MONTH": MONTHS[-1]}
    command = ("run", *places, "--format", "json")
    processes.finish(processes.start(*command, **years))
    for month in MONTHS[:2]:
        zone.logs(f"log_data/{month}-05-events.json", *_events(month, "new", 60))
    backfill = processes.start(*command, "--rebuild", **years)
    follower = processes.start(*command, **years)
    seen = {month: set() for month in MONTHS}  # type: dict[str, set[tuple[str, int]]]
    reads = 0
    while backfill.poll() is None or follower.poll() is None:
        rows = s3_world.lake.snapshot(SONGPLAYS).read(["song", "month"]).to_pylist()
        for month in MONTHS:
            songs = [row["song"] for row in rows if f"2018-{row['month']}" == month]
            seen[month].add((",".join(sorted(set(songs))), len(songs)))
        reads += 1
    processes.finish(backfill)
    processes.finish(follower)
    assert reads > 3
    for month in MONTHS[:2]:
        assert seen[month] <= {("old", 40), ("new", 60)}
        assert s3_world.rows("songplays", "month").count(int(month[5:])) == 60
    assert seen[MONTHS[2]] == {("old", 40)}
    assert processes.finish(processes.start(*command, **years))["changed"] == []


def _events(month: str, song: str, number: int) -> list[Json]:
    return [event(f"{month}-05 10:00:00", song=song, itemInSession=n) for n in range(number)]
