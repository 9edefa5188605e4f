"""Reading the raw rows that count: those of the batches that the ledger names."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812 -- the name everybody knows it by

from sparkify_assets.errors import PlanChanged
from sparkify_assets.ingest.landing import SONG_SCOPE
from sparkify_assets.ingest.ledger import LandedFile, Ledger
from sparkify_assets.ingest.once import look_at, without_repeats
from sparkify_assets.ingest.place import Place, place_of, whole_places
from sparkify_assets.lake.frames import read_where
from sparkify_assets.lake.lake import Lake
from sparkify_assets.lake.log import StoredPart
from sparkify_assets.lake.scan import scan_part
from sparkify_assets.lake.snapshot import Identity, Snapshot
from sparkify_assets.partitions import first_instant, next_month
from sparkify_assets.tables import RAW_LOGS, RAW_SONGS

# Of the song files: what was counted last, as three tables read them. The rows of a version stay.
_counted: list[tuple[Identity, Identity]] = []


@dataclass(frozen=True)
class RawRows:
    """Raw rows to make tables of; how many plays there are by month (each line, also repeated)."""

    frame: DataFrame
    plays: dict[str, int] = field(default_factory=dict)


def read_raw_logs(
    spark: SparkSession,
    lake: Lake,
    ledger: Ledger,
    months: Collection[str],
    names: Sequence[str] | None = None,
) -> RawRows:
    """The log lines with events in these months, from whichever files they are in, each event once.

    Args:
        names: the columns that are wanted, all if None.

    Raises:
        PlanChanged: there are not as many rows as the ledger says; read a newer ledger.
    """
    files = ledger.with_events_in(*months)
    snapshot = lake.last_seen(RAW_LOGS)
    wanted = list(names or RAW_LOGS.names)
    if not files:
        return RawRows(landed_rows(spark, snapshot, files, wanted), dict.fromkeys(months, 0))

    def rows(columns: Sequence[str]) -> DataFrame:
        return landed_rows(spark, snapshot, files, [*columns, "ts"])

    key = (ledger.snapshot.identity, snapshot.identity, tuple(sorted(months)))
    expected = sum(file.rows for file in files)
    found = look_at(key, rows, _within(months), expected)
    check_as_many(snapshot, found.lines, expected)
    frame = without_repeats(wanted, found, rows, _within(months))
    return RawRows(frame, {month: found.plays.get(month, 0) for month in months})


def read_raw_songs(spark: SparkSession, lake: Lake, ledger: Ledger) -> RawRows:
    """The rows of all song files.

    Raises:
        PlanChanged: as for `read_raw_logs`.
    """
    files = ledger.of(SONG_SCOPE)
    snapshot = lake.last_seen(RAW_SONGS)
    rows = landed_rows(spark, snapshot, files)
    key = (ledger.snapshot.identity, snapshot.identity)
    if files and key not in _counted:
        check_as_many(snapshot, rows.count(), sum(file.rows for file in files))
        _counted[:] = [key]
    return RawRows(rows)


class LandedLines:
    """The log lines of the files with events in a month, batch by batch, read in this process.

    They may have events of other months, too. Without any engine: for checks that count anew.
    """

    def __init__(self, lake: Lake, ledger: Ledger, month: str, columns: Sequence[str]) -> None:
        self._snapshot = lake.last_seen(RAW_LOGS)
        self._columns = list(columns)
        self._files: dict[Place, list[str]] = {}
        self._expected = self._seen = 0
        files = ledger.with_events_in(month)
        self._whole = whole_places(self._snapshot, files)
        for file in files:
            self._files.setdefault((file.scope, file.batch), []).append(file.source_file)
            self._expected += file.rows

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        for part in self._snapshot.parts:
            place = place_of(part)
            if place not in self._files:
                continue
            for batch in self._scan(part, place):
                self._seen += batch.num_rows
                yield batch

    def _scan(self, part: StoredPart, place: Place) -> Iterator[pa.RecordBatch]:
        location, columns = self._snapshot.location, self._columns
        if place in self._whole:
            yield from scan_part(RAW_LOGS, location, part, columns)
            return
        files = pa.array(self._files[place], pa.string())
        for batch in scan_part(RAW_LOGS, location, part, ["source_file", *columns]):
            counts = pc.is_in(batch.column("source_file"), value_set=files)
            yield batch.filter(counts).select(columns)

    def check(self) -> None:
        """When all were read: whether they are as many as the ledger says.

        Raises:
            PlanChanged: they are not; look anew.
        """
        if self._seen != self._expected:
            raise _not_as_many(self._snapshot, self._seen, self._expected)


def landed_rows(
    spark: SparkSession,
    snapshot: Snapshot,
    files: Sequence[LandedFile],
    names: Sequence[str] | None = None,
) -> DataFrame:
    """The rows of these files of a raw table that the ledger counts, whatever they say.

    Args:
        names: the columns that are wanted, all if None.
    """
    wanted = [name for name in snapshot.table.names if names is None or name in names]
    whole = whole_places(snapshot, files)
    others = [file for file in files if (file.scope, file.batch) not in whole]
    if others and not whole:
        return _rows_of(spark, snapshot, others, wanted)
    # Mostly every row of a batch counts, and nobody has to ask each to which file it belongs.
    rows = read_where(spark, snapshot, [_partition(snapshot, *place) for place in whole], wanted)
    return rows.unionByName(_rows_of(spark, snapshot, others, wanted)) if others else rows


def _rows_of(
    spark: SparkSession, snapshot: Snapshot, files: Sequence[LandedFile], wanted: Sequence[str]
) -> DataFrame:
    """The rows of these files, from batches that hold rows of others as well."""
    places = [_partition(snapshot, file.scope, file.batch) for file in files]
    frame = read_where(spark, snapshot, places, [*wanted, "source_file", "batch"])
    named = spark.createDataFrame(
        pa.table(
            {
                "source_file": pa.array([file.source_file for file in files], pa.string()),
                "batch": pa.array([file.batch for file in files], pa.string()),
            }
        )
    )
    # Each file is named once, so nothing is doubled. The small side first: without statistics Sail
    # keeps the first one of a join in memory.
    return F.broadcast(named).join(frame, ["source_file", "batch"]).select(*wanted)


def check_as_many(snapshot: Snapshot, found: int, expected: int) -> None:
    """Whether as many raw rows came as the ledger counts.

    Raises:
        PlanChanged: they are not; look anew.
    """
    # What the engine really delivers, and not what the log says: a reader that passes over
    # something would lose it for ever, as the table would then be recorded as up to date.
    if found != expected:
        raise _not_as_many(snapshot, found, expected)


def _not_as_many(snapshot: Snapshot, found: int, expected: int) -> PlanChanged:
    return PlanChanged(
        f"{snapshot.table.name}: {found:,} rows were found of the {expected:,} that the ledger "
        "counts"
    )


def _partition(snapshot: Snapshot, scope: str, batch: str) -> dict[str, str]:
    """The partition of a place: one batch may hold files of many months."""
    values = {"batch": batch, "landing_month": scope}
    return {name: values[name] for name in snapshot.table.partition_by}


def _within(months: Collection[str]) -> Column:
    """Whether ts lies in one of the months; neighbouring months become one interval."""
    condition = F.lit(False)
    ordered = sorted(months)
    start = 0
    for index, month in enumerate(ordered):
        if index + 1 < len(ordered) and ordered[index + 1] == next_month(month):
            continue
        first, end = first_instant(ordered[start]), first_instant(next_month(month))
        condition = condition | ((F.col("ts") >= first) & (F.col("ts") < end))
        start = index + 1
    return condition
