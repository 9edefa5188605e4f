"""Small frames of raw rows for the transforms."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession

from sparkify_assets.ingest.fields import LOG_FIELDS, SONG_FIELDS
from sparkify_assets.tables import RAW_LOGS, RAW_SONGS, Table
from sparkify_assets_tests.zone import Json


def raw_logs(spark: SparkSession, *events: Json) -> DataFrame:
    """Rows of raw_logs for these events."""
    return _frame(
        spark,
        RAW_LOGS,
        [
            {f.column: one.get(f.name) for f in LOG_FIELDS} | {"source_file": "a", "line": line}
            for line, one in enumerate(events, 1)
        ],
    )


def raw_songs(spark: SparkSession, *songs: Json) -> DataFrame:
    """Rows of raw_songs for these songs."""
    return _frame(
        spark, RAW_SONGS, [{f.column: one.get(f.name) for f in SONG_FIELDS} for one in songs]
    )


def _frame(spark: SparkSession, table: Table, rows: list[Json]) -> DataFrame:
    nullable = pa.schema([field.with_nullable(True) for field in table.plain_schema])
    if not rows:
        return spark.createDataFrame([], table.spark_schema())
    return spark.createDataFrame(pa.Table.from_pylist(rows, schema=nullable))


def rows(frame: DataFrame, *order: str) -> list[dict[str, Any]]:
    """The rows as dictionaries, sorted by some columns (all of them where none is named)."""
    found = [row.asDict() for row in frame.collect()]
    return sorted(found, key=lambda row: [str(row[name]) for name in order or sorted(row)])
