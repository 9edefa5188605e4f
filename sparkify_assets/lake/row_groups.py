"""How many rows a group in a Parquet file has, for whoever writes one.

A reader decodes a column of a group at a time and a bucket is asked once for each: groups of a few
thousand rows make a question take twice as long (docs/how-it-works.md has the figures). What waits
to be written is in memory, so it is bounded by bytes, of all files together that are open.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import pyarrow as pa

GROUP_ROWS = 1 << 15
GROUP_BYTES = 16 << 20
MOST_BYTES = 64 << 20
# A file that gets nothing more is not written for less than this.
_LEAST_BYTES = 1 << 20
# Rows that are a smaller part of what they came in are copied, so that the rest can go.
_MOST_HELD = 4


def row_groups(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.Table]:
    """As `groups_by_file`, where all rows belong to the same file."""
    return (group for _, group in groups_by_file(("", batch) for batch in batches))


def groups_by_file(
    batches: Iterable[tuple[str, pa.RecordBatch]],
) -> Iterator[tuple[str, pa.Table]]:
    """The same rows, of each file in the same order, in tables that make a group each.

    A table has GROUP_ROWS; fewer if it is the last of its file, if it takes GROUP_BYTES, if nothing
    more came for its file while others got GROUP_BYTES (where files come one after the other, most
    are complete then), or if what waits of all files together takes more than MOST_BYTES: then the
    file with most bytes is next.

    Args:
        batches: rows, each with the name of the file that they belong to.
    """
    waiting: dict[str, _Waiting] = {}  # who got rows last stands last
    total = given = 0

    def written(name: str) -> tuple[str, pa.Table]:
        nonlocal total
        file = waiting.pop(name)
        total -= file.size
        return name, file.together()

    for name, batch in batches:
        rows = batch
        while rows.num_rows:
            file = waiting[name] = waiting.pop(name) if name in waiting else _Waiting()
            room = GROUP_ROWS - file.rows
            size = file.add(rows.slice(0, room))
            total, given = total + size, given + size
            file.given = given
            rows = rows.slice(room)
            if file.rows == GROUP_ROWS or file.size >= GROUP_BYTES:
                yield written(name)
        yield from map(written, _idle(waiting, given))
        while total > MOST_BYTES:
            yield written(max(waiting, key=lambda one: waiting[one].size))
    yield from map(written, list(waiting))


def _idle(waiting: Mapping[str, _Waiting], given: int) -> list[str]:
    """Files that got nothing for long. One with little in it goes on waiting for more."""
    found = []
    for name, file in waiting.items():
        if given - file.given < GROUP_BYTES:
            break
        if file.size >= _LEAST_BYTES:
            found.append(name)
    return found


@dataclass
class _Waiting:
    """Rows of one file; `given` is how much all files had got when this one got its last."""

    batches: list[pa.RecordBatch] = field(default_factory=list)
    rows: int = 0
    size: int = 0
    given: int = 0

    def add(self, batch: pa.RecordBatch) -> int:
        """Take in more rows; returns their bytes."""
        size = int(batch.nbytes)
        if batch.get_total_buffer_size() > _MOST_HELD * size:
            batch = pa.concat_batches([batch])
        self.batches.append(batch)
        self.rows += batch.num_rows
        self.size += size
        return size

    def together(self) -> pa.Table:
        """As they are: a Parquet writer takes chunks, and nothing is copied."""
        return pa.Table.from_batches(self.batches)
