"""`sparkify` as a process of its own, and lakes compared with each other."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from sparkify_assets.lake.lake import Lake
from sparkify_assets.tables import PUBLIC, TABLES

COMMAND = [sys.executable, "-c", "from sparkify_assets.cli import command; command()"]


def start(*arguments: str, **settings: str) -> subprocess.Popen[str]:
    """Start `sparkify …`, in a process group of its own."""
    return subprocess.Popen(
        [*COMMAND, *arguments],
        env={**os.environ, **settings},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def finish(process: subprocess.Popen[str]) -> Any:
    """Wait for its end, which must be a good one; what it printed as JSON."""
    out, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    return json.loads(out)


def run(landing: Path | str, lake: Path | str, engine: str = "embedded", *more: str) -> Any:
    """`sparkify run`; its summary."""
    return finish(
        start(
            "run", "--landing", str(landing), "--lake", str(lake), "--engine", engine,
            "--format", "json", *more,
        )
    )  # fmt: skip


def tables(lake: Path | str) -> dict[str, list[tuple[Any, ...]]]:
    """All rows of the public tables, sorted by their keys."""
    found = {}
    for table in PUBLIC:
        rows = Lake.at(str(lake)).snapshot(table).read()
        ordered = rows.sort_by([(name, "ascending") for name in table.key])
        found[table.name] = [tuple(row.values()) for row in ordered.to_pylist()]
    return found


def all_versions(lake: Path | str) -> dict[str, int]:
    """The version of every table."""
    return {name: Lake.at(str(lake)).snapshot(table).version for name, table in TABLES.items()}
