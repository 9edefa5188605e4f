"""A small cluster on this machine: the programs of PySpark's own wheel, each a process of its own.

Workers have a Python without the project and without any package: all that tasks need has to come
with the session. They find S3 keys in their environment, as machines with a role would.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
import venv
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pyspark

from sparkify_assets_tests.s3.servers import HOST
from sparkify_assets_tests.stopping import Stopping

SPARK_HOME = Path(pyspark.__file__).parent
_SECONDS_TO_START = 90.0
_POLL = 0.1
# Of the environment of the tests; everything else is for them alone.
_PASSED_ON = ("JAVA_HOME", "LANG", "LC_ALL", "TMPDIR")


class Machine(Stopping):
    """A program, with all that it starts, until it is stopped or killed."""

    def __init__(
        self, name: str, command: list[str], environment: Mapping[str, str], folder: Path
    ) -> None:
        self.name = name
        self._log = folder / f"{name}.log"
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                command,
                cwd=folder,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def wait_until(self, ready: Callable[[], bool]) -> None:
        """Until it is ready.

        Raises:
            TimeoutError: it is not in time, or ended; with what it printed. It is stopped then.
        """
        deadline = time.monotonic() + _SECONDS_TO_START
        while not ready():
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise TimeoutError(f"{self.name}:\n{self.printed()[-4000:]}")
            time.sleep(_POLL)

    def printed(self) -> str:
        """What it printed so far."""
        return self._log.read_text(errors="replace")

    def has_port(self, port: int) -> bool:
        """Whether the program, or one that it started, has a connection from this port."""
        try:
            family = [psutil.Process(self.process.pid)]
            family += family[0].children(recursive=True)
        except psutil.NoSuchProcess:
            return False
        return any(_connected(process, port) for process in family)

    def stop(self) -> None:
        """Kill it, at once and with all that it started; again does nothing."""
        for group in {self.process.pid, *self._groups()}:
            with suppress(ProcessLookupError):
                os.killpg(group, signal.SIGKILL)
        self.process.wait()

    def _groups(self) -> set[int]:
        """Process groups of what it started: Spark's Python daemon has one of its own."""
        try:
            started = psutil.Process(self.process.pid).children(recursive=True)
        except psutil.NoSuchProcess:
            return set()
        mine = os.getpgid(0)
        groups = set()
        for process in started:
            try:
                groups.add(os.getpgid(process.pid))
            except ProcessLookupError:
                continue
        return groups - {mine}


def _connected(process: psutil.Process, port: int) -> bool:
    try:
        return any(
            one.raddr and one.laddr.port == port and one.status == psutil.CONN_ESTABLISHED
            for one in process.net_connections("tcp")
        )
    except psutil.Error:
        return False


class Standalone(Stopping):
    """A standalone master with workers of one core each.

    Args:
        folder: for logs, work folders and the workers' Python.
        environment: of the workers, besides what every program needs: their S3 keys.
    """

    def __init__(self, folder: Path, environment: Mapping[str, str], memory: str = "2g") -> None:
        self._folder = folder
        self._python = bare_python(folder / "python")
        self._environment = {**spark_environment(folder, self._python), **environment}
        self._memory = memory
        self._page = free_port()
        port = free_port()
        self.url = f"spark://{HOST}:{port}"
        self.workers: list[Machine] = []
        self._started = 0
        self._master = Machine(
            "master",
            spark_class("deploy.master.Master", HOST, "--port", port, "--webui-port", self._page),
            self._environment,
            folder,
        )
        self._master.wait_until(lambda: self._state() is not None)

    def add_worker(self) -> Machine:
        """One more worker, ready for work, at an address of its own as another machine would be."""
        self._started += 1
        number, host = self._started, f"127.0.0.{1 + self._started}"
        port = free_port()
        worker = Machine(
            f"worker-{number}",
            spark_class(
                "deploy.worker.Worker", host, "--port", port, "--cores", 1,
                "--memory", self._memory, "--webui-port", free_port(),
                "--work-dir", self._folder / f"w{number}", self.url,
            ),
            {**self._environment, "SPARK_LOCAL_IP": host},
            self._folder,
        )  # fmt: skip
        worker.wait_until(lambda: (host, port) in self._alive())
        self.workers.append(worker)
        return worker

    def kill(self, worker: Machine) -> None:
        """Kill a worker with its executors, as if its machine had lost its power."""
        worker.stop()
        self.workers.remove(worker)

    def stop(self) -> None:
        """Kill all of it; again does nothing."""
        for machine in (*self.workers, self._master):
            machine.stop()
        self.workers.clear()

    def _alive(self) -> set[tuple[str, int]]:
        """Hosts and ports of the workers that the master counts on."""
        state = self._state()
        workers = state["workers"] if state else ()
        return {(one["host"], one["port"]) for one in workers if one["state"] == "ALIVE"}

    def _state(self) -> Any:
        try:
            with urllib.request.urlopen(f"http://{HOST}:{self._page}/json/", timeout=5) as reply:
                return json.load(reply)
        except (OSError, ValueError):
            return None


def connect_server(folder: Path, environment: Mapping[str, str], **conf: str) -> Machine:
    """A Spark Connect server; its address is `sc://127.0.0.1:PORT` with the port in `conf`."""
    port = int(conf["spark.connect.grpc.binding.port"])
    settings = [text for name, value in conf.items() for text in ("--conf", f"{name}={value}")]
    server = Machine(
        "connect",
        [
            str(SPARK_HOME / "bin" / "spark-submit"), *settings,
            "--class", "org.apache.spark.sql.connect.service.SparkConnectServer",
            "spark-internal",
        ],
        {
            **spark_environment(folder, bare_python(folder / "python")), **environment,
            "SPARK_DAEMON_MEMORY": "1g",  # its driver's, before `spark.driver.memory`
        },
        folder,
    )  # fmt: skip
    server.wait_until(lambda: listens(port))
    return server


def sail_server(folder: Path, port: int) -> Machine:
    """A Sail server; its Python is that of the tests, with the project."""
    sail = str(Path(sys.executable).with_name("sail"))
    command = [sail, "spark", "server", "--ip", HOST, "--port", str(port)]
    server = Machine("sail", command, os.environ, folder)
    server.wait_until(lambda: listens(port))
    return server


def bare_python(folder: Path) -> Path:
    """An environment of this Python with nothing in it; the folder with its commands."""
    if not folder.exists():
        venv.create(folder, with_pip=False, symlinks=True)
    return folder / "bin"


def spark_environment(folder: Path, python: Path) -> dict[str, str]:
    """Of a program of Spark's that is to be seen on this machine alone."""
    passed_on = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    return {
        **passed_on,
        "PATH": f"{python}:{os.environ['PATH']}",
        "HOME": str(folder),
        "SPARK_HOME": str(SPARK_HOME),
        "SPARK_LOCAL_IP": HOST,
        "SPARK_DAEMON_MEMORY": "256m",
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def spark_class(name: str, host: str, *arguments: object) -> list[str]:
    """The command that runs one of Spark's programs."""
    command = str(SPARK_HOME / "bin" / "spark-class")
    return [command, f"org.apache.spark.{name}", "--host", host, *map(str, arguments)]


def listens(port: int) -> bool:
    """Whether somebody does."""
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0


def free_port() -> int:
    """A port that nobody has at this moment."""
    with socket.socket() as found:
        found.bind((HOST, 0))
        return int(found.getsockname()[1])
