"""`dagster dev` with the sensor on: what lands in the bucket is in the tables without a command."""

from __future__ import annotations

from pathlib import Path

from sparkify_assets.sensors.new_files import NAME
from sparkify_assets.tables import SONGPLAYS
from sparkify_assets_tests.dagster_dev import DagsterDev, until
from sparkify_assets_tests.refresh.world import World
from sparkify_assets_tests.zone import event


def test_new_overwritten_late_files_and_new_songs(s3_world: World, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    settings = s3_world.settings()
    zone = s3_world.zone

    def songs() -> list[str]:
        made = s3_world.lake.find(SONGPLAYS)
        return sorted(made.read(["song"])["song"].to_pylist()) if made else []

    def matches() -> list[str]:
        found = s3_world.lake.snapshot(SONGPLAYS).read(["song_id"])
        return [song for song in found["song_id"].to_pylist() if song]

    with DagsterDev(
        DAGSTER_HOME=str(home),
        SPARKIFY_LANDING=settings.landing,
        SPARKIFY_LAKE=settings.lake,
        SPARKIFY_FIRST_MONTH=settings.first_month,
        SPARKIFY_LAST_MONTH=settings.end_month,
        SPARKIFY_SENSOR_SECONDS="3",
    ) as dev:
        dev.start_sensor(NAME)
        until(lambda: dev.ticks(NAME))
        zone.logs("log_data/2018/12/a.json", event("2018-12-05 10:00", song="a"))
        until(lambda: songs() == ["a"], 180)
        zone.logs("log_data/2018/12/a.json", event("2018-12-05 10:00", song="b"))
        until(lambda: songs() == ["b"], 180)
        zone.logs("log_data/2018/11/late.json", event(song="late"))
        until(lambda: songs() == ["b", "late"], 180)
        zone.song("SOB", title="b")
        until(lambda: matches() == ["SOB"], 180)
        until(lambda: all(run["endTime"] for run in dev.runs()), 120)
        assert {run["status"] for run in dev.runs()} == {"SUCCESS"}
        until(lambda: "Nothing to start" in (dev.ticks(NAME)[0]["skipReason"] or ""), 60)
        assert all(tick["status"] != "FAILURE" for tick in dev.ticks(NAME))
    assert s3_world.run().run_ids == []
