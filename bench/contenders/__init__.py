"""Who makes the five tables from a landing zone: short scripts of others' tools, and the project.

A script takes a landing zone and a folder, reads everything and writes everything. It remembers
nothing, accounts for no line and is not atomic: that is what the project does besides.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_HERE = Path(__file__).parent
_SPARKIFY = [sys.executable, "-c", "from sparkify_assets.cli import command; command()"]


@dataclass(frozen=True)
class Contender:
    """One way to the tables.

    Attributes:
        name: for the command line.
        title: for tables and plots.
        arguments: of the project, None for a script.
    """

    name: str
    title: str
    arguments: Sequence[str] | None = None

    def command(self, landing: Path, lake: Path) -> list[str]:
        """The process that makes the tables."""
        if self.arguments is None:
            script = _HERE / f"{self.name.replace('-', '_')}_script.py"
            return [sys.executable, str(script), str(landing), str(lake)]
        places = ["--landing", str(landing), "--lake", str(lake)]
        return [*_SPARKIFY, "run", *places, *self.arguments]


CONTENDERS = {
    one.name: one
    for one in (
        Contender("sparkify", "sparkify run (embedded)", ("--engine", "embedded")),
        Contender("duckdb", "DuckDB script"),
        Contender("polars", "Polars script"),
        Contender("tuned-spark", "Spark script, tuned"),
        Contender("textbook-spark", "Spark script, textbook"),
        Contender("sparkify-spark", "sparkify run (local[2])", ("--engine", "local[2]")),
    )
}
