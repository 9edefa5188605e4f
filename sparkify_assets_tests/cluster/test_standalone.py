"""A standalone cluster whose workers know nothing of the project: the same rows, whatever dies."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from subprocess import Popen
from typing import Any

import pytest

from sparkify_assets.lake.lake import Lake
from sparkify_assets.lake.vacuum import ORPHAN_HOURS, vacuum
from sparkify_assets.tables import RAW_LOGS, SONGPLAYS, Table
from sparkify_assets_tests import processes
from sparkify_assets_tests.cluster.conftest import Buckets
from sparkify_assets_tests.cluster.events import Application, applications, logged_to
from sparkify_assets_tests.cluster.machines import Machine, Standalone
from sparkify_assets_tests.s3.servers import keys, upload
from sparkify_assets_tests.stopping import Stopping
from sparkify_assets_tests.zone import Zone, event

pytestmark = pytest.mark.cluster

_HELD_SECONDS = 12.0
_PARTS = r"PUT .*/{}/[a-z_]*=.*\.parquet"
_BUSY_SECONDS = 120.0


class Runs(Stopping):
    """`sparkify run` on a cluster, with Spark's own log of it."""

    def __init__(self, cluster: Standalone, folder: Path) -> None:
        self._cluster = cluster
        self._folder = folder
        self._started: list[Popen[str]] = []

    def start(self, landing: str, lake: str, **more: str) -> Popen[str]:
        conf = {**logged_to(self._folder), **more}
        run = processes.start(
            "run", "--landing", landing, "--lake", lake, "--engine", self._cluster.url,
            "--format", "json",
            SPARKIFY_SPARK_CONF=json.dumps(conf), SPARKIFY_EXECUTOR_MEMORY_GB="1",
        )  # fmt: skip
        self._started.append(run)
        return run

    def stop(self) -> None:
        """Kill what a test that failed has left."""
        for run in self._started:
            if run.poll() is None:
                os.killpg(run.pid, signal.SIGKILL)
                run.wait()

    def log(self) -> Application:
        return applications(self._folder)


@pytest.fixture
def runs(two_workers: Standalone, tmp_path: Path) -> Iterator[Runs]:
    """Runs on the cluster of two workers."""
    with Runs(two_workers, tmp_path / "events") as runs:
        yield runs


def test_the_same_tables_as_the_embedded_engine(
    runs: Runs, buckets: Buckets, expected: dict[str, list[Any]]
) -> None:
    summary = processes.finish(runs.start(buckets.landing, buckets.lake("all")))
    assert (summary["files_read"], summary["lines"], summary["repaired"]) == (101, 8127, 326)
    assert processes.tables(buckets.lake("all")) == expected
    assert runs.log().failed == {}
    again = processes.finish(runs.start(buckets.landing, buckets.lake("all")))
    assert (again["files_read"], again["changed"]) == (0, [])


_TWICE = """
import os, sys
from sparkify_assets.cli import app

landing, engine, *lakes = sys.argv[1:]
for lake in lakes:
    app(["run", "--landing", landing, "--lake", lake, "--engine", engine], standalone_mode=False)
sys.stdout.flush()
os._exit(0)
"""


