"""Rows for people: as a table where they fit, one below the other where they do not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import accumulate

import pyarrow as pa
from rich.cells import cell_len, set_cell_size

from sparkify_assets.cli import output
from sparkify_assets.cli.output import counted, harmless, print_table, say
from sparkify_assets.cli.values import for_people, is_number

# A longer text is cut; where not all columns fit, a shorter one, too.
_WIDEST = 60
_NARROW = 24
# So many rows are shown whole, one below the other, where their columns do not fit.
_UPRIGHT_ROWS = 10
# What a table adds to each column.
_BETWEEN = 3
_EXPLAINED = ["explain_key", "explain_value"]
_ESCAPES = str.maketrans({"\n": "\\n", "\r": "\\r", "\t": "\\t"})

Column = tuple[str, bool, list[str | None]]


def show_rows(rows: pa.Table, more: bool = False, note: Callable[[], str] = str) -> None:
    """Rows as a table for people.

    Args:
        more: there are others that are not shown.
        note: what to say after the number of rows, asked when they have been shown.
    """
    if rows.column_names == _EXPLAINED:
        for text in rows.column(1).to_pylist():
            say(str(text))
        return
    columns: list[Column] = [
        (field.name, is_number(field.type), _one_line(for_people(field.name, column)))
        for field, column in zip(rows.schema, rows.columns, strict=True)
    ]
    left_out = _show(columns, rows.num_rows)
    if more:
        say(
            f"The first {rows.num_rows:,} rows{note()}; there are more: LIMIT chooses, a file has "
            "all of them.",
            "dim",
        )
    else:
        say(f"{counted(rows.num_rows, 'row')}{note()}.", "dim")
    if left_out:
        say(
            f"No room for {counted(len(left_out), 'column')}: {', '.join(left_out)}. "
            "CSV, JSON or Parquet has all of them.",
            "dim",
        )


def _show(columns: Sequence[Column], rows: int) -> list[str]:
    """Show them; the names of the columns for which there was no room."""
    room = output.console.width
    for most in (_WIDEST, _NARROW):
        fits = _fitting(columns, most, room)
        if fits == len(columns):
            break
    if fits < len(columns) and 0 < rows <= _UPRIGHT_ROWS:
        _upright(columns, rows, room)
        return []
    shown = columns[: max(fits, 1)]
    print_table(
        "",
        [_cut(name, most) for name, _, _ in shown],
        zip(*[_cut_all(texts, most) for _, _, texts in shown], strict=True),
        right=[_cut(name, most) for name, to_the_right, _ in shown if to_the_right],
    )
    return [name for name, _, _ in columns[max(fits, 1) :]]


def _fitting(columns: Sequence[Column], most: int, room: int) -> int:
    """How many of the columns there is room for, cut at `most`."""
    widths = [
        min(most, max([cell_len(name), *[cell_len(text) for text in texts if text]]))
        for name, _, texts in columns
    ]
    return sum(end <= room for end in accumulate(width + _BETWEEN for width in widths))


def _upright(columns: Sequence[Column], rows: int, room: int) -> None:
    names = [_cut(name, _NARROW) for name, _, _ in columns]
    left = max(cell_len(name) for name in names)
    for number in range(rows):
        say(f"row {number + 1}", "bold")
        for name, (_, _, texts) in zip(names, columns, strict=True):
            value = texts[number]
            text = "-" if value is None else _cut(value, max(room - left - 4, 10))
            say(f"  {set_cell_size(name, left)}  {text}", "dim" if value is None else "")


def _one_line(texts: list[str | None]) -> list[str | None]:
    return [None if text is None else harmless(text.translate(_ESCAPES)) for text in texts]


def _cut_all(texts: list[str | None], most: int) -> list[str | None]:
    return [None if text is None else _cut(text, most) for text in texts]


def _cut(text: str, most: int) -> str:
    if cell_len(text) <= most:
        return text
    return f"{set_cell_size(text, most - 1).rstrip()}…"
