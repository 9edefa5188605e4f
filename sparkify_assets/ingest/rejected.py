"""Reading the rejected lines that count."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from sparkify_assets.errors import LakeError
from sparkify_assets.ingest.ledger import LandedFile, Ledger, read_ledger
from sparkify_assets.lake.lake import Lake
from sparkify_assets.tables import REJECTS

_ATTEMPTS = 8


class Reject(NamedTuple):
    """One rejected line; `text` is at most 10 kB of it."""

    source_file: str
    line: int
    reason: str
    text: str


def read_rejects(lake: Lake, containing: str = "") -> Iterator[Reject]:
    """The rejected lines of all landed files whose key contains a text, by file and line.

    Raises:
        LakeError: there are not as many as the ledger counts.
    """
    for _ in range(_ATTEMPTS):
        ledger = read_ledger(lake)  # before the rows that it names
        files = {
            file.source_file: file
            for file in ledger.files()
            if file.rejected and containing in file.source_file
        }
        found = _rejects_of(lake, files) if files else []
        expected = sum(file.rejected for file in files.values())
        if len(found) == expected:
            yield from found
            return
        # Maintenance may have put them into another batch since the ledger was read.
    raise LakeError(
        f"rejects: {len(found):,} lines were found of the {expected:,} that the ledger counts; "
        "run again, and if that does not help, `sparkify run --rebuild`"
    )


def _rejects_of(lake: Lake, files: Mapping[str, LandedFile]) -> list[Reject]:
    rows = (
        lake.snapshot(REJECTS)
        .dataset()
        .to_table(
            columns=[*Reject._fields, "batch"],
            filter=pc.field("source_file").isin(pa.array(list(files))),
        )
    )
    ordered = rows.sort_by([("source_file", "ascending"), ("line", "ascending")]).to_pylist()
    return [Reject(**row) for row in ordered if row.pop("batch") == files[row["source_file"]].batch]


def some_rejects(lake: Lake, ledger: Ledger, scope: str, most: int) -> list[Reject]:
    """A few of the rejected lines of a scope that count, without reading more than needed."""
    batches = {file.source_file: file.batch for file in ledger.of(scope) if file.rejected}
    found: list[Reject] = []
    if not batches:
        return found
    for batch in lake.last_seen(REJECTS).batches([*Reject._fields, "batch"], [scope]):
        for row in batch.to_pylist():
            if row.pop("batch") == batches.get(row["source_file"]):
                found.append(Reject(**row))
            if len(found) == most:
                return found
    return found
