"""`dagster dev` in a process of its own, and its GraphQL; how Dagster's processes are ended."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sparkify_assets_tests.stopping import Stopping

PROJECT = Path(__file__).parents[1]

_LOCATION = """
{ repositoriesOrError { ... on RepositoryConnection { nodes {
    name location { name } assetNodes { assetKey { path } }
} } } }
"""
_START_SENSOR = """
mutation ($selector: SensorSelector!) {
  startSensor(sensorSelector: $selector) {
    __typename ... on PythonError { message } ... on UnauthorizedError { message }
  }
}
"""
_RUNS = """
{ runsOrError(limit: 500) { ... on Runs { results {
    runId status creationTime startTime endTime tags { key value }
} } } }
"""
_TICKS = """
query ($selector: InstigationSelector!) {
  instigationStateOrError(instigationSelector: $selector) {
    ... on InstigationState { ticks(limit: 50) { status skipReason timestamp error { message } } }
  }
}
"""
_BACKFILL = """
mutation ($params: LaunchBackfillParams!) {
  launchPartitionBackfill(backfillParams: $params) {
    __typename ... on LaunchBackfillSuccess { backfillId } ... on PythonError { message }
  }
}
"""
_BACKFILL_STATUS = """
query ($id: String!) {
  partitionBackfillOrError(backfillId: $id) { ... on PartitionBackfill { status } }
}
"""
_BACKFILL_AGAIN = """
mutation ($params: ReexecutionParams!) {
  reexecutePartitionBackfill(reexecutionParams: $params) {
    __typename ... on LaunchBackfillSuccess { backfillId } ... on PythonError { message }
  }
}
"""


class Webserver(Stopping):
    """A Dagster webserver with one code location, asked by GraphQL; a context manager."""

    port: int

    def ask(self, query: str, **variables: Any) -> Any:
        """One GraphQL request; its data."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/graphql",
            data=json.dumps({"query": query, "variables": variables}).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=30) as reply:  # noqa: S310
            return json.load(reply)["data"]

    def repository(self) -> Any:
        """The code location's repository, once it is loaded."""
        return until(lambda: self.ask(_LOCATION)["repositoriesOrError"]["nodes"])[0]

    def start_sensor(self, name: str) -> None:
        """Turn a sensor on."""
        started = self.ask(_START_SENSOR, selector={"sensorName": name, **self._selector()})
        assert started["startSensor"]["__typename"] == "Sensor", started

    def runs(self) -> list[dict[str, Any]]:
        """All runs, the newest first, with their tags as a dict."""
        found = self.ask(_RUNS)["runsOrError"]["results"]
        return [{**run, "tags": {t["key"]: t["value"] for t in run["tags"]}} for run in found]

    def ticks(self, name: str) -> list[dict[str, Any]]:
        """The last ticks of a sensor, the newest first."""
        found = self.ask(_TICKS, selector={"name": name, **self._selector()})
        ticks: list[dict[str, Any]] = found["instigationStateOrError"]["ticks"]
        return ticks

    def launch_backfill(self, assets: list[str], months: list[str]) -> str:
        """Launch a backfill of these assets for these months; its id."""
        found = self.ask(
            _BACKFILL,
            params={
                "assetSelection": [{"path": [name]} for name in assets],
                "partitionNames": months,
            },
        )["launchPartitionBackfill"]
        assert "backfillId" in found, found
        return str(found["backfillId"])

    def backfill(self, backfill: str) -> str:
        """The state of a backfill."""
        found = self.ask(_BACKFILL_STATUS, id=backfill)["partitionBackfillOrError"]
        return str(found["status"])

    def resume_backfill(self, backfill: str) -> str:
        """Re-execute what a backfill did not make; the new one's id."""
        params = {"parentRunId": backfill, "strategy": "FROM_FAILURE"}
        found = self.ask(_BACKFILL_AGAIN, params=params)["reexecutePartitionBackfill"]
        assert "backfillId" in found, found
        return str(found["backfillId"])

    def _selector(self) -> dict[str, str]:
        found = self.repository()
        return {
            "repositoryName": found["name"],
            "repositoryLocationName": found["location"]["name"],
        }


class DagsterDev(Webserver):
    """A `dagster dev` on the project's workspace.yaml."""

    def __init__(self, **environment: str) -> None:
        self.port = free_port()
        self._output = tempfile.TemporaryDirectory(prefix="sparkify-dagster-dev-")
        self._printed = Path(self._output.name, "printed.txt")
        dagster = str(Path(sys.executable).with_name("dagster"))
        self._process = start_dagster(
            [dagster, "dev", "--host", "127.0.0.1", "--port", str(self.port)],
            cwd=PROJECT,
            env={**os.environ, **environment},
            output=self._printed,
        )

    @property
    def group(self) -> int:
        """The process group of all its processes."""
        return self._process.pid

    def printed(self) -> str:
        """What it has printed so far."""
        return self._printed.read_text()

    def stop(self) -> None:
        """End it, and with it all its processes."""
        stop_group(self._process)
        self._output.cleanup()


@dataclass(frozen=True)
class Running:
    """A process of this machine."""

    pid: int
    group: int
    arguments: str


def all_processes() -> list[Running]:
    """Every process that is not a zombie, with all of its arguments."""
    found = subprocess.run(
        ["ps", "-eww", "-o", "pid=,pgid=,stat=,args="], capture_output=True, text=True, check=True
    )
    rows = (line.split(None, 3) for line in found.stdout.splitlines())
    return [
        Running(int(pid), int(group), arguments)
        for pid, group, state, arguments in rows
        if not state.startswith("Z")
    ]


def free_port() -> int:
    """A port of 127.0.0.1 where nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def start_dagster(
    command: list[str], *, cwd: Path, env: dict[str, str], output: Path
) -> subprocess.Popen[bytes]:
    """Start a command of Dagster in a process group of its own.

    Args:
        output: a file for what it prints.
    """
    with output.open("ab") as out:
        return subprocess.Popen(
            [sys.executable, "-c", _HEEDING_SIGTERM, *command],
            cwd=cwd,
            env=env,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


# Dagster does at SIGTERM what it does at SIGINT, and a shell that starts something in the
# background has it ignore SIGINT: all its processes would then ignore both.
_HEEDING_SIGTERM = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
os.execv(sys.argv[1], sys.argv[1:])
"""


def stop_group(process: subprocess.Popen[bytes], seconds: float = 60) -> None:
    """End a process and all of its group: a code server may end after the one that started it."""
    _signal_group(process, signal.SIGTERM)
    try:
        process.wait(seconds)
        until(lambda: not _signal_group(process, 0), seconds, 0.1)
    except (subprocess.TimeoutExpired, AssertionError):
        _signal_group(process, signal.SIGKILL)
    process.wait(30)


def _signal_group(process: subprocess.Popen[bytes], number: int) -> bool:
    try:
        os.killpg(process.pid, number)
    except ProcessLookupError:
        return False
    return True


def until(what: Callable[[], Any], seconds: float = 120, pause: float = 0.5) -> Any:
    """Ask again and again until there is something.

    Raises:
        AssertionError: nothing came of it in time.
    """
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            found = what()
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            found = None
        if found:
            return found
        time.sleep(pause)
    raise AssertionError(f"nothing came of it within {seconds} s")
