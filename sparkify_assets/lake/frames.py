"""Snapshots as Spark DataFrames, and DataFrames as parts: where the lake meets the engine."""

from __future__ import annotations

import os
from collections.abc import Collection

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812 -- the name everybody knows it by

from sparkify_assets.lake.location import Location
from sparkify_assets.lake.parts import REPORT_SCHEMA, Written, part_writer
from sparkify_assets.lake.snapshot import Snapshot, StoredPart
from sparkify_assets.tables import Table

SAIL_SESSION = "sparkify.sail"


def read_frame(
    spark: SparkSession, snapshot: Snapshot, keys: Collection[str] | None = None
) -> DataFrame:
    """Rows of a snapshot, of all or some partitions (by the outermost key), columns in order.

    A part that is gone is an error on every engine, never fewer rows.
    """
    table = snapshot.table
    parts = snapshot.parts if keys is None else _parts_within(snapshot, keys)
    if not parts:
        return spark.createDataFrame([], table.spark_schema())
    if is_sail(spark):
        # Sail's Parquet reader passes over files that do not exist; its Delta reader does not.
        frame = (
            spark.read.format("delta")
            .option("versionAsOf", snapshot.version)
            .load(snapshot.location.uri)
        )
        if keys is not None:
            frame = frame.filter(_within(table, keys))
    else:
        paths = [snapshot.location.join(part.path).uri for part in parts]
        frame = (
            spark.read.option("basePath", snapshot.location.uri)
            .schema(table.spark_schema())
            .parquet(*paths)
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
    """Whether this session is served by Sail; `resources.spark` says so in the session."""
    return spark.conf.get(SAIL_SESSION, "false") == "true"


def tasks_at_once(spark: SparkSession, wanted: int) -> int:
    """Into how many tasks to cut work that holds much memory.

    Sail runs all tasks of a stage at once, Spark as many as there are cores.
    """
    return min(wanted, os.cpu_count() or 1) if is_sail(spark) else wanted


def _parts_within(snapshot: Snapshot, keys: Collection[str]) -> list[StoredPart]:
    table = snapshot.table
    if table.monthly or len(table.partition_by) <= 1:
        return snapshot.parts_of(keys)
    outermost = table.partition_by[0]
    return [part for part in snapshot.parts if part.partition[outermost] in keys]


def _within(table: Table, keys: Collection[str]) -> Column:
    if table.monthly:
        conditions = [
            (F.col("year") == int(values["year"])) & (F.col("month") == int(values["month"]))
            for values in map(table.partition_values, sorted(keys))
        ]
        condition = conditions[0]
        for other in conditions[1:]:
            condition = condition | other
        return condition
    return F.col(table.partition_by[0]).isin(*keys)
