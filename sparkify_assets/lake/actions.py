"""The actions of a Delta log as they are read: their form, and the paths that they name.

A log is written by whoever may write into the lake, so nothing in it is taken on trust that would
make a reader, an engine or the maintenance go outside the table's folder.
"""

from __future__ import annotations

import json
import re
from typing import Any

Action = dict[str, Any]

# What the project writes, and other writers of Delta logs give their files. No `%`: some readers
# take it for an encoded character and some do not. No `*?[]{}`: Spark takes them for a pattern.
_SEGMENT = r"[A-Za-z0-9_=~-][A-Za-z0-9_=.~-]*"
_PLAIN = re.compile(rf"{_SEGMENT}(/{_SEGMENT})*")


class BadAction(ValueError):  # noqa: N818 -- it is not what happened, but what was found
    """An action that no table of this project has."""


def read_actions(content: bytes) -> list[Action]:
    """The actions of one commit, a JSON object a line.

    Raises:
        BadAction: a line is none.
    """
    actions: list[Action] = []
    for number, line in enumerate(content.splitlines(), 1):
        if not line.strip():
            continue
        try:
            action = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise BadAction(f"line {number} is no JSON that can be read: {_said(error)}") from None
        if not isinstance(action, dict) or len(action) != 1:
            raise BadAction(f"line {number} is no action: found {_short(line)}")
        if not isinstance(next(iter(action.values())), dict):
            raise BadAction(f"line {number} is an action without values: found {_short(line)}")
        actions.append(action)
    return actions


def checked_path(path: object) -> str:
    """The path of a file below the table's folder, relative to it.

    Raises:
        BadAction: it may be read as a place outside that folder.
    """
    if isinstance(path, str) and _PLAIN.fullmatch(path):
        return path
    raise BadAction(
        f"the path {_short(path)} is not one of a file in the table's folder; expected names of "
        "letters, digits and _ = . ~ - that begin with no dot, with / between them"
    )


def _said(error: Exception) -> str:
    return "nested too deeply" if isinstance(error, RecursionError) else str(error)


def _short(value: object) -> str:
    text = value.decode(errors="replace") if isinstance(value, bytes) else value
    shown = repr(text)
    return shown if len(shown) <= 120 else f"{shown[:120]}…"
