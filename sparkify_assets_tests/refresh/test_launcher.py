"""Which runs the launcher of a deployment takes for dead."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest
from dagster import DagsterInstance, DagsterRun, DagsterRunStatus
from dagster._core.launcher import WorkerStatus
from dagster._core.storage.tags import GRPC_INFO_TAG
from dagster._core.test_utils import create_run_for_test

from sparkify_assets.refresh.instance import PROCESS_TAG, close_dead_runs, this_process
from sparkify_assets.refresh.launcher import WatchedRunLauncher
from sparkify_assets_tests.dagster_dev import free_port


@pytest.fixture
def instance() -> Iterator[DagsterInstance]:
    with DagsterInstance.ephemeral() as instance:
        yield instance


@pytest.fixture
def gone() -> str:
    """The tag of a process that has ended."""
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    return f"{socket.gethostname()}:{ended.pid}"


def health(instance: DagsterInstance, **tags: str) -> WorkerStatus:
    launcher = WatchedRunLauncher()
    launcher.register_instance(instance)
    return launcher.check_run_worker_health(started(instance, tags)).status


def started(instance: DagsterInstance, tags: dict[str, str]) -> DagsterRun:
    run: DagsterRun = create_run_for_test(
        instance, "refresh", tags=tags, status=DagsterRunStatus.STARTED
    )
    return run


def server() -> str:
    """The tag of a run on a code server that does not answer."""
    return json.dumps({"host": "127.0.0.1", "port": free_port()})


def test_a_run_of_the_command_line_is_alive_as_long_as_its_process(
    instance: DagsterInstance, gone: str
) -> None:
    assert health(instance, **{PROCESS_TAG: this_process()}) is WorkerStatus.RUNNING
    assert health(instance, **{PROCESS_TAG: gone}) is WorkerStatus.NOT_FOUND


def test_of_a_process_on_another_machine_nobody_can_tell(instance: DagsterInstance) -> None:
    assert health(instance, **{PROCESS_TAG: "elsewhere:1"}) is WorkerStatus.RUNNING


def test_a_run_is_not_dead_because_its_code_server_does_not_answer(
    instance: DagsterInstance,
) -> None:
    assert health(instance, **{GRPC_INFO_TAG: server()}) is WorkerStatus.RUNNING


def test_a_repetition_in_the_ui_is_not_ended_with_the_process_of_what_it_repeats(
    instance: DagsterInstance, gone: str
) -> None:
    tags = {GRPC_INFO_TAG: server(), PROCESS_TAG: gone}
    assert health(instance, **tags) is WorkerStatus.RUNNING
    run = started(instance, tags)
    close_dead_runs(instance)
    again = instance.get_run_by_id(run.run_id)
    assert again is not None
    assert not again.is_finished
