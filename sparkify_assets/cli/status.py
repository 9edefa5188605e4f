"""`sparkify status`: what is in the lake, and what waits in the landing zone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sparkify_assets.cli.options import FormatOption, LakeOption, LandingOption
from sparkify_assets.cli.output import Format, counted, print_json, print_table, say, size
from sparkify_assets.cli.run import show_attention, show_release
from sparkify_assets.settings import Settings, load_settings

if TYPE_CHECKING:
    from sparkify_assets.refresh.report import Status


def status(
    landing: LandingOption = None, lake: LakeOption = None, output: FormatOption = Format.TEXT
) -> None:
    """Show tables, rows and versions, and files landed, pending and rejected."""
    from sparkify_assets.refresh.report import get_status

    settings = load_settings(landing=landing, lake=lake)
    found = get_status(settings)
    if output is Format.JSON:
        print_json(found.to_dict())
    else:
        show_status(found, settings)


def show_status(found: Status, settings: Settings) -> None:
    """The status for people."""
    if not found.tables:
        say(f"There is no lake in {settings.lake} yet; `sparkify run` makes it.")
    else:
        print_table(
            f"Lake {settings.lake}",
            ["table", "rows", "months", "version", "size", "last change (UTC)"],
            [
                (t.name, t.rows, t.months, t.version, size(t.size_bytes), t.changed[:19])
                for t in found.tables
            ],
            right=["rows", "months", "version", "size"],
        )
        say(
            f"{counted(found.files_landed, 'file')} landed: {counted(found.lines, 'line')}, "
            f"{counted(found.rows, 'row')}, {found.rejected:,} rejected, {found.repaired:,} with "
            f"repaired text. {found.matched_plays:,} plays match a song."
        )
    show_release(found.release)
    if found.problem:
        say(f"Landing zone: {found.problem}", style="yellow")
        return
    say(
        f"Landing zone {settings.landing}: {counted(found.files_pending, 'file')} pending, "
        f"{found.files_gone:,} gone since they were taken in."
    )
    if found.stale:
        names = sorted({item["table"] for item in found.stale})
        say(
            f"{counted(len(found.stale), 'partition')} out of date ({', '.join(names)}); "
            "`sparkify run` makes them current.",
            style="yellow",
        )
    show_attention(found.not_loaded, found.months_outside)
