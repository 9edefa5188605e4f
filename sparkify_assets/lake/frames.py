"""Snapshots as Spark DataFrames, and DataFrames as parts: where the lake meets the engine."""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812 -- the name everybody knows it by

from sparkify_assets.lake.location import Location
from sparkify_assets.lake.parts import REPORT_SCHEMA, Written, part_writer
from sparkify_assets.lake.snapshot import Snapshot, StoredPart
from sparkify_assets.tables import Table

# More values than these are not put into a filter; the caller's own condition has to do.
_MOST_VALUES = 500


def read_frame(
    spark: SparkSession, snapshot: Snapshot, keys: Collection[str] | None = None
) -> DataFrame:
    """Rows of a snapshot, of all or some partitions, with the columns in order.

    A part that is gone is an error on every engine, never fewer rows.
    """
    if keys is None:
        return _read(spark, snapshot, snapshot.parts, F.lit(True))
    return _read(spark, snapshot, snapshot.parts_of(keys), _within(snapshot.table, keys))


def read_batches(spark: SparkSession, snapshot: Snapshot, batches: Collection[str]) -> DataFrame:
    """Rows of a raw table, of the parts of some batches (see `ingest`)."""
    parts = [part for part in snapshot.parts if part.partition["batch"] in batches]
    condition = F.col("batch").isin(*batches) if len(batches) <= _MOST_VALUES else F.lit(True)
    return _read(spark, snapshot, parts, condition)


def _read(
    spark: SparkSession, snapshot: Snapshot, parts: Sequence[StoredPart], condition: Column
) -> DataFrame:
    table, location = snapshot.table, snapshot.location
    if not parts:
        return spark.createDataFrame([], table.spark_schema())
    if is_sail(spark):
        # Sail's Parquet reader passes over files that do not exist; its Delta reader does not.
        delta = spark.read.format("delta").option("versionAsOf", snapshot.version)
        frame = delta.load(location.for_engines()).filter(condition)
    else:
        root = location.for_engines()
        frame = (
            spark.read.option("basePath", root)
            .schema(table.spark_schema())
            .parquet(*[f"{root}/{part.path}" for part in parts])
        )
    return frame.select(*table.names)


def write_frame(frame: DataFrame, table: Table, location: Location, files: int) -> Written:
    """Write the rows of a frame as parts, in the engine's tasks; runs the plan once.

    Args:
        files: about how many tasks write. Rows of one partition go to one task.
    """
    if table.partition_by:
        frame = frame.repartition(files, *table.partition_by)
    else:
        frame = frame.repartition(files) if files > 1 else frame.coalesce(1)
    frame = frame.sortWithinPartitions(*table.key)
    written = Written()
    for row in frame.mapInArrow(part_writer(table.name, location), REPORT_SCHEMA).collect():
        written.add(Written.from_json(row["report"]))
    return written


def is_sail(spark: SparkSession) -> bool:
    """Whether this session is served by Sail, in this process or another.

    Sail gives itself out as the Spark version that it stands in for, except in SQL.
    """
    session = getattr(spark, "session_id", None)  # a classic session has none
    if session is None:
        return False
    if session not in _SAIL:
        version = str(spark.sql("SELECT version()").collect()[0][0])
        _SAIL[session] = not version.startswith(spark.version)
    return _SAIL[session]


_SAIL: dict[str, bool] = {}


def tasks_at_once(spark: SparkSession, wanted: int) -> int:
    """Into how many tasks to cut work that holds much memory.

    Sail runs all tasks of a stage at once, Spark as many as there are cores.
    """
    return min(wanted, os.cpu_count() or 1) if is_sail(spark) else wanted


def _within(table: Table, keys: Collection[str]) -> Column:
    condition = F.lit(False)
    for key in sorted(keys):
        same = F.lit(True)
        for name, value in table.partition_values(key).items():
            same = same & (F.col(name) == (int(value) if table.monthly else value))
        condition = condition | same
    return condition