def test_a_second_session_of_a_process_takes_along_what_the_first_did(
    two_workers: Standalone, tmp_path: Path
) -> None:
    zone = Zone(tmp_path / "landing")
    zone.logs("log_data/2018-11-05-events.json", event(), event(itemInSession=2))
    zone.song()
    lakes = [str(tmp_path / name) for name in ("first", "second")]
    done = subprocess.run(
        [sys.executable, "-c", _TWICE, str(zone.root), two_workers.url, *lakes],
        env={**os.environ, "SPARKIFY_EXECUTOR_MEMORY_GB": "1"},
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    processes.run(zone.root, tmp_path / "embedded")
    expected = processes.tables(tmp_path / "embedded")
    assert [processes.tables(lake) for lake in lakes] == [expected] * 2


@pytest.mark.parametrize("table", [RAW_LOGS, SONGPLAYS], ids=lambda table: str(table.name))
def test_a_worker_that_dies_in_the_middle_of_a_task(
    table: Table,
    runs: Runs,
    two_workers: Standalone,
    buckets: Buckets,
    expected: dict[str, list[Any]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lake = buckets.lake(f"killed-{table.name}")
    # The server gets the part when the task that sent it is dead: an orphan. With the worker that
    # writes plays goes what it had shuffled for them, which has to be made again.
    buckets.proxy.delay(_PARTS.format(table.name), seconds=_HELD_SECONDS, times=1)
    run = runs.start(buckets.landing, lake)
    victim = _busy(two_workers, buckets, table)
    two_workers.kill(victim)
    summary = processes.finish(run)
    assert summary["files_read"] == 101
    assert processes.tables(lake) == expected
    log = runs.log()
    assert log.removed >= 1
    assert log.failed, "no task was lost, so the worker was killed at no interesting moment"
    _removed_later(buckets, lake, table, monkeypatch)


def test_a_task_that_runs_twice_at_once(
    runs: Runs, buckets: Buckets, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    zone = _three_tasks(tmp_path)
    processes.run(zone.root, tmp_path / "embedded")
    lake = buckets.lake("twice")
    landing = f"s3://{buckets.bucket}/three"
    upload(buckets.proxy.endpoint, zone.root, buckets.bucket, "three")
    buckets.proxy.delay(_PARTS.format(RAW_LOGS.name), seconds=_HELD_SECONDS, times=1)
    processes.finish(
        runs.start(
            landing, lake,
            **{
                "spark.speculation": "true",
                "spark.speculation.interval": "100ms",
                "spark.speculation.minTaskRuntime": "100ms",
                "spark.speculation.multiplier": "1.1",
                "spark.speculation.quantile": "0.5",
            },
        )
    )  # fmt: skip
    assert runs.log().speculative >= 1
    assert processes.tables(lake) == processes.tables(tmp_path / "embedded")
    _removed_later(buckets, lake, RAW_LOGS, monkeypatch)


def _busy(cluster: Standalone, buckets: Buckets, table: Table) -> Machine:
    """The worker whose task is sending the part that the proxy holds back."""
    deadline = time.monotonic() + _BUSY_SECONDS
    while time.monotonic() < deadline:
        for request in buckets.proxy.requests():
            if re.search(_PARTS.format(table.name), request.line):
                return next(one for one in cluster.workers if one.has_port(request.port))
        time.sleep(0.05)
    raise TimeoutError(f"no task sent a part of {table.name}")


def _removed_later(
    buckets: Buckets, lake: str, table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the dead task wrote is there, no reader sees it, and maintenance removes it in a day."""
    orphans = _orphans(buckets, lake, table)
    assert orphans
    rows = processes.tables(lake)
    found = Lake.at(lake)
    assert vacuum(found, table, 1).orphans == []  # a run that is still at it may need them
    later = time.time_ns() + (ORPHAN_HOURS + 1) * 3_600_000_000_000
    with monkeypatch.context() as clock:
        clock.setattr("time.time_ns", lambda: later)
        assert len(vacuum(found, table, 1).orphans) == len(orphans)
    assert processes.tables(lake) == rows


def _orphans(buckets: Buckets, lake: str, table: Table) -> set[str]:
    """Parts of a table that no commit names, once the proxy has let go of the one that it held."""
    prefix = f"{lake.removeprefix(f's3://{buckets.bucket}/')}/{table.name}/"
    named = {prefix + part.path for part in Lake.at(lake).snapshot(table).parts}
    deadline = time.monotonic() + 2 * _HELD_SECONDS
    while time.monotonic() < deadline:
        there = keys(buckets.proxy.endpoint, buckets.bucket, prefix)
        if left := {key for key in there if key.endswith(".parquet")} - named:
            return left
        time.sleep(0.2)
    return set()


def _three_tasks(folder: Path) -> Zone:
    """Three files, each too large to be read with another one: few events with long texts."""
    zone = Zone(folder / "three")
    for day in (5, 6, 7):
        lines = [
            event(sessionId=day, itemInSession=item, location="x" * 40_000) for item in range(900)
        ]
        zone.logs(f"log_data/2018-11-0{day}-events.json", *lines)
    zone.song()
    return zone
