"""Faults of a folder: `disk.c`, built and loaded before everything else of a process.

It needs a C compiler. What it does to one process stands in that process's environment.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

KILL, TEAR, FULL, DENIED = "kill", "tear", "full", "denied"
WRITE = "write"
_SOURCE = Path(__file__).with_name("disk.c")


class Change(NamedTuple):
    """One operation: `open`, `write`, `sync`, `link`, `rename`, `unlink`, `mkdir` or `rmdir`."""

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
    """For one process: what goes wrong at which change below a lake; without `what`, nothing.

    Args:
        log: where all changes are written down, see `changes`.
        at: the number of the change, from 1.
    """
    return {
        "TORTURE_ROOT": os.path.realpath(lake),
        "TORTURE_LOG": str(log),
        "TORTURE_AT": str(at),
        "TORTURE_WHAT": what,
    }


def changes(log: Path) -> list[Change]:
    """The changes that a process made, in their order."""
    lines = log.read_text().splitlines() if log.exists() else []
    return [Change(*line.split("\t")) for line in lines]
