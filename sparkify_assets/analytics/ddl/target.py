"""What statements are made for: where the tables lie, and what they are to be called there."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable
from dataclasses import dataclass

from sparkify_assets.errors import UsageError
from sparkify_assets.storage.location import Location
from sparkify_assets.tables import Table

_NAME = re.compile(r"[a-z_][a-z0-9_]{0,62}")
_WIDTH = 96


@dataclass(frozen=True)
class Target:
    """Where the tables lie, and their schema in the tool.

    Attributes:
        schema: a database, in the words of Athena and Spark.
        catalog: Trino's catalog with the connector for Delta tables.
        export: a plain Parquet copy in a bucket, made by `sparkify export`.
        months: by table, the months of that copy.
    """

    lake: Location
    schema: str = "sparkify"
    catalog: str = "delta"
    export: Location | None = None
    months: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for option, name in (("--schema", self.schema), ("--catalog", self.catalog)):
            if not _NAME.fullmatch(name):
                raise UsageError(
                    f"{option}: found {name!r}, expected a name of small letters, digits and _ "
                    "that does not begin with a digit"
                )

    def lake_on_s3(self, tool: str) -> Location:
        """The lake, for a tool that reads buckets only.

        Raises:
            UsageError: it is a folder.
        """
        if not self.lake.on_s3:
            raise UsageError(
                f"{tool} reads buckets only, and the lake is the folder {self.lake.uri}. Keep it "
                "in a bucket (SPARKIFY_LAKE=s3://…, docs/s3.md), or name the one that is there "
                "with --lake s3://…"
            )
        return self.lake


def described(table: Table) -> str:
    """A table's and its columns' descriptions as SQL comments."""
    lines = textwrap.wrap(f"{table.name}: {table.description}", _WIDTH)
    for column in table.columns:
        lines += textwrap.wrap(
            f"{column.name}: {column.description}", _WIDTH, initial_indent="  ",
            subsequent_indent="    ",
        )  # fmt: skip
    return commented(lines)


def commented(lines: Iterable[str]) -> str:
    """Lines as SQL comments; without semicolons, at which some tools cut whatever they stand in."""
    return "\n".join(f"-- {line}".rstrip().replace(";", " –") for line in lines)
