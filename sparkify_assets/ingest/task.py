"""What one task of the engine does: read its files, write raw parts, report an account of each.

Runs on executors, so it opens the landing zone and the lake itself and needs no Spark. Rows go
to the parts as they are read; what cannot be read is set aside on the local disk meanwhile.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa

from sparkify_assets.errors import StorageError
from sparkify_assets.ingest.fields import LOG_FIELDS, SONG_FIELDS
from sparkify_assets.ingest.files import LandingFile
from sparkify_assets.ingest.landing import ContentChanged, Landing
from sparkify_assets.ingest.lines import Piece, Torn, pieces, whole
from sparkify_assets.ingest.parse import REJECT_SCHEMA, Parsed, Parser
from sparkify_assets.ingest.repair import repair_columns
from sparkify_assets.lake.parts import Written, write_parts
from sparkify_assets.storage.location import Location
from sparkify_assets.storage.requests import Requests, together
from sparkify_assets.tables import RAW_LOGS, RAW_SONGS, REJECTS

_LINES_BYTES = 24 << 20
# However short they are: a row takes more memory than its line, a rejected line much more.
_MOST_LINES = 1 << 17
_LINES = ["file", "line", "text"]


@dataclass
class Account:
    """What was found in one file. `event_months` are YYYY-MM, the times milliseconds."""

    key: str
    lines: int = 0
    rows: int = 0
    rejected: int = 0
    repaired: int = 0
    event_months: list[str] = field(default_factory=list)
    first_event: int | None = None
    last_event: int | None = None


@dataclass
class TaskReport:
    """What one task did.

    Attributes:
        changed: files that are no longer as they were listed.
        unreadable: files that cannot be read, with the reason.
        requests: to S3, by kind, for the files that it read.
    """

    accounts: list[Account] = field(default_factory=list)
    raw: Written = field(default_factory=Written)
    rejects: Written = field(default_factory=Written)
    changed: list[str] = field(default_factory=list)
    unreadable: list[tuple[str, str]] = field(default_factory=list)
    requests: dict[str, int] = field(default_factory=dict)

    def add(self, other: TaskReport) -> None:
        """Take in the report of another task."""
        self.accounts += other.accounts
        self.raw.add(other.raw)
        self.rejects.add(other.rejects)
        self.changed += other.changed
        self.unreadable += other.unreadable
        self.requests = together(self.requests, other.requests)

    def to_json(self) -> str:
        return json.dumps(self, default=vars)  # not asdict, which copies everything first

    @staticmethod
    def from_json(text: str) -> TaskReport:
        values = json.loads(text)
        return TaskReport(
            accounts=[Account(**account) for account in values["accounts"]],
            raw=Written.from_dict(values["raw"]),
            rejects=Written.from_dict(values["rejects"]),
            changed=values["changed"],
            unreadable=[(key, reason) for key, reason in values["unreadable"]],
            requests=values["requests"],
        )


@dataclass(frozen=True)
class Work:
    """What every task of one reading is told.

    Attributes:
        songs: whether the files are song files, one object each, or logs, one a line.
        batch: the id that every row of this reading carries.
    """

    landing: Landing
    songs: bool
    batch: str
    raw: Location
    rejects: Location


def file_reader(work: Work) -> Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """The function for `mapInArrow`: in, lists of files as JSON; out, one report as JSON."""

    def read(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        files = [
            LandingFile(*values)
            for batch in batches
            for text in batch.column(0).to_pylist()
            for values in json.loads(text)
        ]
        if files:
            report = read_files(work, files)
            yield pa.RecordBatch.from_pydict({"report": [report.to_json()]})

    return read


def read_files(work: Work, files: Sequence[LandingFile]) -> TaskReport:
    """Read these files and write their rows and rejects as parts, which nobody sees yet."""
    reading = _Reading(work, files)
    table = RAW_SONGS if work.songs else RAW_LOGS
    with tempfile.TemporaryFile() as spill:
        with pa.ipc.new_stream(spill, REJECT_SCHEMA) as aside:
            reading.report.raw = write_parts(reading.rows(aside), table, work.raw)
        spill.seek(0)
        with pa.ipc.open_stream(spill) as stream:
            batches = (reading.reject_batch(batch) for batch in stream)
            reading.report.rejects = write_parts(batches, REJECTS, work.rejects)
    reading.finish()
    return reading.report


class _Reading:
    def __init__(self, work: Work, files: Sequence[LandingFile]) -> None:
        self._work = work
        self._files = files
        self._fields = SONG_FIELDS if work.songs else LOG_FIELDS
        self._accounts = [Account(file.key) for file in files]
        self._months: list[set[str]] = [set() for _ in files]
        self._left: set[int] = set()
        self._keys = pa.array([file.key for file in files], pa.string())
        self._scopes = pa.array([file.scope for file in files], pa.string())
        self._requests = Requests()
        self.report = TaskReport()

    def rows(self, aside: pa.ipc.RecordBatchStreamWriter) -> Iterator[pa.RecordBatch]:
        """The rows of all files, as batches of the raw table; rejected lines go `aside`."""
        parser = Parser(self._fields, blank_is_line=self._work.songs)
        try:
            for lines, torn in _together(self._found()):
                parsed = parser.parse(lines)
                rejects = self._rejects(parsed, torn)
                self._count(rejects["file"], "rejected")
                for batch in rejects.to_batches():
                    aside.write_batch(batch)
                yield from self._finished(parsed.rows)
        finally:
            parser.close()

    def reject_batch(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Rows of `rejects` from what was set aside."""
        file = batch.column("file")
        return pa.RecordBatch.from_pydict(
            {
                "source_file": self._keys.take(file),
                "line": batch.column("line"),
                "reason": batch.column("reason"),
                "text": batch.column("text"),
                "scope": self._scopes.take(file),
                "batch": pa.repeat(self._work.batch, batch.num_rows),
            }
        )

    def finish(self) -> None:
        """Complete the accounts; files that could not be read whole have none."""
        for index, account in enumerate(self._accounts):
            if index in self._left:
                continue
            account.lines = account.rows + account.rejected
            account.event_months = sorted(self._months[index])
            self.report.accounts.append(account)
        self.report.requests = self._requests.made()

    def _found(self) -> Iterator[tuple[int, Piece | str | Torn]]:
        contents = self._work.landing.read(self._files, self._requests)
        for index, (file, blocks) in enumerate(contents):
            try:
                if self._work.songs:
                    yield index, whole(blocks)
                    continue
                for piece in pieces(blocks):
                    yield index, piece
            except ContentChanged:
                self._left.add(index)
                self.report.changed.append(file.key)
            except OSError as error:
                if isinstance(error, StorageError) and not error.refused:
                    raise  # it is not this file: the others could not be read either
                self._left.add(index)
                self.report.unreadable.append((file.key, error.strerror or str(error)))

    def _rejects(self, parsed: Parsed, torn: list[tuple[int, Torn]]) -> pa.Table:
        found = pa.table(
            {
                "file": [file for file, _ in torn],
                "line": [line.line for _, line in torn],
                "reason": [line.reason for _, line in torn],
                "text": [line.text for _, line in torn],
            },
            schema=REJECT_SCHEMA,
        )
        return pa.concat_tables([parsed.rejects, found])

    def _finished(self, rows: pa.Table) -> Iterator[pa.RecordBatch]:
        file = rows["file"]
        self._count(file, "rows")
        if not self._work.songs:
            rows, repaired = repair_columns(rows)
            self._count(file.filter(repaired), "repaired")
            self._note_times(rows)
            rows = rows.append_column("landing_month", self._scopes.take(file.combine_chunks()))
        rows = rows.append_column("source_file", self._keys.take(file.combine_chunks()))
        rows = rows.append_column("batch", pa.repeat(self._work.batch, rows.num_rows))
        yield from rows.combine_chunks().to_batches()

    def _count(self, file: pa.ChunkedArray, what: str) -> None:
        counts = np.bincount(file.to_numpy(), minlength=len(self._files))
        for index in np.flatnonzero(counts).tolist():
            account = self._accounts[index]
            setattr(account, what, getattr(account, what) + int(counts[index]))

    def _note_times(self, rows: pa.Table) -> None:
        times = rows.select(["file", "ts"]).group_by("file").aggregate([("ts", "min_max")])
        for row in times.to_pylist():
            account, found = self._accounts[row["file"]], row["ts_min_max"]
            account.first_event = min(account.first_event or found["min"], found["min"])
            account.last_event = max(account.last_event or found["max"], found["max"])
        months = rows["ts"].to_numpy().astype("datetime64[ms]").astype("datetime64[M]")
        pairs = pa.table({"file": rows["file"], "month": months.astype("int64")})
        for row in pairs.group_by(["file", "month"]).aggregate([]).to_pylist():
            self._months[row["file"]].add(str(np.datetime64(row["month"], "M")))


