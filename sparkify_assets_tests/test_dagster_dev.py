"""`dagster dev`, as people start it: the workspace loads, and a month materializes by GraphQL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sparkify_assets.lake.lake import Lake
from sparkify_assets.tables import SONGPLAYS
from sparkify_assets_tests.dagster_dev import DagsterDev, until
from sparkify_assets_tests.notices import own_warnings
from sparkify_assets_tests.zone import Zone, event

UPSTREAM = ["raw_logs", "raw_songs", "heard_songs", "song_matches", "songplays"]

LAUNCH = """
mutation ($params: ExecutionParams!) {
  launchPipelineExecution(executionParams: $params) {
    __typename
    ... on LaunchRunSuccess { run { runId } }
    ... on PythonError { message }
    ... on RunConfigValidationInvalid { errors { message } }
  }
}
"""
STATUS = "query ($id: ID!) { runOrError(runId: $id) { ... on Run { status } } }"


@pytest.fixture
def dev(tmp_path: Path, zone: Zone) -> Iterator[DagsterDev]:
    """`dagster dev` on this test's landing zone and lake."""
    del zone  # its folder has to be there
    places = {name: str(tmp_path / name) for name in ("landing", "lake")}
    with DagsterDev(SPARKIFY_LANDING=places["landing"], SPARKIFY_LAKE=places["lake"]) as started:
        yield started


def test_a_month_of_songplays_with_everything_upstream(
    dev: DagsterDev, zone: Zone, tmp_path: Path
) -> None:
    zone.logs("log_data/2018/11/2018-11-15-events.json", event(), event(itemInSession=1))
    zone.song()
    found = dev.repository()
    assets = {"/".join(node["assetKey"]["path"]) for node in found["assetNodes"]}
    assert {"songplays", "users", "songs", "artists", "time", "log_data"} <= assets
    launched = dev.ask(
        LAUNCH,
        params={
            "selector": {
                "repositoryLocationName": found["location"]["name"],
                "repositoryName": found["name"],
                "pipelineName": "refresh",
                "assetSelection": [{"path": [name]} for name in UPSTREAM],
            },
            "mode": "default",
            "executionMetadata": {"tags": [{"key": "dagster/partition", "value": "2018-11"}]},
        },
    )["launchPipelineExecution"]
    assert launched["__typename"] == "LaunchRunSuccess", launched
    run_id = launched["run"]["runId"]
    status = until(
        lambda: (
            state
            if (state := dev.ask(STATUS, id=run_id)["runOrError"]["status"])
            in {"SUCCESS", "FAILURE", "CANCELED"}
            else None
        )
    )
    assert status == "SUCCESS"
    snapshot = Lake.at(str(tmp_path / "lake")).snapshot(SONGPLAYS)
    assert (snapshot.partitions, snapshot.rows) == (["2018-11"], 2)
    assert own_warnings(dev.printed()) == []
