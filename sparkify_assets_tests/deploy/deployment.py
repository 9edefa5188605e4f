"""A deployment as docs/deploy.md describes it: three processes and PostgreSQL."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sparkify_assets.composition import REFRESH
from sparkify_assets.io_managers.s3_parquet import REBUILD
from sparkify_assets.tables import BUILT, RAW_LOGS
from sparkify_assets_tests.dagster_dev import (
    Webserver,
    all_processes,
    free_port,
    start_dagster,
    stop_group,
    until,
)
from sparkify_assets_tests.deploy.units import DEPLOY, command, unit

_LAUNCH = """
mutation ($params: ExecutionParams!) {
  launchPipelineExecution(executionParams: $params) {
    __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message }
  }
}
"""
_STATUS = "query ($id: ID!) { runOrError(runId: $id) { ... on Run { status } } }"
# Made again also where they are up to date, so that a run has something to do.
_HOLDABLE = [RAW_LOGS.name, *(table.name for table in BUILT)]

CODE, DAEMON, WEBSERVER = "code", "daemon", "webserver"


class Deployment(Webserver):
    """The processes of one stage, each by the command of its systemd unit.

    Args:
        folder: for DAGSTER_HOME and what the processes print.
        settings: the stage's environment without DAGSTER_HOME, hosts and ports.
    """

    def __init__(self, folder: Path, settings: Mapping[str, str]) -> None:
        self._folder = folder / "dagster"
        self._folder.mkdir(parents=True)
        (self._folder / "dagster.yaml").symlink_to(DEPLOY / "dagster.yaml")
        self.port = free_port()
        self.environment = {
            **os.environ,
            **settings,
            "DAGSTER_HOME": str(self._folder),
            "DAGSTER_CODE_HOST": "127.0.0.1",
            "DAGSTER_CODE_PORT": str(free_port()),
            "DAGSTER_WEBSERVER_PORT": str(self.port),
        }
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, *names: str) -> None:
        """Start these processes, in this order; as systemd does, the next when one is started."""
        for name in names:
            self.processes[name] = start_dagster(
                command(name, self.environment),
                cwd=self._folder,
                env=self.environment,
                output=self.output(name),
            )
            if "ExecStartPost" in unit(name)["Service"]:
                self.wait_until_started(name)

    def wait_until_started(self, name: str, seconds: float = 120) -> None:
        """Wait as the unit does until the process answers."""
        answers = command(name, self.environment, "ExecStartPost")
        subprocess.run(answers, env=self.environment, check=True, timeout=seconds)

    def start_missing(self, *names: str) -> None:
        """Start those that do not run, and wait until the UI knows the definitions."""
        missing = [
            n for n in names if n not in self.processes or self.processes[n].poll() is not None
        ]
        self.start(*missing)
        self.wait_for(self._definitions_known, 120)

    def end(self, name: str, number: signal.Signals, seconds: float = 120) -> None:
        """Send a signal to this process alone, as systemd does at first, and wait for its end."""
        self.processes[name].send_signal(number)
        self.processes[name].wait(seconds)

    def kill_all(self) -> None:
        """End every process, and every run, without a word: the machine died."""
        for process in self.processes.values():
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(30)

    def stop(self) -> None:
        for process in self.processes.values():
            stop_group(process)

    def output(self, name: str) -> Path:
        """The file with what a process printed."""
        return self._folder / f"{name}.txt"

    def launch(self, month: str) -> str:
        """Launch the job for a month; the run's id."""

        def launched() -> str | None:
            # Where the code server has just come back, the UI may not know it yet.
            found = self.ask(_LAUNCH, params={
                "selector": {**self._selector(), "pipelineName": REFRESH},
                "mode": "default",
                "runConfigData": {"ops": {name: {"config": {REBUILD: True}} for name in _HOLDABLE}},
                "executionMetadata": {"tags": [{"key": "dagster/partition", "value": month}]},
            })["launchPipelineExecution"]  # fmt: skip
            return found["run"]["runId"] if "run" in found else None

        run: str = self.wait_for(launched, 120)
        return run

    def held_run(self, month: str) -> tuple[str, int]:
        """Launch a run, and hold its process as soon as it has begun; both ids."""
        before = self._run_processes()
        run = self.launch(month)
        process: int = self.wait_for(lambda: next(iter(self._run_processes() - before), 0), 120)
        self.wait_for(lambda: self.status(run) not in {"QUEUED", "STARTING"}, 120)
        os.kill(process, signal.SIGSTOP)
        assert self.status(run) == "STARTED"
        return run, process

    def status(self, run: str) -> str:
        """The state of a run."""
        return str(self.ask(_STATUS, id=run)["runOrError"]["status"])

    def end_of(self, run: str, seconds: float = 240) -> str:
        """How a run ended."""
        ends = {"SUCCESS", "FAILURE", "CANCELED"}
        status: str = self.wait_for(lambda: (s := self.status(run)) in ends and s, seconds)
        return status

    def under_way(self) -> list[str]:
        """Runs that have begun and not ended."""
        return [run["runId"] for run in self.runs() if run["status"] == "STARTED"]

    def _definitions_known(self) -> bool:
        assert all(p.poll() is None for p in self.processes.values()), "a process has ended"
        return bool(self.repository())

    def _run_processes(self) -> set[int]:
        """The processes of runs: the code server starts each with Python's multiprocessing."""
        code = self.processes[CODE].pid
        return {p.pid for p in all_processes() if p.group == code and "spawn_main" in p.arguments}

    def wait_for(self, what: Any, seconds: float) -> Any:
        """`until`, with what the processes printed where nothing comes of it."""
        try:
            return until(what, seconds)
        except AssertionError as error:
            said = [f"{n} said: {self.output(n).read_text()[-1500:]}" for n in self.processes]
            raise AssertionError("\n".join([*said, str(error)])) from error
