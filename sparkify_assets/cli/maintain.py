"""`sparkify maintain`: upkeep of the lake, where many small runs leave much behind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from sparkify_assets.cli.interrupt import Interrupted
from sparkify_assets.cli.options import FormatOption, LakeOption
from sparkify_assets.cli.output import Format, counted, print_json, print_table, say, size
from sparkify_assets.cli.progress import Progress
from sparkify_assets.errors import LakeError
from sparkify_assets.settings import Settings, load_settings

if TYPE_CHECKING:
    from sparkify_assets.maintenance.report import Maintained

_STOPPED = (
    "interrupted: every table reads as before, and the next `sparkify maintain` does the rest"
)


def maintain(
    lake: LakeOption = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be done; change nothing.")
    ] = False,
    output: FormatOption = Format.TEXT,
) -> None:
    """Put small raw parts together and remove what nobody can need any more.

    Raw rows that no longer count are removed, logs get checkpoints, replaced files go after the
    grace period and files of interrupted runs after a day. No row of any table changes.
    """
    from sparkify_assets.lake.lake import Lake
    from sparkify_assets.maintenance.maintain import maintain as maintain_lake

    settings = load_settings(lake=lake)
    try:
        with Progress(quiet=output is Format.JSON) as progress:
            report = maintain_lake(
                Lake.at(settings.lake),
                settings.grace_hours,
                settings.months,
                dry_run=dry_run,
                watch=progress.step,
            )
    except KeyboardInterrupt:
        raise Interrupted(_STOPPED) from None
    if output is Format.JSON:
        print_json(report.to_dict())
    else:
        show_maintained(report, settings)
    if report.failed:
        told = "; ".join(f"{scope}: {reason}" for scope, reason in report.failed.items())
        raise LakeError(f"left as they are: {told}. Everything else was done")


def show_maintained(report: Maintained, settings: Settings) -> None:
    """The report for people."""
    if not report.tables:
        say(f"There is no lake in {settings.lake} yet; `sparkify run` makes it.")
        return
    rows = [
        (
            name,
            one.files_before,
            None if report.dry_run else one.files_after,
            one.batches_compacted,
            one.dead_files,
            one.replaced,
            one.left_over,
            size(one.removed_bytes),
        )
        for name, one in report.tables.items()
        if one.batches_compacted or one.dead_files or one.replaced or one.left_over
    ]
    would = "would be " if report.dry_run else ""
    if rows:
        print_table(
            f"Files of tables in {settings.lake}",
            ["table", "before", "after", "put together", "dead", "replaced", "left over", "size"],
            rows,
            right=["before", "after", "put together", "dead", "replaced", "left over", "size"],
        )
        removed = counted(report.total("replaced") + report.total("left_over"), "file")
        say(f"{removed} {would}removed, {size(report.total('removed_bytes'))}.")
    else:
        say("Nothing to put together, nothing to remove.")
    if checkpoints := report.total("checkpoint"):
        say(f"{counted(checkpoints, 'checkpoint')} {would}written.", style="dim")
    for scope, reason in report.postponed.items():
        say(f"{scope} was left for the next time: {reason}", style="yellow")
