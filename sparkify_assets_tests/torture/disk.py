"""Faults of a folder: `disk.c`, built and loaded before everything else of a process.

It needs a C compiler. What it does to one process stands in that process's environment.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

KILL, TEAR, FULL, DENIED, UNSYNCED = "kill", "tear", "full", "denied", "unsynced"
WRITE, SYNC = "write", "sync"
KNOWN = {"open", WRITE, SYNC, "link", "rename", "unlink", "mkdir", "rmdir"}
_FAILED = "failed"  # a line beside those of the changes: the one above it did not happen
_SOURCE = Path(__file__).with_name("disk.c")


class Change(NamedTuple):
    """One operation.

    Attributes:
        name: one of `KNOWN`; else a call that changes a file and in which nothing goes wrong.
        other: where a link or a rename leads; else empty.
    """

    name: str
    path: str
    other: str


def build(folder: Path) -> dict[str, str]:
    """The environment in which a process begins that is to feel these faults.

    Raises:
        FileNotFoundError: there is no C compiler.
    """
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        raise FileNotFoundError(
            "there is no C compiler (cc, gcc or clang), which the faults of a disk are built with; "
            "install one, on Debian `apt-get install gcc libc6-dev`"
        )
    library = folder / "disk.so"
    command = [compiler, "-shared", "-fPIC", "-O1", "-o", str(library), str(_SOURCE), "-ldl"]
    subprocess.run([*command, "-lpthread"], check=True)
    return {"LD_PRELOAD": str(library)}


def fault(lake: str, log: Path, at: int = -1, what: str = "") -> dict[str, str]:
    """For one process: what goes wrong at which change of a lake and of the folders that hold it.

    Without `what` nothing goes wrong.

    Args:
        log: where all changes are written down, see `changes`.
        at: the number of the change, from 1.
    """
    return {
        "TORTURE_ROOT": str(Path(lake).resolve().parents[1]),
        "TORTURE_LOG": str(log),
        "TORTURE_AT": str(at),
        "TORTURE_WHAT": what,
    }


def changes(log: Path) -> list[Change]:
    """The changes that a process made, in their order."""
    return [Change(*line.split("\t")) for line in _lines(log) if line != _FAILED]


def failed(log: Path) -> bool:
    """Whether a change was refused by what goes wrong."""
    return _FAILED in _lines(log)


def _lines(log: Path) -> list[str]:
    return log.read_text().splitlines() if log.exists() else []
