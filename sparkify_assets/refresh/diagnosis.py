"""Which partitions cannot be made, after a step over several of them failed.

Every part that goes into a partition is read once by itself, in this process. Partitions whose
sources are broken are then laid aside, and the others made without them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache

from sparkify_assets.errors import LakeError, StorageUnavailable
from sparkify_assets.ingest.landing import SONG_SCOPE
from sparkify_assets.ingest.ledger import LandedFile, Ledger
from sparkify_assets.ingest.place import place_of, rows_counted, rows_there
from sparkify_assets.lake.lake import Lake
from sparkify_assets.lake.log import StoredPart
from sparkify_assets.lake.scan import scan_part
from sparkify_assets.lake.snapshot import Snapshot
from sparkify_assets.refresh.freshness import Freshness
from sparkify_assets.tables import RAW, TABLES, Reads, Table


def broken_keys(
    lake: Lake, freshness: Freshness, table: Table, keys: Iterable[str]
) -> dict[str, str]:
    """By partition, why it cannot be made; only those that cannot.

    Raises:
        StorageUnavailable: the lake does not answer now, so nothing can be said.
    """

    @cache
    def snapshot(name: str) -> Snapshot:
        source = TABLES[name]
        return lake.snapshot(source) if source in RAW else freshness.snapshot(source)

    @cache
    def broken_part(name: str, path: str) -> str | None:
        return _problem(snapshot(name), snapshot(name).state.parts[path])

    def first_problem(key: str) -> str | None:
        for name, reads in table.reads.items():
            upstream, found = snapshot(name), None
            if reads in (Reads.FILES, Reads.FILES_OF_MONTH):
                files = _files(freshness.ledger, reads, key)
                found = _missing_rows(upstream, files)
                parts = _parts(upstream, files)
            else:
                parts = upstream.parts_of(freshness.upstream_keys(upstream, reads, key))
            for part in parts:
                found = found or broken_part(name, part.path)
            if found:
                return found
        return None

    problems = {key: first_problem(key) for key in keys}
    return {key: problem for key, problem in problems.items() if problem}


def _files(ledger: Ledger, reads: Reads, key: str) -> list[LandedFile]:
    return ledger.of(SONG_SCOPE) if reads is Reads.FILES else ledger.with_events_in(key)


def _parts(snapshot: Snapshot, files: Iterable[LandedFile]) -> list[StoredPart]:
    places = {(file.scope, file.batch) for file in files}
    return [part for part in snapshot.parts if place_of(part) in places]


def _missing_rows(snapshot: Snapshot, files: list[LandedFile]) -> str | None:
    """Whether the log has fewer rows of a batch than the ledger counts in it."""
    there = rows_there(snapshot)
    for (scope, batch), rows in rows_counted(files).items():
        if there[scope, batch] < rows:
            return _with_way_out(
                snapshot,
                f"batch {batch} of {scope} has {there[scope, batch]:,} rows of the "
                f"{rows:,} that the ledger counts",
                {"landing_month": scope},
            )
    return None


def _problem(snapshot: Snapshot, part: StoredPart) -> str | None:
    try:
        for _ in scan_part(snapshot.table, snapshot.location, part):
            pass
    except StorageUnavailable:
        raise
    except FileNotFoundError:
        return _with_way_out(snapshot, f"the part {part.path} is gone", part.partition)
    except (LakeError, OSError) as error:
        reason = f"the part {part.path} cannot be read ({str(error).splitlines()[0]})"
        return _with_way_out(snapshot, reason, part.partition)
    return None


def _with_way_out(snapshot: Snapshot, problem: str, partition: Mapping[str, str]) -> str:
    table = snapshot.table
    month = partition.get("landing_month") or (
        table.partition_key(partition) if table.monthly else ""
    )
    again = f" --month {month}" if month and month != SONG_SCOPE else ""
    return (
        f"{snapshot.location.uri}: {problem}. Restore it from a backup, or make it again from the "
        f"landing files: the job `rebuild`, or `sparkify run --rebuild{again}`"
    )
