"""`sparkify ddl`: statements that make the tables known to another tool."""

from __future__ import annotations

from typing import Annotated

import typer

from sparkify_assets.analytics.ddl.tools import Tool
from sparkify_assets.cli.options import LakeOption
from sparkify_assets.cli.output import console
from sparkify_assets.cli.place import place_of
from sparkify_assets.settings import load_settings


def ddl(
    tool: Annotated[Tool, typer.Argument(help="Who is to know the tables.", show_default=False)],
    schema: Annotated[
        str, typer.Option("--schema", help="Name of the schema (database) there.")
    ] = "sparkify",
    catalog: Annotated[
        str, typer.Option("--catalog", help="trino: the catalog with the connector delta_lake.")
    ] = "delta",
    export: Annotated[
        str | None,
        typer.Option(
            "--export",
            help="redshift: the copy in a bucket that `sparkify export` made.",
            show_default=False,
        ),
    ] = None,
    lake: LakeOption = None,
) -> None:
    """Print statements that make the five tables known to another tool.

    Nothing is run and nothing is changed; docs/analytics.md says how they are used.
    """
    from sparkify_assets.analytics.ddl.script import script
    from sparkify_assets.analytics.ddl.target import Target
    from sparkify_assets.analytics.exported import months_of_export
    from sparkify_assets.storage.location import Location

    settings = load_settings(lake=lake)
    copy = place_of(export, "--export") if export else None
    target = Target(
        Location(settings.lake),
        schema,
        catalog,
        copy,
        months_of_export(copy) if copy and tool is Tool.REDSHIFT else (),
    )
    console.file.write(f"{script(tool, target)}\n")
