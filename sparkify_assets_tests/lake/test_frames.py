"""Snapshots as DataFrames and back, on every engine."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest
from pyspark.sql import SparkSession

from sparkify_assets.lake.commit import Stamp, replace
from sparkify_assets.lake.frames import read_frame, write_frame
from sparkify_assets.lake.lake import Lake
from sparkify_assets.tables import TABLES, TIME
from sparkify_assets_tests.lake.helpers import put, rows

pytestmark = pytest.mark.engines


def test_a_frame_is_written_and_read_back_by_month(spark: SparkSession, lake: Lake) -> None:
    months = ["2018-11", "2018-12", "2019-01"]
    table = pa.concat_tables([rows(month, 1, 2) for month in months])
    frame = spark.createDataFrame(table)
    written = write_frame(frame, TIME, lake.table_location(TIME), files=2)
    replace(lake, lake.snapshot(TIME), written.parts, {m: Stamp(1) for m in months})
    assert sum(part.rows for part in written.parts) == 6
    assert len(written.parts) == 3
    snapshot = lake.snapshot(TIME)
    found = read_frame(spark, snapshot)
    assert found.columns == TIME.names
    assert found.count() == 6
    some = read_frame(spark, snapshot, ["2018-11", "2019-01"]).collect()
    assert sorted((row["year"], row["month"], row["day"]) for row in some) == [
        (2018, 11, 1), (2018, 11, 2), (2019, 1, 1), (2019, 1, 2),
    ]  # fmt: skip
    assert str(min(row["start_time"] for row in some)) == "2018-11-01 12:00:00"


def test_an_old_version_is_read_as_it_was(spark: SparkSession, lake: Lake) -> None:
    put(lake, lake.snapshot(TIME), 1, "2018-11", [1])
    old = lake.snapshot(TIME)
    put(lake, lake.snapshot(TIME), 2, "2018-11", [2, 3])
    assert [row["day"] for row in read_frame(spark, old).collect()] == [1]


def test_an_empty_table_or_month_has_the_columns(spark: SparkSession, lake: Lake) -> None:
    put(lake, lake.snapshot(TIME), 1, "2018-11", [1])
    for table in TABLES.values():
        frame = read_frame(spark, lake.snapshot(table))
        assert frame.columns == table.names
    assert read_frame(spark, lake.snapshot(TIME), ["2018-12"]).count() == 0
    assert read_frame(spark, lake.snapshot(TIME), []).count() == 0


def test_no_rows_no_parts(spark: SparkSession, lake: Lake) -> None:
    frame = spark.createDataFrame([], TIME.spark_schema())
    assert write_frame(frame, TIME, lake.table_location(TIME), files=2).parts == []


def test_a_part_that_is_gone_is_an_error_never_fewer_rows(spark: SparkSession, lake: Lake) -> None:
    put(lake, lake.snapshot(TIME), 1, "2018-11", [1])
    put(lake, lake.snapshot(TIME), 1, "2018-12", [2])
    snapshot = lake.snapshot(TIME)
    Path(snapshot.location.uri, snapshot.parts[0].path).unlink()
    with pytest.raises(Exception, match=r"(?i)not.?found|does not exist|no such file"):
        read_frame(spark, snapshot).collect()
    with pytest.raises(FileNotFoundError):
        snapshot.read()


@pytest.mark.parametrize("name", ["a b", "josé", "x[1]", "c{a,b}", "a#b", "a?b*c"])
def test_a_lake_may_have_any_name(spark: SparkSession, tmp_path: Path, name: str) -> None:
    lake = Lake.at(str(tmp_path / name / "lake"))
    lake.create_missing()
    frame = spark.createDataFrame(rows("2018-11", 1, 2))
    written = write_frame(frame, TIME, lake.table_location(TIME), files=1)
    replace(lake, lake.snapshot(TIME), written.parts, {"2018-11": Stamp(1)})
    assert read_frame(spark, lake.snapshot(TIME)).count() == 2
    assert read_frame(spark, lake.snapshot(TIME), ["2018-11"]).count() == 2
