"""Where raw rows stand: scope and batch of a part, and how many rows are at such a place."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from sparkify_assets.ingest.landing import SONG_SCOPE
from sparkify_assets.ingest.ledger import LandedFile
from sparkify_assets.lake.log import StoredPart
from sparkify_assets.lake.snapshot import Snapshot

Place = tuple[str, str]


def place_of(part: StoredPart) -> Place:
    """Scope (a month of log files, or `songs`) and batch of a part of a raw table."""
    values = part.partition
    return values.get("landing_month") or values.get("scope") or SONG_SCOPE, values["batch"]


def rows_there(snapshot: Snapshot) -> Counter[Place]:
    """Rows of a raw table by place, as its log says."""
    rows: Counter[Place] = Counter()
    for part in snapshot.parts:
        rows[place_of(part)] += part.rows
    return rows


def rows_counted(files: Iterable[LandedFile]) -> Counter[Place]:
    """Rows of these files by place, as the ledger counts them."""
    rows: Counter[Place] = Counter()
    for file in files:
        rows[file.scope, file.batch] += file.rows
    return rows


def whole_places(snapshot: Snapshot, files: Iterable[LandedFile]) -> set[Place]:
    """The places where every row belongs to one of these files.

    A batch is committed, and removed, as a whole; what others of its files left there makes it
    more than is counted. That a part is as its commit says is told when it is read.
    """
    there = rows_there(snapshot)
    return {place for place, rows in rows_counted(files).items() if there[place] == rows}
