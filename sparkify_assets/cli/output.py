"""How results look on a terminal: consoles, tables, numbers."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

# Into a file or a pipe, tables may be wider than a terminal of old.
_WIDTH = None if sys.stdout.isatty() else 160
console = Console(highlight=False, width=_WIDTH)
errors = Console(stderr=True, highlight=False)


def say(text: str, style: str = "") -> None:
    """A sentence to standard output; never broken into lines or read as markup."""
    console.print(harmless(text), style=style or None, markup=False, soft_wrap=True)


def harmless(text: str) -> str:
    """File names and lines from outside may hold codes that a terminal would obey."""
    return _CODES.sub(lambda found: f"\\x{ord(found.group()):02x}", text)


# Also those that turn the direction of writing.
_CODES = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


class Format(StrEnum):
    """How a command prints its result."""

    TEXT = "text"
    JSON = "json"


def print_json(value: Any) -> None:
    """One JSON document to standard output."""
    console.file.write(json.dumps(value, indent=2, ensure_ascii=False, default=str) + "\n")


def print_table(
    title: str, columns: Sequence[str], rows: Iterable[Sequence[Any]], *, right: Iterable[str] = ()
) -> None:
    """A table; the columns named in `right` are aligned to the right."""
    if title:
        say(title, style="bold")
    table = Table(box=SIMPLE_HEAD)
    numbers = set(right)
    for column in columns:
        table.add_column(
            Text(harmless(column)),
            justify="right" if column in numbers else "left",
            overflow="fold",
        )
    for row in rows:
        table.add_row(*[Text(shown(value), "dim" if value is None else "") for value in row])
    console.print(table)


def shown(value: Any) -> str:
    """A value for people: thousands separated, None as a dash."""
    if value is None:
        return "-"
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return harmless(str(value))


def size(number: float) -> str:
    """Bytes for people."""
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if number < 1000 or unit == "TB":
            return f"{number:.0f} {unit}" if unit == "B" else f"{number:.1f} {unit}"
        number /= 1000
    raise AssertionError("unreachable")


def counted(number: int, thing: str) -> str:
    """`1 file`, `2 files`."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"
