"""`sparkify sql`: SQL over a release, typed in a shell or from a file or a pipe."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from sparkify_assets.cli.answer import AnswerFormat
from sparkify_assets.cli.interrupt import Interrupted
from sparkify_assets.cli.options import LakeOption
from sparkify_assets.errors import UsageError


def sql(
    lake: LakeOption = None,
    at: Annotated[
        str | None,
        typer.Option("--at", help="The release of that time (ISO, UTC), and stay with it."),
    ] = None,
    form: Annotated[
        AnswerFormat,
        typer.Option("--format", help="table, csv, json, markdown; into a pipe also parquet."),
    ] = AnswerFormat.TABLE,
) -> None:
    """Ask the lake in SQL: a shell; with `< FILE` or a pipe, all its statements in order."""
    from sparkify_assets.cli.answer import chosen_format
    from sparkify_assets.cli.lake_session import lake_session
    from sparkify_assets.cli.shell.shell import Shell

    chosen_format(form, None)
    with lake_session(lake, at) as session:
        shell = Shell(session, form, pinned=at is not None)
        if sys.stdin.isatty() and sys.stdout.isatty():
            from sparkify_assets.cli.shell.terminal import converse

            converse(shell)
            return
        try:
            shell.run_all(sys.stdin, "line")
        except KeyboardInterrupt:
            raise Interrupted("interrupted") from None
        except UnicodeDecodeError as error:
            raise UsageError(f"what comes in is not UTF-8: {error.reason}") from None
