"""`sparkify report`: the listening report of a month, made if it is missing or out of date."""

from __future__ import annotations

import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sparkify_assets.cli.options import LakeOption
from sparkify_assets.cli.output import say, size
from sparkify_assets.cli.whole_file import whole_file
from sparkify_assets.errors import UsageError
from sparkify_assets.partitions import is_month, told_ranges
from sparkify_assets.settings import load_settings

if TYPE_CHECKING:
    from sparkify_assets.analytics.session import Session
    from sparkify_assets.lake.lake import Lake
    from sparkify_assets.lake.release import Release


def report(
    month: Annotated[
        str | None,
        typer.Option(help="The month, YYYY-MM.", show_default="the newest with plays"),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", help="Also write the page into this file.")
    ] = None,
    open_it: Annotated[bool, typer.Option("--open", help="Open the page in the browser.")] = False,
    lake: LakeOption = None,
) -> None:
    """Make the monthly listening report if need be, and say where it is.

    One HTML page that needs nothing but a browser. It lies in the lake, below _reports/listening,
    and is made again only if what it was made from has changed.
    """
    from sparkify_assets.analytics.question import all_questions
    from sparkify_assets.analytics.report.write import read_report, write_report
    from sparkify_assets.analytics.session import Limits, open_session
    from sparkify_assets.lake.lake import Lake
    from sparkify_assets.lake.release import last_release

    if month is not None and not is_month(month):
        raise UsageError(f"--month: found {month!r}, expected a month as YYYY-MM")
    settings = load_settings(lake=lake)
    found = Lake.at(settings.lake)
    release = last_release(found)
    month = month or _newest(found, release)
    limits = Limits(settings.query_memory_gb, settings.query_seconds)
    with open_session(found, release, limits, keep=True) as session:
        _check_plays(session, month)
        written = write_report(found, session, month, all_questions())
    what = f"made in {written.seconds:.1f} s" if written.made else "up to date"
    say(f"{written.uri}: {size(written.size)}, {what}, from {release}.")
    if month in release.pending:
        say(f"The plays of {month} are those from before: `sparkify status` tells why.", "yellow")
    shown = written.url
    if output is not None:
        page = read_report(found, month)
        with whole_file(output) as target:
            target.write(page)
        say(f"{output} written.")
        shown = output.absolute().as_uri()
    if open_it and not webbrowser.open(shown):
        say(f"No browser could be opened; the page is at {shown}", "yellow")


def _check_plays(session: Session, month: str) -> None:
    there = session.snapshot("songplays").partitions
    if month not in there:
        told = f"there are plays in {told_ranges(there)}" if there else "there are none at all"
        raise UsageError(f"--month: no plays in {month}; {told}")


def _newest(lake: Lake, release: Release) -> str:
    from sparkify_assets.tables import SONGPLAYS

    plays = lake.snapshot_at(SONGPLAYS, release.versions[SONGPLAYS.name])
    if not plays.partitions:
        raise UsageError(
            f"{lake.location.uri} has no plays yet, so there is no newest month; add --month, or "
            "`sparkify run` first"
        )
    return plays.partitions[-1]
