"""Rows of an answer, in the format that was asked for: on the terminal, into a pipe or a file."""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, BinaryIO, cast

import pyarrow as pa
import typer

from sparkify_assets.cli.grid import show_rows
from sparkify_assets.cli.output import harmless
from sparkify_assets.cli.values import for_csv, for_json, for_people, is_number
from sparkify_assets.cli.whole_file import whole_file
from sparkify_assets.errors import UsageError
from sparkify_assets.lake.row_groups import row_groups

# More rows than that nobody reads on a terminal.
TABLE_ROWS = 200
# A table is measured before it is written; so many rows of it may be in memory.
_FILE_ROWS = 10_000


class AnswerFormat(StrEnum):
    """How the rows of an answer are written."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"
    PARQUET = "parquet"
    MARKDOWN = "markdown"


AnswerFormatOption = Annotated[
    AnswerFormat | None,
    typer.Option(
        "--format",
        help="table, csv, json, parquet or markdown.",
        show_default="table; with --output by the file's ending",
    ),
]
OutputOption = Annotated[
    Path | None,
    typer.Option("--output", help="A file to write, whole or not at all; else standard output."),
]
_ENDINGS = {
    ".csv": AnswerFormat.CSV, ".json": AnswerFormat.JSON, ".parquet": AnswerFormat.PARQUET,
    ".md": AnswerFormat.MARKDOWN, ".txt": AnswerFormat.TABLE,
}  # fmt: skip


def chosen_format(asked: AnswerFormat | None, output: Path | None) -> AnswerFormat:
    """The format to write.

    Raises:
        UsageError: the file's ending says none, or Parquet would go to a terminal.
    """
    if asked is None and output is not None:
        asked = format_of(output)
        if asked is None:
            raise UsageError(
                f"--output: {output.name} does not say which format; add --format, or end it in "
                f"{', '.join(_ENDINGS)}"
            )
    if asked is AnswerFormat.PARQUET and output is None and sys.stdout.isatty():
        raise UsageError("--format parquet: a terminal cannot show it; add --output FILE")
    return asked or AnswerFormat.TABLE


def format_of(output: Path) -> AnswerFormat | None:
    """The format that a file's ending says, None where it says none."""
    return _ENDINGS.get(output.suffix.lower())


def write_answer(
    reader: pa.RecordBatchReader,
    form: AnswerFormat,
    output: Path | None = None,
    *,
    append: bool = False,
    note: Callable[[], str] = str,
) -> int:
    """Write all rows, batch by batch; of a table on standard output the first.

    Args:
        append: after what the file holds already.
        note: what a table says after the number of rows, asked when it has been shown.

    Returns:
        How many rows were written.

    Raises:
        SparkifyError: the file cannot be written, or cannot hold the answer.
    """
    if form is AnswerFormat.TABLE and output is None:
        return _show(reader, TABLE_ROWS, note)
    with _target(output, append) as target:
        return _WRITERS[form](reader, target)


def _show(reader: pa.RecordBatchReader, most: int, note: Callable[[], str] = str) -> int:
    batches: list[pa.RecordBatch] = []
    for batch in reader:
        batches.append(batch)
        if sum(b.num_rows for b in batches) > most:
            break
    rows = pa.Table.from_batches(batches, schema=reader.schema)
    shown = rows.slice(0, most)
    show_rows(shown, more=rows.num_rows > most, note=note)
    return int(shown.num_rows)


@contextmanager
def _target(output: Path | None, append: bool) -> Iterator[BinaryIO]:
    if output is None:
        sys.stdout.flush()
        if sys.stdout.isatty():
            yield cast("BinaryIO", _Terminal())
        else:
            yield sys.stdout.buffer
            sys.stdout.buffer.flush()
        return
    with whole_file(output, append=append) as target:
        yield target


class _Terminal(io.RawIOBase):
    """Standard output where it is a terminal: it obeys nothing that stands in the data."""

    def write(self, content: Any) -> int:
        return sys.stdout.write(harmless(bytes(content).decode()))


def _csv(reader: pa.RecordBatchReader, target: BinaryIO) -> int:
    def write(lines: Iterator[Any]) -> None:
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows(lines)
        target.write(text.getvalue().encode())

    written = 0
    write(iter([reader.schema.names]))
    for batch in reader:
        write(zip(*map(for_csv, batch.columns), strict=True))
        written += batch.num_rows
    return written


def _json(reader: pa.RecordBatchReader, target: BinaryIO) -> int:
    names = _unique(reader.schema.names)
    written = 0
    for batch in reader:
        for row in zip(*map(for_json, batch.columns), strict=True):
            line = json.dumps(dict(zip(names, row, strict=True)), ensure_ascii=False)
            target.write((",\n" if written else "[\n").encode() + line.encode())
            written += 1
    target.write(b"\n]\n" if written else b"[]\n")
    return written


def _parquet(reader: pa.RecordBatchReader, target: BinaryIO) -> int:
    import pyarrow.parquet as pq

    schema = pa.schema(
        [
            field.with_name(name)
            for field, name in zip(reader.schema, _unique(reader.schema.names), strict=True)
        ]
    )
    written = 0
    try:
        with pq.ParquetWriter(target, schema, compression="zstd") as writer:
            for group in row_groups(reader):
                writer.write_table(group.rename_columns(schema.names), group.num_rows)
                written += group.num_rows
    except pa.ArrowNotImplementedError as error:
        raise UsageError(f"Parquet cannot hold the answer: {error}; use CAST in the SQL") from None
    return written


def _markdown(reader: pa.RecordBatchReader, target: BinaryIO) -> int:
    names = reader.schema.names
    sides = ["---:" if is_number(field.type) else "---" for field in reader.schema]
    target.write(_row([_in_markdown(name) for name in names]) + _row(sides))
    written = 0
    for batch in reader:
        for row in zip(*map(for_people, names, batch.columns), strict=True):
            target.write(_row([_in_markdown(value) for value in row]))
        written += batch.num_rows
    return written


def _table(reader: pa.RecordBatchReader, target: BinaryIO) -> int:
    from rich.console import Console

    from sparkify_assets.cli import output

    text = io.StringIO()
    before, output.console = output.console, Console(file=text, width=160, highlight=False)
    try:
        return _show(reader, _FILE_ROWS)
    finally:
        output.console = before
        target.write(text.getvalue().encode())


_WRITERS: dict[AnswerFormat, Callable[[pa.RecordBatchReader, BinaryIO], int]] = {
    AnswerFormat.CSV: _csv,
    AnswerFormat.JSON: _json,
    AnswerFormat.PARQUET: _parquet,
    AnswerFormat.MARKDOWN: _markdown,
    AnswerFormat.TABLE: _table,
}


def _row(cells: list[str]) -> bytes:
    return f"| {' | '.join(cells)} |\n".encode()


def _in_markdown(text: str | None) -> str:
    return "" if text is None else " ".join(text.replace("|", "\\|").split())


def _unique(names: list[str]) -> list[str]:
    """Names of which no two are alike: the second `a` is `a_2`."""
    found: list[str] = []
    for name in names:
        number, unique = 1, name
        while unique in found:
            number += 1
            unique = f"{name}_{number}"
        found.append(unique)
    return found
