"""How many rows a group in a Parquet file has, for whoever writes one.

A reader decodes a column of a group at a time and a bucket is asked once for each: groups of a few
thousand rows make a question take twice as long (docs/how-it-works.md has the figures), and much
larger ones have to be held in memory, by the writer for each file that it has open.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pyarrow as pa

LEAST_ROWS = 1 << 16
MOST_ROWS = 1 << 18


def row_groups(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.Table]:
    """The same rows in pieces that are worth a group; all but the last have LEAST_ROWS or more."""
    held: list[pa.RecordBatch] = []
    rows = 0
    for batch in batches:
        held.append(batch)
        rows += batch.num_rows
        if rows >= LEAST_ROWS:
            yield pa.Table.from_batches(held)
            held, rows = [], 0
    if held:
        yield pa.Table.from_batches(held)
