"""The jobs as they are launched in the UI: by GraphQL, through `dagster dev` and its daemon."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sparkify_assets.jobs.rematch import REMATCH
from sparkify_assets_tests.dagster_dev import DagsterDev, until
from sparkify_assets_tests.refresh.world import World, parts_of
from sparkify_assets_tests.zone import event

MONTHS = ["2018-11", "2018-12"]
LAUNCH = """
mutation ($params: ExecutionParams!) {
  launchPipelineExecution(executionParams: $params) {
    __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message }
  }
}
"""
BACKFILL = """
mutation ($params: LaunchBackfillParams!) {
  launchPartitionBackfill(backfillParams: $params) {
    __typename ... on LaunchBackfillSuccess { backfillId } ... on PythonError { message }
  }
}
"""
EVENTS = """
query ($id: ID!) {
  logsForRun(runId: $id) { ... on EventConnection { events {
    __typename
    ... on RunFailureEvent { message error { message className } }
    ... on ExecutionStepStartEvent { stepKey }
  } } }
}
"""


@pytest.fixture
def dev(world: World, tmp_path: Path) -> Iterator[DagsterDev]:
    """`dagster dev` over two months and a song, loaded."""
    for month in MONTHS:
        world.zone.logs(f"log_data/{month}-15-events.json", event(f"{month}-15 10:00"))
    world.zone.song()
    world.run()
    home = tmp_path / "home"
    home.mkdir()
    (home / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    settings = world.settings()
    with DagsterDev(
        DAGSTER_HOME=str(home),
        SPARKIFY_LANDING=settings.landing,
        SPARKIFY_LAKE=settings.lake,
        SPARKIFY_FIRST_MONTH=settings.first_month,
        SPARKIFY_LAST_MONTH=settings.end_month,
    ) as started:
        yield started


def ended(dev: DagsterDev) -> Any:
    """The newest run, once it has ended."""
    return until(lambda: next((run for run in dev.runs()[:1] if run["endTime"]), None), 180)


def test_launched_as_in_the_ui(dev: DagsterDev, world: World) -> None:
    found = dev.repository()
    selector = {
        "repositoryLocationName": found["location"]["name"],
        "repositoryName": found["name"],
    }
    # A job's launchpad, without a month.
    launched = dev.ask(
        LAUNCH,
        params={"selector": {**selector, "pipelineName": "refresh"}, "mode": "default"},
    )["launchPipelineExecution"]
    assert launched["__typename"] == "LaunchRunSuccess", launched
    assert ended(dev)["status"] == "FAILURE"
    events = dev.ask(EVENTS, id=launched["run"]["runId"])["logsForRun"]["events"]
    assert not [one for one in events if one["__typename"] == "ExecutionStepStartEvent"]
    failures = [one for one in events if one["__typename"] == "RunFailureEvent"]
    assert (
        failures[0]["error"]["message"]
        .partition(": ")[2]
        .startswith("refresh: no month was chosen, so nothing was made. Choose a month or a range")
    )
    # Two months in the dialog of a job's page: one run, with the job's configuration.
    before = [parts_of(world, "songplays", month) for month in MONTHS]
    backfill = dev.ask(
        BACKFILL,
        params={
            "selector": {
                "partitionSetName": f"{REMATCH}_partition_set",
                "repositorySelector": selector,
            },
            "partitionNames": MONTHS,
            "fromFailure": False,
        },
    )["launchPartitionBackfill"]
    assert backfill["__typename"] == "LaunchBackfillSuccess", backfill
    until(lambda: len(dev.runs()) > 1, 120)
    run = ended(dev)
    assert (run["status"], len(dev.runs())) == ("SUCCESS", 2)
    assert run["tags"]["dagster/asset_partition_range_start"] == MONTHS[0]
    assert run["tags"]["dagster/asset_partition_range_end"] == MONTHS[1]
    now = [parts_of(world, "songplays", month) for month in MONTHS]
    assert all(old != new for old, new in zip(before, now, strict=True))
