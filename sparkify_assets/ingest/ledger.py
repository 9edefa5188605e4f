"""The ledger, table `landed_files`: which landing files are in, and the account of each.

Its commit is the one moment in which new rows begin to count and those of replaced files cease
to. Reading it, asking it and committing it belong here.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from sparkify_assets.errors import LakeError
from sparkify_assets.ingest.files import file_digest, numbers_of, sum_of
from sparkify_assets.ingest.landing import SONG_SCOPE
from sparkify_assets.lake.commit import Stamp, replace, restamp
from sparkify_assets.lake.lake import Lake
from sparkify_assets.lake.parts import write_parts
from sparkify_assets.lake.snapshot import Snapshot, stamp_id
from sparkify_assets.storage.requests import REQUESTS
from sparkify_assets.tables import LANDED_FILES

# Kinds of stamps: a number for all files of a scope, and for those with events in a month.
_CONTENT = "content"
_IN = "in/"


class LandedFile(NamedTuple):
    """One row of the ledger; the fields are described in `tables.raw.LANDED_FILES`."""

    source_file: str
    etag: str
    size: int
    batch: str
    reader_version: int
    lines: int
    rows: int
    rejected: int
    repaired: int
    event_months: list[str]
    first_event: dt.datetime | None
    last_event: dt.datetime | None
    landed_at: dt.datetime
    scope: str


@dataclass
class ScopeAccount:
    """The account of all files of a scope, summed up.

    Attributes:
        rows_by_batch, rejected_by_batch: what each batch counts for.
        wrong: file, lines, rows and rejected of files with rows + rejected ≠ lines.
    """

    files: int = 0
    bytes: int = 0
    lines: int = 0
    rows: int = 0
    rejected: int = 0
    rows_by_batch: dict[str, int] = field(default_factory=dict)
    rejected_by_batch: dict[str, int] = field(default_factory=dict)
    wrong: list[tuple[str, int, int, int]] = field(default_factory=list)


class Ledger:
    """One version of the ledger; without a snapshot, that of a lake that is not there yet.

    Rows are read scope by scope, when they are asked for. What can be said without them is: with
    each scope the log keeps a number for its files, and one for those with events in a month.
    """

    def __init__(self, snapshot: Snapshot | None, older: Ledger | None = None) -> None:
        self._snapshot = snapshot
        self._rows: dict[str, list[LandedFile]] = {}
        self._accounts: dict[str, ScopeAccount] = {}
        if snapshot is not None and older is not None:
            self._rows = {
                scope: rows
                for scope, rows in older._rows.items()
                if older.snapshot.parts_of([scope]) == snapshot.parts_of([scope])
            }

    @property
    def snapshot(self) -> Snapshot:
        """The table's version."""
        if self._snapshot is None:
            raise LakeError("there is no ledger yet; `sparkify run` makes it")
        return self._snapshot

    @property
    def identity(self) -> str:
        """Which ledger it is: another lake's is another one. "" where there is none yet."""
        return "" if self._snapshot is None else str(self._snapshot.state.metadata["id"])

    @cached_property
    def scopes(self) -> list[str]:
        """Every scope with landed files."""
        return [] if self._snapshot is None else self._snapshot.partitions

    def of(self, *scopes: str) -> list[LandedFile]:
        """The landed files of some scopes, sorted by key."""
        wanted = [scope for scope in scopes if scope in self.scopes]
        missing = [scope for scope in wanted if scope not in self._rows]
        if missing:
            columns = self.snapshot.read(keys=missing).to_pydict()
            self._rows |= {scope: [] for scope in missing}
            for file in map(LandedFile, *(columns[name] for name in LandedFile._fields)):
                self._rows[file.scope].append(file)
        return sorted(file for scope in wanted for file in self._rows[scope])

    def files(self) -> list[LandedFile]:
        """All landed files; reads the whole ledger."""
        return self.of(*self.scopes)

    def keys(self, scope: str) -> Iterator[str]:
        """The key of each landed file of a scope; keeps no rows."""
        for batch in self._batches(scope, "source_file"):
            yield from batch.column(0).to_pylist()

    def digests(self, scope: str) -> Iterator[bytes]:
        """The digest (`files.file_digest`) of each, in the same order."""
        for batch in self._batches(scope, "source_file", "etag", "size", "reader_version"):
            columns = (column.to_pylist() for column in batch.columns)
            yield from (file_digest(*values) for values in zip(*columns, strict=True))

    def batches(self, scope: str) -> set[str]:
        """The batches whose rows count for any file of a scope; keeps no rows."""
        found: set[str] = set()
        for batch in self._batches(scope, "batch"):
            found.update(batch.column(0).unique().to_pylist())
        return found

    def _batches(self, scope: str, *names: str) -> Iterator[pa.RecordBatch]:
        if scope in self.scopes:
            yield from self.snapshot.batches(names, [scope])

    def account(self, scope: str) -> ScopeAccount:
        """The sums over a scope; keeps no rows."""
        if scope not in self._accounts:
            self._accounts[scope] = self._summed(scope)
        return self._accounts[scope]

    def _summed(self, scope: str) -> ScopeAccount:
        account = ScopeAccount()
        for batch in self._batches(
            scope, "source_file", "size", "batch", "lines", "rows", "rejected"
        ):
            _, size, _, lines, rows, rejected = batch.columns
            account.files += batch.num_rows
            account.bytes += pc.sum(size).as_py() or 0
            account.lines += pc.sum(lines).as_py() or 0
            account.rows += pc.sum(rows).as_py() or 0
            account.rejected += pc.sum(rejected).as_py() or 0
            sums = (
                pa.table(batch).group_by("batch").aggregate([("rows", "sum"), ("rejected", "sum")])
            )
            for one in sums.to_pylist():
                for name, counts in (
                    ("rows", account.rows_by_batch),
                    ("rejected", account.rejected_by_batch),
                ):
                    counts[one["batch"]] = counts.get(one["batch"], 0) + one[f"{name}_sum"]
            wrong = batch.filter(pc.not_equal(lines, pc.add(rows, rejected)))
            names = ("source_file", "lines", "rows", "rejected")
            account.wrong += [tuple(row[name] for name in names) for row in wrong.to_pylist()]
        return account

    def number(self, scope: str) -> int:
        """A number for the files of a scope, equal to `files.sum_of` their digests."""
        return self._numbers.get(scope, {}).get(_CONTENT, 0)

    def counter(self, scope: str) -> int:
        """How often the scope was replaced."""
        return (self._snapshot.stamp(scope) or 0) if self._snapshot is not None else 0

    @property
    def songs_digest(self) -> str:
        """Changes with the song files."""
        return str(self.number(SONG_SCOPE))

    def events_digest(self, month: str) -> str:
        """Changes with the log files that have events in a month."""
        kind = f"{_IN}{month}"
        found = [(scope, kinds[kind]) for scope, kinds in self._numbers.items() if kinds.get(kind)]
        return str(sorted(found))

    def event_months(self) -> list[str]:
        """The months that have events, sorted."""
        return sorted(
            {
                kind.removeprefix(_IN)
                for kinds in self._numbers.values()
                for kind, number in kinds.items()
                if kind.startswith(_IN) and number
            }
        )

    def event_months_of(self, scope: str) -> list[str]:
        """The months of the events in a scope's files, sorted; reads no row."""
        kinds = self._numbers.get(scope, {})
        return sorted(
            k.removeprefix(_IN) for k, number in kinds.items() if k.startswith(_IN) and number
        )

    def with_events_in(self, *months: str) -> list[LandedFile]:
        """The log files with at least one event in these months, whatever their key says."""
        wanted = set(months)
        kinds = {f"{_IN}{month}" for month in months}
        scopes = [
            scope
            for scope, numbers in self._numbers.items()
            if any(numbers.get(kind) for kind in kinds)
        ]
        return [file for file in self.of(*scopes) if not wanted.isdisjoint(file.event_months)]

    def commit(self, lake: Lake, scopes: Mapping[str, Collection[LandedFile]]) -> Ledger:
        """Replace whole scopes by these files, in one commit.

        Raises:
            PlanChanged: another run took files of one of these scopes in since this version.
        """
        rows = [file for files in scopes.values() for file in files]
        table = pa.Table.from_pylist(
            [file._asdict() for file in rows], schema=LANDED_FILES.plain_schema
        )
        written = write_parts(table.to_batches(), LANDED_FILES, lake.table_location(LANDED_FILES))
        REQUESTS.add_all(written.requests)
        stamps = {
            scope: Stamp(
                self.counter(scope) + 1,
                {**dict.fromkeys(self._numbers.get(scope, {}), 0), **_numbers_of(files)},
            )
            for scope, files in scopes.items()
        }
        return Ledger(replace(lake, self.snapshot, written.parts, stamps), self)

    def fence(self, lake: Lake, scopes: Collection[str]) -> Ledger:
        """Raise the counters of some scopes, in one commit; their files stay as they are.

        Whoever planned from an older ledger cannot commit one of these scopes any more, and plans
        again with a batch of its own.

        Raises:
            PlanChanged: another run changed one of these scopes since this version.
        """
        stamps = {scope: Stamp(self.counter(scope) + 1) for scope in scopes}
        return Ledger(restamp(lake, self.snapshot, stamps), self)

    @cached_property
    def _numbers(self) -> dict[str, dict[str, int]]:
        """By scope, its numbers by kind."""
        found: dict[str, dict[str, int]] = {scope: {} for scope in self.scopes}
        if self._snapshot is None:
            return found
        prefix = stamp_id(LANDED_FILES, "")
        for name, number in self._snapshot.state.stamps.items():
            scope, _, kind = name.removeprefix(f"{prefix}/").partition("/")
            if kind and scope in found:
                found[scope][kind] = number
        # A ledger of before there were numbers: "none" must not pass for "no files".
        unnumbered = [scope for scope, kinds in found.items() if not kinds.get(_CONTENT)]
        for scope in unnumbered:
            found[scope] = _numbers_of(self.of(scope))
        return found


def _numbers_of(files: Iterable[LandedFile]) -> dict[str, int]:
    digests: dict[str, list[bytes]] = {_CONTENT: []}
    for file in files:
        digest = file_digest(file.source_file, file.etag, file.size, file.reader_version)
        digests[_CONTENT].append(digest)
        for month in file.event_months:
            digests.setdefault(f"{_IN}{month}", []).append(digest)
    return {kind: sum_of(numbers_of(found)) for kind, found in digests.items()}


_latest: dict[str, Ledger] = {}


def read_ledger(lake: Lake) -> Ledger:
    """The newest ledger. Its rows are read once per process, as long as they stay."""
    return _ledger(lake.snapshot(LANDED_FILES))


def seen_ledger(lake: Lake) -> Ledger:
    """The ledger that this process saw last (see `Lake.seen`); an empty one where there is none."""
    snapshot = lake.seen(LANDED_FILES)
    return Ledger(None) if snapshot is None else _ledger(snapshot)


def _ledger(snapshot: Snapshot) -> Ledger:
    known = _latest.get(snapshot.location.uri)
    if known is not None and known.snapshot.identity == snapshot.identity:
        return known
    ledger = Ledger(snapshot, known)
    _latest[snapshot.location.uri] = ledger
    return ledger
