"""What a process and all that it starts take: time, processor, memory, files."""

from __future__ import annotations

import math
import os
import shlex
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

_EVERY_SECONDS = 0.2


@dataclass(frozen=True)
class Measured:
    """One run of a command.

    Attributes:
        wall: seconds by the clock, from start to end of the process.
        cpu: seconds of processor, of the whole tree; of a process that nobody waited for, those
            up to the last look, every 0.2 seconds.
        peak: bytes, of the whole tree; memory that processes share counts once (PSS).
        files: how many it left in the folder that it wrote to.
        written: bytes of these.
        read: bytes that it read, its own code included, up to the last look; from files only, where
            the system tells.
    """

    wall: float
    cpu: float
    peak: int
    files: int
    written: int
    read: int = 0


class ContenderError(Exception):
    """A command ended badly; the text has the end of what it printed."""


def measure(
    command: Sequence[str], environment: Mapping[str, str], folder: Path, log: Path
) -> Measured:
    """Run a command to its end.

    Args:
        folder: what it writes to.
        log: takes what it prints.

    Raises:
        ContenderError: it ended with another code than 0.
    """
    seen = _Seen()
    began = time.monotonic()
    with log.open("wb") as out:
        process = subprocess.Popen(
            command,
            env={**_kept(os.environ), **environment},
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        watching = threading.Thread(target=seen.watch, args=[process.pid])
        watching.start()
        _, status, used = os.wait4(process.pid, 0)
        wall = time.monotonic() - began
        process.returncode = os.waitstatus_to_exitcode(status)
    seen.ended.set()
    watching.join()
    if process.returncode != 0:
        told = log.read_text(errors="replace")[-2000:]
        raise ContenderError(f"{shlex.join(command)} ended with {process.returncode}:\n{told}")
    sizes = [path.stat().st_size for path in folder.rglob("*") if path.is_file()]
    # A child that was waited for stands in the first figure, any that was seen in the second.
    cpu = max(used.ru_utime + used.ru_stime, sum(seen.cpu.values()))
    return Measured(wall, cpu, seen.peak, len(sizes), sum(sizes), sum(seen.read.values()))


def _kept(environment: Mapping[str, str]) -> dict[str, str]:
    """Without the wish, of some machines, that what Python compiled is thrown away."""
    return {k: v for k, v in environment.items() if k != "PYTHONDONTWRITEBYTECODE"}


class _Seen:
    """What the processes of a session used, as far as somebody looked."""

    def __init__(self) -> None:
        self.ended = threading.Event()
        self.cpu: dict[int, float] = {}
        self.read: dict[int, int] = {}
        self.peak = 0

    def watch(self, leader: int) -> None:
        while not self.ended.wait(_EVERY_SECONDS):
            memory = 0
            for process in psutil.process_iter():
                try:
                    if os.getsid(process.pid) != leader:
                        continue
                    times = process.cpu_times()
                    self.cpu[process.pid] = times.user + times.system
                    memory += process.memory_full_info().pss
                    self.read[process.pid] = process.io_counters().read_chars
                except (psutil.Error, ProcessLookupError):  # it has just ended
                    continue
            self.peak = max(self.peak, memory)


def p95(values: Sequence[float]) -> float:
    """The smallest value that at least 95 % of them do not exceed."""
    return sorted(values)[math.ceil(0.95 * len(values)) - 1]
