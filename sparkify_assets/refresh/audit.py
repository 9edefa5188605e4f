"""The audit of a partition between writing its parts and committing them: what fails is not
published. It works on what the writers noted (`lake.notes`) and described, and reads nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sparkify_assets.lake.notes import Notes, Row
from sparkify_assets.lake.parts import Part, Written
from sparkify_assets.tables import Table

KEY = "key"
SCHEMA = "schema"


@dataclass(frozen=True)
class Finding:
    """What one check says of one partition.

    Attributes:
        check: its name.
        description: for people; where it failed, with what to do.
        numbers: by stable names, for plots over time.
        sample: some of the offending rows.
        warning: whether a failure is a hint only, and not an error.
    """

    check: str
    passed: bool
    description: str
    numbers: Mapping[str, int | float] = field(default_factory=dict)
    sample: list[Row] = field(default_factory=list)
    warning: bool = False


def audit(table: Table, written: Written, key: str) -> list[Finding]:
    """The findings about one partition of what was written: its key and its schema."""
    notes = written.notes.get(key, Notes())
    parts = [part for part in written.parts if table.partition_key(part.partition) == key]
    return [_key(table, notes), _schema(table, parts)]


def published(version: int) -> list[Finding]:
    """The findings about a partition that is as it was: what is published passed them."""
    text = f"As published before (the table's version is {version}): only what passes is published."
    return [Finding(KEY, True, text), Finding(SCHEMA, True, text)]


def _key(table: Table, notes: Notes) -> Finding:
    names = ", ".join(table.key)
    numbers = {"rows": notes.rows, "repeated": notes.repeated, "lacking": notes.lacking}
    if not notes.repeated and not notes.lacking:
        return Finding(KEY, True, f"{names}: unique, and nothing required is missing.", numbers)
    problems = []
    if notes.repeated:
        problems.append(f"{notes.repeated:,} rows have a key ({names}) that stands there before")
    if notes.lacking:
        problems.append(f"{notes.lacking:,} rows lack a value that is required")
    return Finding(
        KEY,
        False,
        f"{' and '.join(problems)}. Nothing was published: readers see the partition as it was "
        f"before. Look at the sample, mend the transform of {table.name} and materialize again",
        numbers,
        notes.sample,
    )


def _schema(table: Table, parts: list[Part]) -> Finding:
    declared = {f.name: str(f.type) for f in table.plain_schema if f.name not in table.partition_by}
    sample = [
        {"part": part.path, "column": name, "found": part.columns.get(name, "nothing"),
         "declared": declared.get(name, "nothing")}
        for part in parts
        for name in sorted({*declared, *part.columns})
        if part.columns.get(name) != declared.get(name)
    ]  # fmt: skip
    numbers = {"columns": len(declared) + len(table.partition_by), "differing": len(sample)}
    if not sample:
        return Finding(SCHEMA, True, "Columns and types are those declared.", numbers)
    return Finding(
        SCHEMA,
        False,
        f"{len(sample)} columns of the parts differ from the declaration in tables/. Nothing was "
        "published. Mend the transform, or declare the column, and materialize again",
        numbers,
        sample[:10],
    )
