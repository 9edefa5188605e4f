"""Reading the raw rows that count: those of the batches that the ledger names."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import pyarrow as pa
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812 -- the name everybody knows it by

from sparkify_assets.errors import PlanChanged
from sparkify_assets.ingest.ledger import LandedFile, Ledger
from sparkify_assets.lake.frames import read_frame
from sparkify_assets.lake.lake import Lake
from sparkify_assets.lake.snapshot import Snapshot
from sparkify_assets.partitions import first_instant, next_month
from sparkify_assets.tables import RAW_LOGS, RAW_SONGS


def read_raw_logs(
    spark: SparkSession, lake: Lake, ledger: Ledger, months: Collection[str]
) -> DataFrame:
    """The log lines with events in these months, from whichever files they are in.

    Raises:
        PlanChanged: rows that the ledger names are there no longer; read a newer ledger.
    """
    files = ledger.with_events_in(*months)
    snapshot = lake.snapshot(RAW_LOGS)
    _check_complete(snapshot, files)
    frame = read_frame(spark, snapshot, {file.scope for file in files})
    return _counting(spark, frame, files).filter(_within(months))


def read_raw_songs(spark: SparkSession, lake: Lake, ledger: Ledger) -> DataFrame:
    """The rows of all song files.

    Raises:
        PlanChanged: as for `read_raw_logs`.
    """
    files = ledger.songs()
    snapshot = lake.snapshot(RAW_SONGS)
    _check_complete(snapshot, files)
    return _counting(spark, read_frame(spark, snapshot), files)


def _counting(spark: SparkSession, frame: DataFrame, files: Sequence[LandedFile]) -> DataFrame:
    if not files:
        return frame.filter(F.lit(False))
    named = spark.createDataFrame(
        pa.table(
            {
                "source_file": pa.array([file.source_file for file in files], pa.string()),
                "batch": pa.array([file.batch for file in files], pa.string()),
            }
        )
    )
    return frame.join(F.broadcast(named), ["source_file", "batch"], "left_semi")


def _check_complete(snapshot: Snapshot, files: Sequence[LandedFile]) -> None:
    """Each batch has at least the rows that the ledger counts in it.

    A batch is a partition of its own, and removed whole or not at all.
    """
    stored: dict[str, int] = {}
    for part in snapshot.parts:
        batch = part.partition["batch"]
        stored[batch] = stored.get(batch, 0) + part.rows
    needed: dict[str, int] = {}
    for file in files:
        needed[file.batch] = needed.get(file.batch, 0) + file.rows
    lacking = [batch for batch, rows in needed.items() if stored.get(batch, 0) < rows]
    if lacking:
        raise PlanChanged(
            f"{snapshot.table.name}: rows of {len(lacking)} batches that the ledger names are "
            f"gone, for example of {lacking[0]}; planning again"
        )


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
