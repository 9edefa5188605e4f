"""`sparkify export`: a plain Parquet copy of a release, for tools that know no Delta."""

from __future__ import annotations

from typing import Annotated

import typer

from sparkify_assets.cli.interrupt import Interrupted
from sparkify_assets.cli.lake_session import AtOption, moment
from sparkify_assets.cli.options import FormatOption, LakeOption
from sparkify_assets.cli.output import Format, counted, print_json, print_table, say
from sparkify_assets.cli.place import place_of
from sparkify_assets.cli.progress import Progress
from sparkify_assets.errors import UsageError
from sparkify_assets.partitions import is_month
from sparkify_assets.settings import load_settings

_STOPPED = "interrupted: what was in {place} before is still there"


def export(
    directory: Annotated[
        str,
        typer.Argument(
            metavar="DIR",
            help="A folder or s3://bucket/prefix: empty, not there yet, or with an earlier copy, "
            "which is replaced.",
            show_default=False,
        ),
    ],
    tables: Annotated[
        list[str] | None,
        typer.Option(
            "--tables", help="Only these tables; repeat it, or separate them by commas.",
            show_default="all five",
        ),
    ] = None,
    months: Annotated[
        list[str] | None,
        typer.Option(
            "--months", help="Only these months of songplays and time (YYYY-MM); as --tables.",
            show_default="all",
        ),
    ] = None,
    at: AtOption = None,
    flat: Annotated[
        bool,
        typer.Option(
            "--flat",
            help="Year and month as columns in the files, for tools that read no folder names.",
        ),
    ] = False,
    lake: LakeOption = None,
    output: FormatOption = Format.TEXT,
) -> None:  # fmt: skip
    """Copy the tables of a release as plain Parquet files.

    All tables fit together: they are as of one release. The rows of the copy are counted.
    """
    from sparkify_assets.analytics.export import Wanted, checked_tables
    from sparkify_assets.analytics.export import export as export_release
    from sparkify_assets.lake.lake import Lake
    from sparkify_assets.lake.release import last_release, release_at

    to = place_of(directory, "sparkify export")
    wanted = Wanted(checked_tables(_split(tables)), _months(months), flat)
    when = moment(at) if at else None
    the_lake = Lake.at(load_settings(lake=lake).lake)
    try:
        with Progress(quiet=output is Format.JSON) as progress:
            release = release_at(the_lake, when) if when else last_release(the_lake)
            done = export_release(
                the_lake, release, to, wanted,
                lambda copied, of: progress.note(f"{release}: {copied:,} of {of:,} files"),
            )  # fmt: skip
    except KeyboardInterrupt:
        raise Interrupted(_STOPPED.format(place=to.uri)) from None
    if output is Format.JSON:
        print_json({"place": to.uri, "release": done.release, "time": done.time, "rows": done.rows})
        return
    print_table(
        f"{release}, copied to {to.uri}",
        ["table", "rows", "files"],
        [(name, rows, len(done.files[name])) for name, rows in done.rows.items()],
        right=["rows", "files"],
    )
    if done.pending:
        say(
            f"{counted(len(done.pending), 'month')} could not be made anew and is as before: "
            f"{', '.join(done.pending)}",
            style="yellow",
        )


def _split(values: list[str] | None) -> list[str]:
    return [part.strip() for value in values or () for part in value.split(",") if part.strip()]


def _months(values: list[str] | None) -> tuple[str, ...] | None:
    found = _split(values)
    for month in found:
        if not is_month(month):
            raise UsageError(f"--months: found {month!r}, expected a month as YYYY-MM")
    return tuple(sorted(set(found))) or None
