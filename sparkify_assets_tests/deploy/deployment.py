"""A deployment as docs/deploy.md describes it: three processes and PostgreSQL."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sparkify_assets_tests.dagster_dev import (
    Webserver,
    free_port,
    start_dagster,
    stop_group,
    until,
)
from sparkify_assets_tests.deploy.units import DEPLOY, command

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
        """Start these processes, in this order."""
        for name in names:
            self.processes[name] = start_dagster(
                command(name, self.environment),
                cwd=self._folder,
                env=self.environment,
                output=self.output(name),
            )

    def end(self, name: str, number: signal.Signals, seconds: float = 120) -> None:
        """Send a signal to this process alone, as systemd does at first, and wait for its end."""
        self.processes[name].send_signal(number)
        self.processes[name].wait(seconds)

    def stop(self) -> None:
        for process in self.processes.values():
            stop_group(process)

    def output(self, name: str) -> Path:
        """The file with what a process printed."""
        return self._folder / f"{name}.txt"

    def wait_for(self, what: Any, seconds: float) -> Any:
        """`until`, with what the processes printed where nothing comes of it."""
        try:
            return until(what, seconds)
        except AssertionError as error:
            said = [f"{n}: {self.output(n).read_text()[-3000:]}" for n in self.processes]
            raise AssertionError("\n".join([str(error), *said])) from error
