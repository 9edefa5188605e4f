"""The statements for one tool, as a list and as a text."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sparkify_assets.analytics.ddl import athena, duckdb, redshift, spark, trino
from sparkify_assets.analytics.ddl.target import Target, commented
from sparkify_assets.analytics.ddl.tools import Tool

_SCRIPTS: Mapping[Tool, Callable[[Target], tuple[str, list[str]]]] = {
    Tool.ATHENA: athena.script,
    Tool.TRINO: trino.script,
    Tool.REDSHIFT: redshift.script,
    Tool.DUCKDB: duckdb.script,
    Tool.SPARK: spark.script,
}


def statements(tool: Tool, target: Target) -> list[str]:
    """The statements, in the order in which they are to be run; without semicolons.

    Raises:
        UsageError: the tool cannot read what there is; the message has the way out.
    """
    return _SCRIPTS[tool](target)[1]


def script(tool: Tool, target: Target) -> str:
    """The statements as a text to be run, with notes as comments above. Raises as `statements`."""
    notes, found = _SCRIPTS[tool](target)
    return "\n\n".join([commented(notes.strip().splitlines()), *(f"{one};" for one in found)])
