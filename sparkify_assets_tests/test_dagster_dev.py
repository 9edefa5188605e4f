"""`dagster dev`, as people start it: the workspace loads, and a month materializes by GraphQL."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sparkify_assets.lake.lake import Lake
from sparkify_assets.tables import SONGPLAYS
from sparkify_assets_tests.zone import Zone, event

PROJECT = Path(__file__).parents[1]
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
LOCATION = """
{ repositoriesOrError { ... on RepositoryConnection { nodes {
    name location { name } assetNodes { assetKey { path } }
} } } }
"""

Ask = Callable[..., Any]


@pytest.fixture
def ask(tmp_path: Path, zone: Zone) -> Iterator[Ask]:
    """Starts `dagster dev` on the project's workspace.yaml; asks its GraphQL."""
    del zone  # its folder has to be there
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {
        **os.environ,
        "SPARKIFY_LANDING": str(tmp_path / "landing"),
        "SPARKIFY_LAKE": str(tmp_path / "lake"),
    }
    command = [str(Path(sys.executable).with_name("dagster")), "dev"]
    process = subprocess.Popen(
        [*command, "--host", "127.0.0.1", "--port", str(port)],
        cwd=PROJECT,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )

    def graphql(query: str, **variables: Any) -> Any:
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}/graphql",
            data=json.dumps({"query": query, "variables": variables}).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=30) as reply:  # noqa: S310
            return json.load(reply)["data"]

    try:
        yield graphql
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(60)


def _until(what: Callable[[], Any], seconds: float = 120) -> Any:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            found = what()
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            found = None
        if found:
            return found
        time.sleep(0.5)
    raise AssertionError(f"nothing came of it within {seconds} s")


def test_a_month_of_songplays_with_everything_upstream(
    ask: Ask, zone: Zone, tmp_path: Path
) -> None:
    zone.logs("log_data/2018/11/2018-11-15-events.json", event(), event(itemInSession=1))
    zone.song()
    nodes = _until(lambda: ask(LOCATION)["repositoriesOrError"]["nodes"])
    assets = {"/".join(node["assetKey"]["path"]) for node in nodes[0]["assetNodes"]}
    assert {"songplays", "users", "songs", "artists", "time", "log_data"} <= assets
    launched = ask(
        LAUNCH,
        params={
            "selector": {
                "repositoryLocationName": nodes[0]["location"]["name"],
                "repositoryName": nodes[0]["name"],
                "pipelineName": "refresh",
                "assetSelection": [{"path": [name]} for name in UPSTREAM],
            },
            "mode": "default",
            "executionMetadata": {"tags": [{"key": "dagster/partition", "value": "2018-11"}]},
        },
    )["launchPipelineExecution"]
    assert launched["__typename"] == "LaunchRunSuccess", launched
    run_id = launched["run"]["runId"]
    status = _until(
        lambda: (
            found
            if (found := ask(STATUS, id=run_id)["runOrError"]["status"])
            in {"SUCCESS", "FAILURE", "CANCELED"}
            else None
        )
    )
    assert status == "SUCCESS"
    snapshot = Lake.at(str(tmp_path / "lake")).snapshot(SONGPLAYS)
    assert (snapshot.partitions, snapshot.rows) == (["2018-11"], 2)
