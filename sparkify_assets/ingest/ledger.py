"""The ledger, table `landed_files`: which landing files are in, and the account of each.

Its commit is the one moment in which new rows begin to count and those of replaced files cease
to. Reading it, asking it and committing it belong here.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import NamedTuple

import pyarrow as pa

from sparkify_assets.errors import LakeError
from sparkify_assets.ingest.landing import SONG_SCOPE
from sparkify_assets.lake.commit import Stamp, replace
from sparkify_assets.lake.lake import Lake
from sparkify_assets.lake.parts import write_parts
from sparkify_assets.lake.snapshot import Snapshot
from sparkify_assets.tables import LANDED_FILES


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


class Ledger:
    """One version of the ledger; without a snapshot, that of a lake that is not there yet."""

    def __init__(self, snapshot: Snapshot | None) -> None:
        self._snapshot = snapshot

    @property
    def snapshot(self) -> Snapshot:
        """The table's version."""
        if self._snapshot is None:
            raise LakeError("there is no ledger yet; `sparkify run` makes it")
        return self._snapshot

    @cached_property
    def by_scope(self) -> dict[str, list[LandedFile]]:
        """All landed files, by scope, sorted by key."""
        if self._snapshot is None:
            return {}
        columns = self._snapshot.read().to_pydict()
        files = sorted(map(LandedFile, *(columns[name] for name in LandedFile._fields)))
        scopes: dict[str, list[LandedFile]] = {}
        for file in files:
            scopes.setdefault(file.scope, []).append(file)
        return scopes

    def files(self) -> Iterable[LandedFile]:
        """All landed files."""
        for files in self.by_scope.values():
            yield from files

    def songs(self) -> list[LandedFile]:
        """The song files."""
        return self.by_scope.get(SONG_SCOPE, [])

    @cached_property
    def songs_digest(self) -> str:
        """A hash of the identities of all song files."""
        return _digest(self.songs())

    def events_digest(self, month: str) -> str:
        """A hash of the identities of the log files with events in a month."""
        return _digest(self.with_events_in(month))

    @cached_property
    def _by_event_month(self) -> dict[str, list[LandedFile]]:
        months: dict[str, list[LandedFile]] = {}
        for file in sorted(self.files()):
            for month in file.event_months:
                months.setdefault(month, []).append(file)
        return months

    def event_months(self) -> list[str]:
        """The months that have events, sorted."""
        return sorted(self._by_event_month)

    def with_events_in(self, *months: str) -> list[LandedFile]:
        """The log files with at least one event in these months, whatever their key says."""
        found = {f.source_file: f for m in months for f in self._by_event_month.get(m, [])}
        return list(found.values())

    def commit(self, lake: Lake, scopes: Mapping[str, Iterable[LandedFile]]) -> Ledger:
        """Replace whole scopes by these files, in one commit.

        Raises:
            PlanChanged: another run took files of one of these scopes in since this version.
        """
        rows = [file for files in scopes.values() for file in files]
        table = pa.Table.from_pylist(
            [file._asdict() for file in rows], schema=LANDED_FILES.plain_schema
        )
        written = write_parts(table.to_batches(), LANDED_FILES, lake.table_location(LANDED_FILES))
        stamps = {scope: Stamp((self.snapshot.stamp(scope) or 0) + 1) for scope in scopes}
        return Ledger(replace(lake, self.snapshot, written.parts, stamps))


def _digest(files: Iterable[LandedFile]) -> str:
    digest = hashlib.blake2b(digest_size=16)
    for file in files:
        text = f"{file.source_file}\0{file.etag}\0{file.size}\0{file.reader_version}\n"
        digest.update(text.encode())
    return digest.hexdigest()


_latest: dict[str, Ledger] = {}


def read_ledger(lake: Lake) -> Ledger:
    """The newest ledger. Its rows are read once per version and process."""
    snapshot = lake.snapshot(LANDED_FILES)
    known = _latest.get(snapshot.location.uri)
    if known is not None and _identity(known.snapshot) == _identity(snapshot):
        return known
    ledger = Ledger(snapshot)
    _latest[snapshot.location.uri] = ledger
    return ledger


def ledger_or_none_yet(lake: Lake) -> Ledger:
    """The newest ledger, or an empty one where the lake is not there yet."""
    return read_ledger(lake) if lake.exists(LANDED_FILES) else Ledger(None)


def _identity(snapshot: Snapshot) -> tuple[str, int]:
    return str(snapshot.state.metadata["id"]), snapshot.version
