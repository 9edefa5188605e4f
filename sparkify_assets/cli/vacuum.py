"""`sparkify vacuum`: remove files that nobody can need any more."""

from __future__ import annotations

from typing import Annotated

import typer

from sparkify_assets.cli.options import LakeOption
from sparkify_assets.cli.output import counted, print_table, say, size
from sparkify_assets.settings import load_settings


def vacuum(
    lake: LakeOption = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be removed; remove nothing.")
    ] = False,
) -> None:
    """Remove replaced files after the grace period, and files of interrupted runs after a day."""
    from sparkify_assets.lake.lake import Lake
    from sparkify_assets.lake.vacuum import vacuum as vacuum_table
    from sparkify_assets.tables import TABLES

    settings = load_settings(lake=lake)
    found = Lake.at(settings.lake)
    done = {
        table.name: vacuum_table(found, table, settings.grace_hours, dry_run=dry_run)
        for table in TABLES.values()
        if found.exists(table)
    }
    rows = [
        (name, len(one.replaced), len(one.orphans), size(one.size))
        for name, one in done.items()
        if one.replaced or one.orphans
    ]
    if not rows:
        say("Nothing to remove.")
        return
    print_table("", ["table", "replaced", "left over", "size"], rows, right=["replaced", "size"])
    files = sum(len(one.replaced) + len(one.orphans) for one in done.values())
    verb = "would be removed" if dry_run else "removed"
    say(f"{counted(files, 'file')} {verb}.")
