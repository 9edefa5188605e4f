"""The command `sparkify`: each sub-command in a module of its own.

Exit codes: 0 done, 1 failed, 2 wrong use. What is meant to be read by programs (`--format json`)
goes to standard output alone; progress and errors go to standard error.
"""

from __future__ import annotations

import atexit
import os
import sys

import typer

from sparkify_assets.cli.interrupt import Interrupted
from sparkify_assets.errors import SparkifyError
from sparkify_assets.loading import loading

with loading():
    from sparkify_assets.cli import (
        alert_test,
        ask,
        ddl,
        demo,
        export,
        forecast,
        maintain,
        pack,
        query,
        rejects,
        report,
        run,
        sample,
        sql,
        status,
    )
    from sparkify_assets.cli.output import errors, harmless

_STOPPED = "interrupted: what was committed stays, and the next `sparkify run` completes the rest"

app = typer.Typer(
    name="sparkify",
    help="Sparkify's song and log files as a lake of five tables. "
    "Settings: SPARKIFY_* in the environment, .env or dl.cfg (see .env.example).",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command(name="run")(run.run)
app.command(name="status")(status.status)
app.command(name="ask", context_settings=ask.CONTEXT)(ask.ask)
app.command(name="query", context_settings=query.CONTEXT)(query.query)
app.command(name="sql")(sql.sql)
app.command(name="export")(export.export)
app.command(name="ddl")(ddl.ddl)
app.command(name="report")(report.report)
app.command(name="rejects")(rejects.rejects)
app.command(name="maintain")(maintain.maintain)
app.command(name="forecast", cls=forecast.WithFormulas)(forecast.forecast)
app.command(name="pack")(pack.pack)
app.command(name="sample")(sample.sample)
app.command(name="demo")(demo.demo)
app.command(name="alert-test")(alert_test.alert_test)


def main() -> None:
    """Entry point: turns our own errors into one message and an exit code."""
    try:
        app()
    except SparkifyError as error:
        errors.print(f"[bold red]error:[/] {_escaped(harmless(str(error)))}", soft_wrap=True)
        sys.exit(error.exit_code)
    except Interrupted as stopped:
        errors.print(str(stopped) or _STOPPED, soft_wrap=True)
        os._exit(130)  # the run's thread does not stop by itself


def command() -> None:
    """The command itself: `main`, and then the end of the process.

    Arrow may abort a process that ends right after it read Parquet (apache/arrow#34314), which
    would turn a good exit code into another one; so Python's own end is passed over.
    """
    code = 1
    try:
        main()
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:  # noqa: BLE001 -- shown as Python would, and then left
        sys.excepthook(*sys.exc_info())
    finally:
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _escaped(text: str) -> str:
    from rich.markup import escape

    return escape(text)
