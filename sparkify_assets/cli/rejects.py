"""`sparkify rejects`: the lines that could not be read, and why."""

from __future__ import annotations

from typing import Annotated

import typer

from sparkify_assets.cli.options import FormatOption, LakeOption
from sparkify_assets.cli.output import Format, counted, print_json, print_table, say
from sparkify_assets.settings import load_settings

_TEXT = 100
_SHOWN = 50


def rejects(
    lake: LakeOption = None,
    file: Annotated[
        str, typer.Option("--file", help="Only files whose key contains this text.")
    ] = "",
    limit: Annotated[
        int | None,
        typer.Option(
            "--limit", min=0, help="At most so many; 0 is all.", show_default="50, all as json"
        ),
    ] = None,
    output: FormatOption = Format.TEXT,
) -> None:
    """Show rejected lines with file, line number, reason and text."""
    from sparkify_assets.ingest.rejected import read_rejects
    from sparkify_assets.lake.lake import Lake

    settings = load_settings(lake=lake)
    found = list(read_rejects(Lake.at(settings.lake), file))
    most = limit if limit is not None else (0 if output is Format.JSON else _SHOWN)
    shown = found[:most] if most else found
    if output is Format.JSON:
        print_json([row._asdict() for row in shown])
        return
    if not found:
        say("No line was rejected.")
        return
    print_table(
        f"{counted(len(found), 'rejected line')}",
        ["file", "line", "reason", "text"],
        [(r.source_file, r.line, r.reason, r.text[:_TEXT]) for r in shown],
        right=["line"],
    )
    if len(shown) < len(found):
        say(f"… and {len(found) - len(shown):,} more; --limit 0 shows all.")