def _together(
    found: Iterable[tuple[int, Piece | str | Torn]],
) -> Iterator[tuple[pa.Table, list[tuple[int, Torn]]]]:
    """Put what was found in small files together, so that each query of the parser has work to do.

    By the number of its file: lines, a whole file as one line, or what is no line for the parser.
    """
    held = _Held()
    for index, one in found:
        held.add(index, one)
        if held.size >= _LINES_BYTES or held.count >= _MOST_LINES:
            yield held.lines(), held.torn
            held = _Held()
    if held.size:
        yield held.lines(), held.torn


class _Held:
    """What waits for the parser. Texts of whole files lie in lists: arrays of one take longer."""

    def __init__(self) -> None:
        self.size = 0
        self.count = 0
        self.torn: list[tuple[int, Torn]] = []
        self._tables: list[pa.Table] = []
        self._files: list[int] = []
        self._texts: list[str] = []

    def add(self, index: int, found: Piece | str | Torn) -> None:
        if isinstance(found, str):
            self._files.append(index)
            self._texts.append(found)
            self.size += len(found) + 1
            self.count += 1
        elif isinstance(found, Torn):
            self.torn.append((index, found))
            self.size += len(found.text) + 1
            self.count += 1
        else:
            count = len(found.numbers)
            file: Any = pa.repeat(pa.scalar(index, pa.int32()), count)
            self._tables.append(pa.table([file, found.numbers, found.texts], _LINES))
            self.size += found.texts.nbytes + count
            self.count += count
            for line in found.torn:
                self.add(index, line)

    def lines(self) -> pa.Table:
        """Columns `file`, `line` and `text`."""
        first = pa.repeat(pa.scalar(1, pa.int64()), len(self._files))
        files, texts = pa.array(self._files, pa.int32()), pa.array(self._texts, pa.string())
        return pa.concat_tables([*self._tables, pa.table([files, first, texts], _LINES)])
