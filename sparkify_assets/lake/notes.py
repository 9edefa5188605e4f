"""What a writer notes of the rows of each partition as they pass, so that nothing is read twice.

From these notes come the checks before a commit, the previews and the plots. They are taken in the
engine's tasks and travel to the driver with the report of the parts.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from sparkify_assets.errors import LakeError
from sparkify_assets.lake.row_hashes import content_hashes, key_hashes
from sparkify_assets.lake.slices import Slice, by_partition
from sparkify_assets.tables import Table

PREVIEW_ROWS = 10
SAMPLE_ROWS = 10
_LONGEST_TEXT = 120
_KEY = "_key"
_CONTENT = "_content"
_MASK = (1 << 63) - 1
PROBLEM = "problem"

Row = dict[str, str]


@dataclass
class Notes:
    """One partition, as one or several writers saw it.

    Attributes:
        rows: that were written.
        suspect: rows whose key has the same hash as that of another one of the partition.
        lacking: rows without a value in a required column; these are not written.
        sample: the keys of some of the latter, each with its `problem`.
        differing: columns that did not come with the declared type, or that nobody declared.
        preview: the first rows, as texts.
        days: rows by day, `YYYY-MM-DD`, of a table that is declared with `day_of`.
        content: a hash of the rows, 63 bits, of a table that is declared with `content_hash`; the
            same in whatever order they come and however they are cut into parts.
    """

    rows: int = 0
    suspect: int = 0
    lacking: int = 0
    sample: list[Row] = field(default_factory=list)
    preview: list[Row] = field(default_factory=list)
    days: dict[str, int] = field(default_factory=dict)
    differing: list[Row] = field(default_factory=list)
    content: int = 0

    def add(self, other: Notes) -> None:
        """Take in what another writer noted of the same partition."""
        self.rows += other.rows
        self.suspect += other.suspect
        self.lacking += other.lacking
        self.sample = (self.sample + other.sample)[:SAMPLE_ROWS]
        self.preview = (self.preview + other.preview)[:PREVIEW_ROWS]
        self.differing = self.differing or other.differing
        for day, rows in other.days.items():
            self.days[day] = self.days.get(day, 0) + rows
        self.content = (self.content + other.content) & _MASK

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


class NoteTaker:
    """Takes notes of one task's rows: all of a key come to one task, of a partition to several."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._audited = bool(table.reads)  # rows of raw tables are as they came
        self._hashes: dict[str, list[npt.NDArray[np.uint64]]] = {}
        self._differing: list[Row] = []
        self.notes: dict[str, Notes] = {}

    def arrive(self, schema: pa.Schema) -> None:
        """Note with which columns the next rows came, before they are cast."""
        declared = {field.name: field.type for field in self._table.plain_schema}
        self._differing = [
            {
                "column": field.name,
                "found": str(field.type),
                "declared": str(declared.get(field.name, "nothing")),
            }
            for field in schema
            if not _fits(field.type, declared.get(field.name))
        ]

    def take(self, batch: pa.RecordBatch) -> list[Slice]:
        """Note these rows; returns those that can be written, by partition.

        Raises:
            LakeError: a row has no value in a partition column, so it belongs nowhere; or, in a
                table that no audit looks at, in a required one.
        """
        self._check_filled(batch)
        if self._audited:
            batch = self._without_lacking(batch)
            # Of all rows at once: a partition may have few of them.
            batch = batch.append_column(_KEY, key_hashes(batch.select(list(self._table.key))))
        if self._table.content_hash:
            hashes = content_hashes(batch.select(self._table.names))
            batch = batch.append_column(_CONTENT, hashes)
        slices = []
        for one in by_partition(self._table, batch):
            key, rows = one.key, one.rows.select(self._table.names)
            slices.append(replace(one, rows=rows))
            found = self._of(key)
            found.rows += rows.num_rows
            found.differing = found.differing or self._differing
            if self._audited:
                self._hashes.setdefault(key, []).append(one.rows.column(_KEY).to_numpy())
            if self._table.content_hash:
                content = one.rows.column(_CONTENT).to_numpy().sum(dtype=np.uint64)
                found.add(Notes(content=int(content)))
            if len(found.preview) < PREVIEW_ROWS:
                missing = PREVIEW_ROWS - len(found.preview)
                found.preview += texts(rows.slice(0, missing))
            if self._table.day_of is not None:
                days = pc.value_counts(rows.column(self._table.day_of).cast(pa.date32()))
                found.add(Notes(days={str(d["values"]): d["counts"] for d in days.to_pylist()}))
        return slices

    def finish(self) -> None:
        """When all rows have passed: look for keys that stand there twice."""
        while self._hashes:
            key, hashes = self._hashes.popitem()
            ordered = np.concatenate(hashes)
            del hashes  # of millions of rows: they need not be there twice while they are sorted
            ordered.sort()
            self._of(key).suspect += int(np.count_nonzero(ordered[1:] == ordered[:-1]))

    def _of(self, key: str) -> Notes:
        return self.notes.setdefault(key, Notes())

    def _check_filled(self, batch: pa.RecordBatch) -> None:
        names = self._table.partition_by if self._audited else self._table.required
        for name in names:
            if nulls := batch.column(name).null_count:
                raise LakeError(
                    f"{self._table.name}.{name} is required, but {nulls} rows to write have no "
                    "value there; mend what makes them"
                )

    def _without_lacking(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        names = [name for name in self._table.required if batch.column(name).null_count]
        if not names:
            return batch
        whole = pa.array([True] * batch.num_rows)
        for name in names:
            whole = pc.and_(whole, batch.column(name).is_valid())
        lacking = batch.filter(pc.invert(whole))
        for one in by_partition(self._table, lacking):
            problem = f"no value in {', '.join(names)}"
            keys = one.rows.select(list(self._table.key))
            noted = Notes(lacking=one.rows.num_rows, sample=_problems(keys, problem))
            self._of(one.key).add(noted)
        return batch.filter(whole)


def texts(rows: pa.RecordBatch) -> list[Row]:
    """Rows for people: every value as text, long ones cut."""
    return [
        {name: _short("" if value is None else str(value)) for name, value in row.items()}
        for row in rows.to_pylist()
    ]


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST_TEXT else text[: _LONGEST_TEXT - 1] + "…"


def _problems(rows: pa.RecordBatch, problem: str) -> list[Row]:
    return [{**row, PROBLEM: problem} for row in texts(rows.slice(0, SAMPLE_ROWS))]


def _fits(found: pa.DataType, declared: pa.DataType | None) -> bool:
    """Whether values of one type are values of the other, written in another way at most."""
    if declared is None:
        return False
    if pa.types.is_timestamp(declared):
        return bool(pa.types.is_timestamp(found))
    if pa.types.is_integer(declared):
        return bool(pa.types.is_integer(found)) and found.bit_width <= declared.bit_width
    if declared == pa.string():
        return found in (pa.string(), pa.large_string(), pa.string_view())
    return bool(found == declared) or found.id == declared.id
