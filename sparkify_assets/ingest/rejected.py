"""Reading the rejected lines that count."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from sparkify_assets.ingest.ledger import Ledger, read_ledger
from sparkify_assets.lake.lake import Lake
from sparkify_assets.tables import REJECTS


class Reject(NamedTuple):
    """One rejected line; `text` is at most 10 kB of it."""

    source_file: str
    line: int
    reason: str
    text: str


def read_rejects(lake: Lake, containing: str = "") -> Iterator[Reject]:
    """The rejected lines of all landed files whose key contains a text, by file and line."""
    ledger = read_ledger(lake)  # before the rows that it names
    batches = {
        file.source_file: file.batch
        for file in ledger.files()
        if file.rejected and containing in file.source_file
    }
    if not batches:
        return
    rows = (
        lake.snapshot(REJECTS)
        .dataset()
        .to_table(
            columns=[*Reject._fields, "batch"],
            filter=pc.field("source_file").isin(pa.array(list(batches))),
        )
    )
    for row in rows.sort_by([("source_file", "ascending"), ("line", "ascending")]).to_pylist():
        if row.pop("batch") == batches[row["source_file"]]:
            yield Reject(**row)


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
