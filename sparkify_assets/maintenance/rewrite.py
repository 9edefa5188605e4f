"""The rows that count, of several batches, written again as one: on the driver, without an engine.

Never all rows are in memory: small parts are fetched several at once, a large one goes through
batch by batch.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from sparkify_assets.lake.log import StoredPart
from sparkify_assets.lake.parts import Written, write_parts
from sparkify_assets.lake.scan import scan_part
from sparkify_assets.storage.location import Location
from sparkify_assets.storage.objects import AT_ONCE
from sparkify_assets.storage.requests import REQUESTS
from sparkify_assets.storage.threads import threads_of_a_generator
from sparkify_assets.tables import Table

# So much of what is stored is read at once.
_READ_BYTES = 8 << 20


def rewrite(
    table: Table,
    location: Location,
    parts: Sequence[StoredPart],
    files: Mapping[str, Sequence[str]],
    batch: str,
) -> tuple[Written, Counter[str]]:
    """Write the rows of these files again, as parts that nobody sees yet.

    Args:
        location: of the table.
        parts: where to find them.
        files: by batch, the keys of the files whose rows count in it.
        batch: the one that the rows shall belong to.

    Returns:
        What was written, and how many rows of each file.
    """
    wanted = {name: pa.array(keys, pa.string()) for name, keys in files.items()}
    counts: Counter[str] = Counter()

    def counting() -> Iterator[pa.RecordBatch]:
        for part, rows in _read(table, location, parts):
            kept = rows.filter(pc.is_in(rows["source_file"], wanted[part.partition["batch"]]))
            for found in pc.value_counts(kept["source_file"]).to_pylist():
                counts[found["values"]] += found["counts"]
            yield _in_batch(kept, batch)

    written = write_parts(counting(), table, location)
    REQUESTS.add_all(written.requests)
    return written, counts


def _read(
    table: Table, location: Location, parts: Sequence[StoredPart]
) -> Iterator[tuple[StoredPart, pa.RecordBatch]]:
    if not location.on_s3:
        for part in parts:
            yield from ((part, rows) for rows in scan_part(table, location, part))
        return
    pool = threads_of_a_generator()
    for group in _groups(parts):
        if len(group) == 1:
            yield from ((group[0], rows) for rows in scan_part(table, location, group[0]))
            continue
        scans = pool.map(lambda part: list(scan_part(table, location, part)), group)
        for part, batches in zip(group, scans, strict=True):
            yield from ((part, rows) for rows in batches)


def _groups(parts: Iterable[StoredPart]) -> Iterator[list[StoredPart]]:
    """Parts that are fetched at once: a few megabytes together, or one that is larger."""
    group: list[StoredPart] = []
    size = 0
    for part in parts:
        if group and (len(group) == AT_ONCE or size + part.size > _READ_BYTES):
            yield group
            group, size = [], 0
        group.append(part)
        size += part.size
    if group:
        yield group


def _in_batch(rows: pa.RecordBatch, batch: str) -> pa.RecordBatch:
    index = rows.schema.get_field_index("batch")
    return rows.set_column(
        index, rows.schema.field(index), pa.repeat(pa.scalar(batch, pa.string()), rows.num_rows)
    )
