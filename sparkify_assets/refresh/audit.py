"""The audit of a partition between writing its parts and committing them: what fails is not
published.

It works on what the writers noted (`lake.notes`). Only where keys are suspected to
stand there twice, the parts are read again: to be sure, and to name them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pyarrow.compute as pc

from sparkify_assets.lake.log import StoredPart
from sparkify_assets.lake.notes import PROBLEM, SAMPLE_ROWS, Notes, Row, texts
from sparkify_assets.lake.part import Part
from sparkify_assets.lake.parts import Written
from sparkify_assets.lake.scan import read_parts
from sparkify_assets.storage.location import Location
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
        warning: whether this failure is a hint only, and not an error as usual for the check.
    """

    check: str
    passed: bool
    description: str
    numbers: Mapping[str, int | float | str] = field(default_factory=dict)
    sample: list[Row] = field(default_factory=list)
    warning: bool = False


def audit(table: Table, location: Location, written: Written, key: str) -> list[Finding]:
    """The findings about one partition of what was written: its key and its schema."""
    notes = written.notes.get(key, Notes())
    parts = [part for part in written.parts if table.partition_key(part.partition) == key]
    return [_key(table, location, notes, parts), _schema(table, notes)]


def published(version: int) -> list[Finding]:
    """The findings about a partition that is as it was: what is published passed them."""
    text = f"As published before (version {version}): nothing was written, only what passes is."
    return [Finding(KEY, True, text), Finding(SCHEMA, True, text)]


def _key(table: Table, location: Location, notes: Notes, parts: list[Part]) -> Finding:
    names = ", ".join(table.key)
    repeated, sample = _repeated(table, location, parts) if notes.suspect else (0, [])
    numbers = {"rows": notes.rows, "repeated": repeated, "lacking": notes.lacking}
    if not repeated and not notes.lacking:
        return Finding(KEY, True, f"{names}: unique, and nothing required is missing.", numbers)
    problems = []
    if repeated:
        problems.append(f"{repeated:,} rows repeat a key ({names})")
    if notes.lacking:
        problems.append(f"{notes.lacking:,} rows lack a value that is required")
    return Finding(
        KEY,
        False,
        f"{' and '.join(problems)}. Nothing was published: readers see the partition as it was "
        f"before. Look at the sample, mend the transform of {table.name} and materialize again",
        numbers,
        [*sample, *notes.sample][:SAMPLE_ROWS],
    )


def _repeated(table: Table, location: Location, parts: list[Part]) -> tuple[int, list[Row]]:
    """How many rows are too many, and some of their keys."""
    stored = [StoredPart(part.path, part.partition, part.size, part.rows) for part in parts]
    keys = read_parts(table, location, stored, table.key)
    counts = keys.group_by(list(table.key)).aggregate([([], "count_all")])
    several = counts.filter(pc.greater(counts["count_all"], 1))
    sample = [
        {**row, PROBLEM: f"stands there {row.pop('count_all')} times"}
        for batch in several.slice(0, SAMPLE_ROWS).to_batches()
        for row in texts(batch)
    ]
    return pc.sum(several["count_all"]).as_py() - len(several) if len(several) else 0, sample


def _schema(table: Table, notes: Notes) -> Finding:
    numbers = {"columns": len(table.columns), "differing": len(notes.differing)}
    if not notes.differing:
        return Finding(SCHEMA, True, "Columns and types are those declared.", numbers)
    names = ", ".join(row["column"] for row in notes.differing)
    return Finding(
        SCHEMA,
        False,
        f"{names}: what the transform of {table.name} returns is not as declared. Nothing was "
        "published. Mend the transform, or declare the column in tables/, and materialize again",
        numbers,
        notes.differing[:SAMPLE_ROWS],
    )
