"""Rows of an answer, in the format that was asked for: on the terminal, into a pipe or a file."""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, BinaryIO

import pyarrow as pa
import typer

from sparkify_assets.cli.output import counted, print_table, say
from sparkify_assets.errors import SparkifyError, UsageError

# More rows than that nobody reads on a terminal.
TABLE_ROWS = 200


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
        asked = _ENDINGS.get(output.suffix.lower())
        if asked is None:
            raise UsageError(
                f"--output: {output.name} does not say which format; add --format, or end it in "
                f"{', '.join(_ENDINGS)}"
            )
    if asked is AnswerFormat.PARQUET and output is None and sys.stdout.isatty():
        raise UsageError("--format parquet: a terminal cannot show it; add --output FILE")
    return asked or AnswerFormat.TABLE


def write_answer(
    reader: pa.RecordBatchReader, form: AnswerFormat, output: Path | None = None
) -> None:
    """Write all rows, batch by batch.

    Raises:
        SparkifyError: the file cannot be written.
    """
    if form is AnswerFormat.TABLE and output is None:
        _to_terminal(reader)
        return
    with _target(output) as target:
        _WRITERS[form](reader, target)


def show_rows(rows: pa.Table, more: bool = False) -> None:
    """Rows as a table for people; `more`: there are others that are not shown."""
    numbers = [f.name for f in rows.schema if pa.types.is_integer(f.type) or _is_float(f.type)]
    shown = [[_text(row[i]) for i in range(rows.num_columns)] for row in _tuples(rows)]
    print_table("", rows.column_names, shown, right=numbers)
    if more:
        say(
            f"The first {rows.num_rows:,} rows; add LIMIT, or --output FILE for all of them.", "dim"
        )
    else:
        say(f"{counted(rows.num_rows, 'row')}.", "dim")


def _to_terminal(reader: pa.RecordBatchReader) -> None:
    batches: list[pa.RecordBatch] = []
    for batch in reader:
        batches.append(batch)
        if sum(b.num_rows for b in batches) > TABLE_ROWS:
            break
    rows = pa.Table.from_batches(batches, schema=reader.schema)
    show_rows(rows.slice(0, TABLE_ROWS), more=rows.num_rows > TABLE_ROWS)


@contextmanager
def _target(output: Path | None) -> Iterator[BinaryIO]:
    if output is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    aside = output.with_name(f".{output.name}.part")
    try:
        with aside.open("wb") as target:
            yield target
        aside.replace(output)
    except OSError as error:
        if isinstance(error, SparkifyError):
            raise
        raise SparkifyError(f"--output: {output} cannot be written: {error}") from error
    finally:
        aside.unlink(missing_ok=True)


def _csv(reader: pa.RecordBatchReader, target: BinaryIO) -> None:
    text = io.TextIOWrapper(target, "utf-8", newline="", write_through=True)
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow(reader.schema.names)
    for batch in reader:
        lines.writerows([_plain(value) for value in row] for row in _tuples(batch))
    text.detach()


def _json(reader: pa.RecordBatchReader, target: BinaryIO) -> None:
    names = reader.schema.names
    before = b"["
    for batch in reader:
        for row in _tuples(batch):
            values = dict(zip(names, row, strict=True))
            line = json.dumps(values, ensure_ascii=False, default=_plain)
            target.write(before + b"\n" + line.encode())
            before = b","
    target.write(b"[]\n" if before == b"[" else b"\n]\n")


def _parquet(reader: pa.RecordBatchReader, target: BinaryIO) -> None:
    import pyarrow.parquet as pq

    with pq.ParquetWriter(target, reader.schema, compression="zstd") as writer:
        for batch in reader:
            writer.write_batch(batch)


def _markdown(reader: pa.RecordBatchReader, target: BinaryIO) -> None:
    sides = ["---:" if _is_number(field.type) else "---" for field in reader.schema]
    target.write(_row(reader.schema.names) + _row(sides))
    for batch in reader:
        for row in _tuples(batch):
            target.write(_row([_in_markdown(value) for value in row]))


def _table(reader: pa.RecordBatchReader, target: BinaryIO) -> None:
    from rich.console import Console

    from sparkify_assets.cli import output

    text = io.TextIOWrapper(target, "utf-8", write_through=True)
    before, output.console = output.console, Console(file=text, width=160, highlight=False)
    try:
        show_rows(pa.Table.from_batches(list(reader), schema=reader.schema))
    finally:
        output.console = before
        text.detach()


_WRITERS: dict[AnswerFormat, Callable[[pa.RecordBatchReader, BinaryIO], None]] = {
    AnswerFormat.CSV: _csv,
    AnswerFormat.JSON: _json,
    AnswerFormat.PARQUET: _parquet,
    AnswerFormat.MARKDOWN: _markdown,
    AnswerFormat.TABLE: _table,
}


def _row(cells: list[str]) -> bytes:
    return f"| {' | '.join(cells)} |\n".encode()


def _in_markdown(value: Any) -> str:
    text = "" if value is None else _text(value)
    return " ".join(text.replace("|", "\\|").split())


def _tuples(rows: pa.Table | pa.RecordBatch) -> Iterator[tuple[Any, ...]]:
    return zip(*[column.to_pylist() for column in rows.columns], strict=True)


def _plain(value: Any) -> Any:
    """A value for programs."""
    if isinstance(value, datetime):
        return _instant(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, (list, dict)):
        return json.dumps(value, ensure_ascii=False, default=_plain)
    return value if isinstance(value, (str, int, float, bool, type(None))) else str(value)


def _text(value: Any) -> Any:
    """A value for people."""
    if isinstance(value, float):
        return f"{value:,.2f}".rstrip("0").rstrip(".")
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int) or value is None:
        return value
    return str(_plain(value))


def _instant(value: datetime) -> str:
    text = value.isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def _is_float(kind: pa.DataType) -> bool:
    return bool(pa.types.is_floating(kind) or pa.types.is_decimal(kind))


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or _is_float(kind))
