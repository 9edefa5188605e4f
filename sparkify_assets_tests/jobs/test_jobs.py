"""The jobs: what they refuse, and what they make again."""

from __future__ import annotations

from typing import Any

import pytest
from dagster import AssetKey, DagsterInstance

from sparkify_assets.composition import REFRESH, build_defs
from sparkify_assets.jobs.rebuild import REBUILD_JOB
from sparkify_assets.jobs.rematch import REMATCH
from sparkify_assets.refresh.reasons import reasons
from sparkify_assets.refresh.report import versions
from sparkify_assets.refresh.run_tags import range_tags
from sparkify_assets.sensors.due import SONG_TABLES
from sparkify_assets_tests.refresh.world import World, parts_of
from sparkify_assets_tests.zone import event

MONTHS = ("2018-11", "2018-12")


def run(world: World, job: str, assets: list[str] | None = None, **given: Any) -> Any:
    """A run of a job, as it is configured."""
    found = build_defs(world.settings()).resolve_job_def(job)
    return found.execute_in_process(
        instance=DagsterInstance.ephemeral(),
        raise_on_error=False,
        asset_selection=[AssetKey(name) for name in assets] if assets else None,
        **given,
    )


@pytest.fixture
def loaded(world: World) -> World:
    """Two months and a song, loaded."""
    for month in MONTHS:
        world.zone.logs(f"log_data/{month}-15-events.json", event(f"{month}-15 10:00"))
    world.zone.song()
    world.run()
    return world


@pytest.mark.parametrize("job", [REFRESH, REBUILD_JOB, REMATCH])
def test_without_a_month_a_job_makes_nothing_and_says_what_to_do(world: World, job: str) -> None:
    world.zone.song()
    world.lake.create_missing()
    before = versions(world.lake)
    done = run(world, job)
    assert not done.success
    assert versions(world.lake) == before
    told = str(reasons(done.dagster_run.tags, done.all_events))
    assert told.startswith(f"{job}: no month was chosen, so nothing was made. Choose a month or")
    assert "`sparkify run`" in told
    assert "new_files" in told
    assert "\n" not in told


def test_a_month_among_the_selected_assets_is_enough_to_be_refused(world: World) -> None:
    world.zone.song()
    world.lake.create_missing()
    done = run(world, REFRESH, ["raw_songs", "songs", "songplays"])
    assert "no month was chosen" in str(reasons({}, done.all_events))
    assert world.rows("raw_songs") == []


def test_assets_without_months_need_none(world: World) -> None:
    world.zone.song()
    assert run(world, REFRESH, list(SONG_TABLES)).success
    assert world.rows("songs", "title") == ["Setanta matins"]


def test_rebuild_reads_a_month_again_and_makes_all_its_tables(loaded: World) -> None:
    before, rows, batches = versions(loaded.lake), loaded.tables(), batches_of(loaded)
    other = {name: parts_of(loaded, name, "2018-12") for name in ("songplays", "time")}
    assert run(loaded, REBUILD_JOB, partition_key="2018-11").success
    assert changed_since(loaded, before) == set(before)
    assert loaded.tables() == rows
    assert {name: parts_of(loaded, name, "2018-12") for name in other} == other
    changed = {key for key, batch in batches_of(loaded).items() if batches[key] != batch}
    assert changed == {
        "log_data/2018-11-15-events.json",
        "song_data/A/B/C/TRSOZCTXZ12AB0182364.json",
    }


def test_rematch_makes_the_matches_of_a_month_again_and_reads_no_file(loaded: World) -> None:
    before, batches = versions(loaded.lake), batches_of(loaded)
    assert run(loaded, REMATCH, partition_key="2018-11").success
    assert changed_since(loaded, before) == {"song_matches", "songplays", "time"}
    assert batches_of(loaded) == batches


def test_a_range_is_made_again_as_one(loaded: World) -> None:
    before = [parts_of(loaded, "songplays", month) for month in MONTHS]
    job = build_defs(loaded.settings()).resolve_job_def(REMATCH)
    # As Dagster's daemon does for neighbouring months: the configuration is the first one's.
    config = job.get_run_config_for_partition_key("2018-11")
    done = run(loaded, REMATCH, tags=range_tags(MONTHS), run_config=config)
    assert done.success
    now = [parts_of(loaded, "songplays", month) for month in MONTHS]
    assert all(old != new for old, new in zip(before, now, strict=True))


def test_without_its_configuration_a_rebuild_does_not_pass_for_one(loaded: World) -> None:
    done = run(loaded, REBUILD_JOB, tags=range_tags(MONTHS))
    assert not done.success
    told = str(reasons(done.dagster_run.tags, done.all_events))
    assert told.startswith("rebuild: started without its configuration, so nothing was made again")


def test_the_descriptions_say_when_to_use_a_job(world: World) -> None:
    defs = build_defs(world.settings())
    for job in (REBUILD_JOB, REMATCH):
        described = defs.resolve_job_def(job).description or ""
        assert "For when" in described
        assert "`refresh`" in described


def changed_since(world: World, before: dict[str, int]) -> set[str]:
    """The tables that were made again since then."""
    return {name for name, version in versions(world.lake).items() if version != before[name]}


def batches_of(world: World) -> dict[str, str]:
    """By landing file, the reading whose rows count."""
    return dict(world.rows("landed_files", "source_file", "batch"))
