"""The job `maintenance` in Dagster: its numbers in the UI, no engine, a schedule that is off."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from dagster import (
    DagsterInstance,
    DefaultScheduleStatus,
    RunRequest,
    ScheduleDefinition,
    build_schedule_context,
)

from sparkify_assets.composition import build_defs
from sparkify_assets.jobs.maintenance import JOB, OP, SCHEDULE
from sparkify_assets.resources.spark import SparkResource
from sparkify_assets.tables import RAW_LOGS
from sparkify_assets_tests.maintenance.bench import Bench


def run(bench: Bench, instance: DagsterInstance, **given: Any) -> Any:
    """One run of the job."""
    job = build_defs(bench.world.settings()).resolve_job_def(JOB)
    return job.execute_in_process(instance=instance, **given)


def metadata(done: Any) -> dict[str, Any]:
    """What the UI shows of the op's output."""
    [event] = [e for e in done.all_events if e.event_type_value == "STEP_OUTPUT"]
    found = event.event_specific_data.metadata
    return {name: value.value for name, value in found.items()}


def _no_session(_: SparkResource) -> None:
    raise AssertionError("an engine was started")


def test_the_job_does_it_all_and_shows_its_numbers(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.many(12)
    bench.land(0, lines=3)
    bench.take_in()
    counting = bench.counting()
    monkeypatch.setattr(SparkResource, "_init_session", _no_session)
    with DagsterInstance.ephemeral() as instance:
        done = run(bench, instance)
        assert done.success
        shown = metadata(done)
        run_tags = instance.get_runs()[0].tags
    assert run_tags["sparkify/lake"] == bench.world.settings().lake
    assert bench.parts("raw_logs") == 1
    assert bench.counting() == counting
    assert (shown["dead_files"], shown["dead_rows"], shown["dry_run"]) == (2, 3, False)
    assert shown["checkpoints"] == 13
    assert shown["tables"]["raw_logs"]["batches_compacted"] == 12
    assert shown["tables"]["raw_logs"]["files_after"] == 1
    assert shown["files_after"] < shown["files_before"]


def test_a_dry_run_in_the_launchpad(bench: Bench) -> None:
    bench.many(12)
    versions = bench.versions()
    config = {"ops": {OP: {"config": {"dry_run": True}}}}
    with DagsterInstance.ephemeral() as instance:
        shown = metadata(run(bench, instance, run_config=config))
    assert bench.versions() == versions
    assert bench.parts("raw_logs") == 12
    assert shown["dry_run"] is True
    assert shown["batches_compacted"] == 12 + 4  # of the rejects, too


def test_a_run_in_which_something_is_wrong_fails_with_its_numbers(bench: Bench) -> None:
    bench.many(12)
    snapshot = bench.lake.snapshot(RAW_LOGS)
    Path(snapshot.location.uri, snapshot.parts[0].path).unlink()
    with DagsterInstance.ephemeral() as instance:
        done = run(bench, instance, raise_on_error=False)
    assert not done.success
    failure = done.failure_data_for_node(OP)
    assert "left as they are: 2018-11: " in failure.error.message
    assert failure.user_failure_data.metadata["checkpoints"].value == 13


def test_a_lake_that_is_not_there_is_not_made(bench: Bench, tmp_path: Path) -> None:
    settings = bench.world.settings(lake=str(tmp_path / "none"))
    with DagsterInstance.ephemeral() as instance:
        assert (
            build_defs(settings).resolve_job_def(JOB).execute_in_process(instance=instance).success
        )
    assert not (tmp_path / "none").exists()


def test_the_schedule_is_off_until_somebody_turns_it_on(bench: Bench) -> None:
    schedule = build_defs(bench.world.settings()).resolve_schedule_def(SCHEDULE)
    assert isinstance(schedule, ScheduleDefinition)
    assert schedule.default_status is DefaultScheduleStatus.STOPPED
    assert (schedule.cron_schedule, schedule.execution_timezone) == ("0 3 * * *", "UTC")
    assert schedule.job_name == JOB
    with DagsterInstance.ephemeral() as instance:
        tick = schedule.evaluate_tick(build_schedule_context(instance))
    [request] = tick.run_requests or []
    assert isinstance(request, RunRequest)
