"""A deployment with PostgreSQL: what is lost when a process dies (nothing), and what history says.

The processes are those of the systemd units in deploy/, with the files there.
"""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest

from sparkify_assets.lake.lake import Lake
from sparkify_assets.tables import BUILT, RAW_LOGS, RAW_SONGS
from sparkify_assets_tests import processes
from sparkify_assets_tests.dagster_dev import all_processes
from sparkify_assets_tests.deploy.conftest import DATABASE, Stage
from sparkify_assets_tests.deploy.deployment import (
    CODE,
    DAEMON,
    WEBSERVER,
    Deployment,
)
from sparkify_assets_tests.deploy.postgres import Postgres
from sparkify_assets_tests.deploy.units import VENV

pytestmark = pytest.mark.deploy


def test_a_backfill_of_everything_outlives_two_ends_of_the_daemon(
    deployment: Deployment, stage: Stage
) -> None:
    plain = stage.settings(lake="plain")
    processes.finish(processes.start("run", "--format", "json", **plain))
    tables = [RAW_LOGS, RAW_SONGS, *BUILT]
    backfill = deployment.launch_backfill([table.name for table in tables], stage.months)
    deployment.wait_for(deployment.under_way, 120)
    deployment.end(DAEMON, signal.SIGTERM)
    deployment.start(DAEMON)
    seen = len(deployment.runs())
    deployment.wait_for(lambda: deployment.under_way() and len(deployment.runs()) > seen, 240)
    deployment.end(DAEMON, signal.SIGKILL)
    deployment.start(DAEMON)
    deployment.wait_for(lambda: deployment.backfill(backfill) != "REQUESTED", 300)
    assert deployment.backfill(backfill) == "COMPLETED_SUCCESS"
    assert {run["status"] for run in deployment.runs()} == {"SUCCESS"}
    lake = Lake.at(str(stage.lake))
    monthly = [table for table in BUILT if table.monthly]
    assert {table.name: lake.snapshot(table).partitions for table in monthly} == {
        table.name: stage.months for table in monthly
    }
    assert processes.tables(stage.lake) == processes.tables(stage.folder / "plain")


def test_a_code_server_that_is_told_to_stop_waits_for_its_run(deployment: Deployment) -> None:
    run, process = deployment.held_run("2018-11")
    deployment.processes[CODE].send_signal(signal.SIGTERM)
    with pytest.raises(subprocess.TimeoutExpired):
        deployment.processes[CODE].wait(5)
    os.kill(process, signal.SIGCONT)
    assert deployment.end_of(run) == "SUCCESS"
    deployment.processes[CODE].wait(60)


def test_a_run_whose_process_is_killed_fails_at_once(deployment: Deployment) -> None:
    run, process = deployment.held_run("2018-11")
    os.kill(process, signal.SIGKILL)
    assert deployment.end_of(run, 30) == "FAILURE"
    assert deployment.end_of(deployment.launch("2018-11")) == "SUCCESS"


def test_a_run_that_ended_with_its_machine_is_found_dead_and_gives_up_its_place(
    deployment: Deployment,
) -> None:
    run, _ = deployment.held_run("2018-11")
    deployment.kill_all()
    deployment.start_missing(CODE, DAEMON, WEBSERVER)
    assert deployment.end_of(run, 120) == "FAILURE"
    assert deployment.end_of(deployment.launch("2018-11")) == "SUCCESS"


def test_a_queued_run_waits_while_the_code_server_is_away(deployment: Deployment) -> None:
    deployment.end(DAEMON, signal.SIGTERM)
    run = deployment.launch("2018-12")
    deployment.end(CODE, signal.SIGTERM)
    deployment.start(DAEMON)
    said = deployment.output(DAEMON)
    deployment.wait_for(lambda: f"error dequeuing run {run}" in said.read_text(), 120)
    assert deployment.status(run) == "QUEUED"
    deployment.start(CODE)
    assert deployment.end_of(run) == "SUCCESS"


def test_a_run_of_the_command_line_is_in_the_same_history(
    deployment: Deployment, stage: Stage
) -> None:
    before = {run["runId"] for run in deployment.runs()}
    settings = {**deployment.environment, "SPARKIFY_LAKE": str(stage.folder / "another")}
    summary = processes.finish(processes.start("run", "--format", "json", **settings))
    runs = [run for run in deployment.runs() if run["runId"] not in before]
    assert [run["runId"] for run in runs] == summary["run_ids"]
    assert runs[0]["status"] == "SUCCESS"


def test_the_unit_of_the_code_server_is_started_when_it_answers(deployment: Deployment) -> None:
    deployment.wait_until_started(CODE)
    deployment.end(CODE, signal.SIGTERM)
    with pytest.raises(subprocess.TimeoutExpired):
        deployment.wait_until_started(CODE, 10)


def test_the_database_is_migrated_by_the_command_of_the_upgrade(deployment: Deployment) -> None:
    migrate = [str(VENV / "dagster"), "instance", "migrate"]
    subprocess.run(migrate, env=deployment.environment, check=True, timeout=120)
    assert deployment.runs()


def test_the_password_is_in_no_process_argument(deployment: Deployment) -> None:
    _, process = deployment.held_run("2018-11")
    arguments = "\n".join(found.arguments for found in all_processes())
    os.kill(process, signal.SIGCONT)
    assert "sparkify_assets.definitions" in arguments
    assert deployment.environment["DAGSTER_PG_PASSWORD"] not in arguments


def test_all_runs_are_there_after_a_restart_and_from_a_dump(
    deployment: Deployment, postgres: Postgres, tmp_path: Path
) -> None:
    deployment.wait_for(lambda: not deployment.under_way(), 120)
    runs = deployment.runs()
    assert runs
    deployment.end(WEBSERVER, signal.SIGTERM)
    deployment.start_missing(WEBSERVER)
    assert deployment.runs() == runs
    restored = postgres.copy(DATABASE, "restored")
    with Deployment(tmp_path / "restored", {**deployment.environment, **restored}) as another:
        another.start_missing(CODE, WEBSERVER)
        assert another.runs() == runs
