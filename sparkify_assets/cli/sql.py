"""`sparkify sql`: SQL over a release, typed in a shell or from a file or a pipe."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from sparkify_assets.cli.answer import AnswerFormat
from sparkify_assets.cli.lake_session import AtOption, lake_session
from sparkify_assets.cli.options import LakeOption
from sparkify_assets.errors import UsageError


def sql(
    lake: LakeOption = None,
    at: AtOption = None,
    form: Annotated[
        AnswerFormat,
        typer.Option(
            "--format",
            help="table, csv, json, markdown: several answers, one after another; into a pipe also "
            "parquet, for one answer.",
        ),
    ] = AnswerFormat.TABLE,
) -> None:
    """Ask the lake in SQL: a shell; with `< FILE` or a pipe, all its statements in order.

    The shell goes on to each newer release; with --at, and for a file or pipe, all statements read
    the same one.
    """
    from sparkify_assets.cli.answer import chosen_format
    from sparkify_assets.cli.shell.shell import Shell

    chosen_format(form, None)
    talks = sys.stdin.isatty() and sys.stdout.isatty()
    with lake_session(lake, at, keep=True) as session:
        shell = Shell(session, form, pinned=at is not None or not talks)
        if talks:
            from sparkify_assets.cli.shell.terminal import converse

            converse(shell)
            return
        try:
            shell.run_all(sys.stdin, "line")
        except UnicodeDecodeError as error:
            raise UsageError(f"what comes in is not UTF-8: {error.reason}") from None
