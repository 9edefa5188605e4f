"""Warnings in what Dagster's commands print: none may be of this project's making."""

from __future__ import annotations

import re

_WARNING = re.compile(r"warn|deprecat|supersed|discouraged|traceback|error", re.IGNORECASE)
# Dagster's own, which nothing in a project can avoid, each with the reason.
_DAGSTERS = [
    # Every use of `dagster dev` and `dagster definitions validate` is told of `dg`.
    re.compile(r"SupersessionWarning: Function `\w+_command` is superseded"),
    # The tests have an instance of their own and not that of the project's dagster.yaml.
    re.compile(r"Found a dagster instance configuration value \(dagster\.yaml\) in the current"),
]


def own_warnings(printed: str) -> list[str]:
    """The lines with a warning, without those that are Dagster's own."""
    return [
        line
        for line in printed.splitlines()
        if _WARNING.search(line) and not any(known.search(line) for known in _DAGSTERS)
    ]
