"""Rows and plain text as Markdown, for metadata that people read."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from dagster import MarkdownMetadataValue


def table(rows: Sequence[Mapping[str, object]]) -> MarkdownMetadataValue:
    """A table with the columns of the first row; its texts cannot become Markdown or HTML."""
    if not rows:
        return MarkdownMetadataValue("(no rows)")
    names = list(rows[0])
    lines = [
        f"| {' | '.join(names)} |",
        f"|{' --- |' * len(names)}",
        *[f"| {' | '.join(_cell(row.get(name, '')) for name in names)} |" for row in rows],
    ]
    return MarkdownMetadataValue("\n".join(lines))


def plain(text: str) -> MarkdownMetadataValue:
    """Text as it is, of several lines; nothing in it can end the block that it stands in."""
    longest = max((len(found) for found in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return MarkdownMetadataValue(f"{fence}text\n{text}\n{fence}")


_SPECIAL = str.maketrans({c: f"\\{c}" for c in "\\`*_{}[]<>()#+-!|~$"})


def _cell(value: object) -> str:
    return " ".join(str(value).split()).translate(_SPECIAL)
