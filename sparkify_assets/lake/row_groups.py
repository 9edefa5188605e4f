"""How many rows a group in a Parquet file has, for whoever writes one.

A reader decodes a column of a group at a time and a bucket is asked once for each: groups of a few
thousand rows make a question take twice as long (docs/how-it-works.md has the figures). What waits
to be written is in memory, so it is bounded by bytes, of all files together that are open.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

import pyarrow as pa

# Arrow's dataset writer cuts what it is given into pieces of so many rows.
GROUP_ROWS = 1 << 15
# It also takes several groups before the first is written.
GROUP_BYTES = 16 << 20
MOST_BYTES = 64 << 20

Apart = Callable[[pa.RecordBatch], Iterable[tuple[str, pa.RecordBatch]]]


def one_file(batch: pa.RecordBatch) -> Iterator[tuple[str, pa.RecordBatch]]:
    """All rows belong to the same file."""
    yield "", batch


def row_groups(
    batches: Iterable[pa.RecordBatch], apart: Apart = one_file
) -> Iterator[pa.RecordBatch]:
    """The same rows, of each file in the same order, in batches that make a group each.

    A batch has GROUP_ROWS; fewer if it is the last of its file, if it takes GROUP_BYTES, or if what
    waits of all files together takes more than MOST_BYTES: then the file with most bytes is next.

    Args:
        apart: the rows of each file, with its name.
    """
    waiting: dict[str, _Waiting] = {}
    for batch in batches:
        for name, found in apart(batch):
            rows = found
            while rows.num_rows:
                file = waiting.setdefault(name, _Waiting())
                room = GROUP_ROWS - file.rows
                file.add(rows.slice(0, room))
                rows = rows.slice(room)
                if file.rows == GROUP_ROWS or file.size >= GROUP_BYTES:
                    yield waiting.pop(name).together()
        while sum(file.size for file in waiting.values()) > MOST_BYTES:
            largest = max(waiting, key=lambda name: waiting[name].size)
            yield waiting.pop(largest).together()
    for file in waiting.values():
        yield file.together()


@dataclass
class _Waiting:
    """Rows of one file."""

    batches: list[pa.RecordBatch] = field(default_factory=list)
    rows: int = 0
    size: int = 0

    def add(self, batch: pa.RecordBatch) -> None:
        self.batches.append(batch)
        self.rows += batch.num_rows
        self.size += batch.nbytes

    def together(self) -> pa.RecordBatch:
        return self.batches[0] if len(self.batches) == 1 else pa.concat_batches(self.batches)
