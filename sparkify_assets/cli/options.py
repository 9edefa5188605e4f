"""Options that several commands share, and the settings they make."""

from __future__ import annotations

from typing import Annotated

import typer

from sparkify_assets.cli.output import Format
from sparkify_assets.errors import UsageError
from sparkify_assets.partitions import is_month
from sparkify_assets.settings import Settings

LandingOption = Annotated[
    str | None,
    typer.Option(
        "--landing", help="The landing zone (SPARKIFY_LANDING).", show_default="from the settings"
    ),
]
LakeOption = Annotated[
    str | None,
    typer.Option("--lake", help="The lake (SPARKIFY_LAKE).", show_default="from the settings"),
]
EngineOption = Annotated[
    str | None,
    typer.Option(
        "--engine",
        help="embedded, local[*], spark://…, yarn, k8s://… or sc://… (SPARKIFY_ENGINE).",
        show_default="from the settings",
    ),
]
FormatOption = Annotated[
    Format, typer.Option("--format", help="text for people, json for programs.")
]


def check_months(months: list[str] | None, settings: Settings) -> list[str] | None:
    """The months asked for, sorted; None where none were.

    Raises:
        UsageError: one is no month, or not among the configured ones.
    """
    if not months:
        return None
    for month in months:
        if not is_month(month):
            raise UsageError(f"--month: found {month!r}, expected a month as YYYY-MM")
        if month not in settings.months:
            raise UsageError(
                f"--month: {month} is outside the configured months {settings.first_month} to "
                f"{settings.end_month}; set SPARKIFY_FIRST_MONTH or SPARKIFY_LAST_MONTH"
            )
    return sorted(set(months))
