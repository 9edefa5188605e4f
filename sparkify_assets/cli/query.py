"""`sparkify query`: one SQL statement over the newest release."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from sparkify_assets.cli.answer import (
    AnswerFormat,
    AnswerFormatOption,
    OutputOption,
    chosen_format,
    write_answer,
)
from sparkify_assets.cli.lake_session import AtOption, lake_session
from sparkify_assets.cli.options import LakeOption
from sparkify_assets.cli.output import errors
from sparkify_assets.errors import UsageError

# SQL may begin with a comment, `-- …`, which is no option.
CONTEXT = {"ignore_unknown_options": True}


def query(
    sql: Annotated[
        str,
        typer.Argument(help="The statement, or - to read it from standard input.", metavar="SQL"),
    ],
    form: AnswerFormatOption = None,
    output: OutputOption = None,
    at: AtOption = None,
    lake: LakeOption = None,
) -> None:
    """Answer SQL over the lake: tables songplays, users, songs, artists, time; views plays,
    sessions, levels.

    All tables are read as of one release, whatever runs do meanwhile, and only the columns and
    months that the statement needs. DuckDB's SQL; it can only read, and only the lake.
    SPARKIFY_QUERY_MEMORY_GB and SPARKIFY_QUERY_SECONDS limit it. `SHOW TABLES` and `DESCRIBE plays`
    tell what there is.
    """
    chosen = chosen_format(form, output)
    text = _read(sql)
    with lake_session(lake, at) as session, session.reader(text) as reader:
        write_answer(reader, chosen, output)
        if chosen is AnswerFormat.TABLE and output is None:
            errors.print(f"{session.release}.", style="dim", soft_wrap=True)
    if output is not None:
        errors.print(f"{Path(output)} written", style="dim", soft_wrap=True)


def _read(sql: str) -> str:
    if sql != "-":
        return sql
    if sys.stdin.isatty():
        raise UsageError("`-` reads the SQL from standard input, which is a terminal here")
    return sys.stdin.read()
