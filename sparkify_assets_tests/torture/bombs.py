"""Small .gz files that unpack to very much, read by a task in a process of its own.

As a program, `python -m sparkify_assets_tests.torture.bombs FOLDER` reads the log files of
FOLDER/landing and prints what it took, as JSON.
"""

from __future__ import annotations

import gzip
import json
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from sparkify_assets_tests.torture.reading import Reading
from sparkify_assets_tests.zone import Zone, event

_SECONDS = 300
_PACKED_AT_ONCE = 1 << 20
GIGABYTE = 1 << 30
# What a task may take beyond what its process has before it begins.
MOST_BYTES = 400 << 20


@dataclass(frozen=True)
class Bomb:
    """A file that unpacks to very much, and what has to become of it.

    Attributes:
        content: makes the packed file.
        unpacked: bytes that come out of it.
        found: lines, rows, rejected.
    """

    name: str
    content: Callable[[], bytes]
    unpacked: int
    found: tuple[int, int, int]


class Took(NamedTuple):
    """What reading a zone took. `peak` is the most resident memory, bytes, `base` that before."""

    accounts: dict[str, tuple[int, int, int]]
    base: int
    peak: int
    seconds: float


def _many(unit: bytes, size: int) -> bytes:
    """Members of a .gz file that unpack to this unit again and again, `size` bytes in all."""
    whole, rest = divmod(size, _PACKED_AT_ONCE // len(unit) * len(unit))
    member = gzip.compress(unit * (_PACKED_AT_ONCE // len(unit)))
    return member * whole + gzip.compress(unit * (rest // len(unit)))


_PLAY = json.dumps(event()).encode() + b"\n"

BOMBS = (
    Bomb("zeros", lambda: _many(b"\0", GIGABYTE), GIGABYTE, (1, 0, 1)),
    Bomb("newlines", lambda: _many(b"\n", GIGABYTE), GIGABYTE, (0, 0, 0)),
    Bomb("small lines", lambda: _many(b"x\n", 2_000_000), 2_000_000, (10**6, 0, 10**6)),
    Bomb("empty objects", lambda: _many(b"{}\n", 3_000_000), 3_000_000, (10**6, 0, 10**6)),
)


def read_bomb(bomb: Bomb) -> Took:
    """Read a zone with this bomb and a good file of one line."""
    with tempfile.TemporaryDirectory() as folder:
        zone = Zone(Path(folder, "landing"))
        zone.write("log_data/2018-11-01-bomb.json.gz", bomb.content())
        zone.write("log_data/2018-11-02-control.json", _PLAY)
        done = subprocess.run(
            [sys.executable, "-m", __spec__.name, folder],
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
    if done.returncode:
        raise RuntimeError(f"the process that read {bomb.name} ended: {done.stderr[-2000:]}")
    found = json.loads(done.stdout)
    found["accounts"] = {key: tuple(counts) for key, counts in found["accounts"].items()}
    return Took(**found)


def _peak() -> int:
    """Most resident memory so far, bytes. Linux; `getrusage` would begin with the parent's."""
    status = Path("/proc/self/status").read_text()
    [kilobytes] = re.findall(r"^VmHWM:\s+(\d+) kB$", status, re.MULTILINE)
    return int(kilobytes) << 10


def main(folder: str) -> None:
    """Read the log files of the landing zone in a folder; the parts go beside it."""
    root = Path(folder, "landing")
    reading = Reading(Zone(root), str(root), "in a folder", Path(folder, "lake"))
    files = reading.listing().files
    base, begun = _peak(), time.monotonic()
    report = reading.read(files)
    took = Took(
        {one.key: (one.lines, one.rows, one.rejected) for one in report.accounts},
        base,
        _peak(),
        time.monotonic() - begun,
    )
    sys.stdout.write(json.dumps(took._asdict()))


if __name__ == "__main__":
    main(*sys.argv[1:])
