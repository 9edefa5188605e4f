"""Processes of `sparkify` that begin at once: forked off one that has loaded all packages.

A run spends half of its time on loading packages; a sweep starts thousands. `Zygote` is the side of
the tests. The process itself, `python -m sparkify_assets_tests.torture.zygote`, only loads, and
starts no thread, no engine and no client before it forks.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from sparkify_assets_tests.stopping import Stopping
from sparkify_assets_tests.torture.mutants import MUTATION, mutate
from sparkify_assets_tests.torture.unread import keep_unread

_ROOT = Path(__file__).parents[2]


class Ended(NamedTuple):
    """How a process ended: exit code (negative: the signal) and what it wrote."""

    code: int
    out: str
    err: str

    @property
    def killed(self) -> bool:
        """Whether it was killed and did not end by itself."""
        return self.code == -signal.SIGKILL


class Started:
    """A process that was forked off, and waits until it is told to go."""

    def __init__(self, zygote: Zygote, pid: int, folder: Path) -> None:
        self._zygote = zygote
        self.pid = pid
        self._folder = folder

    def go(self) -> None:
        """Let it begin."""
        os.kill(self.pid, signal.SIGCONT)

    def wait(self, seconds: float = 120) -> Ended:
        """Wait for its end; one that takes longer is killed.

        Raises:
            TimeoutError: it took longer.
        """
        code = self._zygote.wait(self.pid, seconds)
        if code is None:
            raise TimeoutError(f"a process did not end within {seconds} s: {self._read('err')}")
        return Ended(code, self._read("out"), self._read("err"))

    def kill(self) -> None:
        """End it with a signal that it cannot hear."""
        os.kill(self.pid, signal.SIGKILL)

    def _read(self, name: str) -> str:
        return (self._folder / name).read_text(errors="replace")


class Zygote(Stopping):
    """Starts processes quickly.

    Args:
        folder: where each process's output goes, in a folder of its own.
        env: beside the environment of this process, what the zygote itself needs.
    """

    def __init__(self, folder: Path, env: Mapping[str, str] | None = None) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._number = 0
        self._process = subprocess.Popen(
            [sys.executable, "-m", __name__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=_ROOT,
            env={**os.environ, **(env or {})},
            start_new_session=True,
        )

    def start(self, *arguments: str, env: Mapping[str, str] | None = None) -> Started:
        """A process for `sparkify ARGUMENTS`, which does not begin before it is told to.

        An argument list that begins with a module and a function, `package.module:function`, is
        that function's instead.
        """
        self._number += 1
        folder = self._folder / str(self._number)
        (folder / "work").mkdir(parents=True)
        pid = self._ask(
            {"arguments": arguments, "env": dict(env or {}), "folder": str(folder)},
        )
        return Started(self, int(pid), folder)

    def run(self, *arguments: str, env: Mapping[str, str] | None = None) -> Ended:
        """Start one and wait for its end."""
        process = self.start(*arguments, env=env)
        process.go()
        return process.wait()

    def wait(self, pid: int, seconds: float) -> int | None:
        """The exit code of a process; None where it had to be killed as it took longer."""
        answer = self._ask({"wait": pid, "seconds": seconds})
        return None if answer is None else int(answer)

    def stop(self) -> None:
        """End it and what it started; again does nothing."""
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()

    def _ask(self, question: dict[str, Any]) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError(f"the zygote ended with {self._process.wait()}")
        return json.loads(answer)


def _load() -> None:
    """Everything that a run and a maintenance load, as far as that starts no thread."""
    # It is silent by being disabled, which Dagster's logging undoes where it comes later.
    os.environ.setdefault("SPARK_CONNECT_LOG_LEVEL", "CRITICAL")
    import dagster  # noqa: F401
    import duckdb  # noqa: F401
    import obstore.store  # noqa: F401
    import pandas  # noqa: F401
    import pyarrow.dataset
    import pyarrow.fs
    import pyarrow.parquet  # noqa: F401
    import pysail.spark  # noqa: F401
    import pyspark.sql.connect.session  # noqa: F401

    import sparkify_assets_tests.torture.actors  # noqa: F401


def _fork(question: dict[str, Any]) -> int:
    pid = os.fork()
    if pid:
        os.waitpid(pid, os.WUNTRACED)  # until it stands still
        return pid
    code = 1
    try:
        code = _be(question)
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:  # noqa: BLE001 -- whatever it is, this process must not go on
        traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _be(question: dict[str, Any]) -> int:
    folder = Path(question["folder"])
    os.setpgid(0, 0)
    os.environ.update(question["env"])  # before anything is opened: see `disk.c`
    for name, number in (("out", 1), ("err", 2)):
        file = os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(file, number)
        os.close(file)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.chdir(folder / "work")
    keep_unread(folder)
    os.kill(os.getpid(), signal.SIGSTOP)
    mutate(os.environ.get(MUTATION, ""))
    first, *rest = question["arguments"]
    if ":" in first:
        module, _, name = first.partition(":")
        function = getattr(__import__(module, fromlist=[name]), name)
        return int(function(*rest) or 0)
    from sparkify_assets.cli import command

    sys.argv = ["sparkify", *question["arguments"]]
    command()
    return 0


def _wait(pid: int, seconds: float) -> int | None:
    def too_long(_number: int, _frame: Any) -> None:
        raise TimeoutError

    signal.signal(signal.SIGALRM, too_long)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        _, status = os.waitpid(pid, 0)
    except TimeoutError:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        return None
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    return os.waitstatus_to_exitcode(status)


def main() -> None:
    """Answer questions, one a line, until there are no more."""
    _load()
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever a package prints is no answer
    for line in sys.stdin:
        question = json.loads(line)
        if "wait" in question:
            answer = _wait(question["wait"], question["seconds"])
        else:
            answer = _fork(question)
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
