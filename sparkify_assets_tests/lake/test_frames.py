"""Snapshots as DataFrames and back, on every engine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyspark.sql import SparkSession

from sparkify_assets.lake import frames
from sparkify_assets.lake.commit import Stamp, replace
from sparkify_assets.lake.frames import read_frame, write_frame
from sparkify_assets.lake.lake import Lake
from sparkify_assets.partitions import months_between
from sparkify_assets.tables import TABLES, TIME
from sparkify_assets_tests.lake.helpers import put, rows

pytestmark = pytest.mark.engines


def test_a_frame_is_written_and_read_back_by_month(spark: SparkSession, lake: Lake) -> None:
    months = ["2018-11", "2018-12", "2019-01"]
    table = pa.concat_tables([rows(month, 1, 2) for month in months])
    frame = spark.createDataFrame(table)
    written = write_frame(frame, TIME, lake.table_location(TIME), dict.fromkeys(months, 300_000))
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


def test_a_month_with_many_rows_is_cut_on_spark_and_a_small_one_is_one_file(
    spark: SparkSession, lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(frames, "SLICE_BYTES", 13)  # four rows
    table = pa.concat_tables([rows("2018-11", *range(1, 29)), rows("2018-12", 1, 2)])
    frame, expected = spark.createDataFrame(table), {"2018-11": 28, "2018-12": 2}
    written = write_frame(frame, TIME, lake.table_location(TIME), expected)
    parts = [TIME.partition_key(part.partition) for part in written.parts]
    assert parts.count("2018-12") == 1
    assert (parts.count("2018-11") > 3) is not frames.is_sail(spark)
    assert sum(part.rows for part in written.parts) == 30
    assert {key: notes.suspect for key, notes in written.notes.items()} == {
        "2018-11": 0,
        "2018-12": 0,
    }


def test_a_key_that_stands_there_twice_is_seen_in_whichever_piece_it_is(
    spark: SparkSession, lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(frames, "SLICE_BYTES", 13)  # four rows
    table = pa.concat_tables([rows("2018-11", *range(1, 29)), rows("2018-11", 7, 23)])
    frame = spark.createDataFrame(table)
    written = write_frame(frame, TIME, lake.table_location(TIME), {"2018-11": 30})
    assert written.notes["2018-11"].suspect == 2


def test_many_months_do_not_make_a_plan_too_deep_to_be_sent(
    spark: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(frames, "is_sail", lambda _session: False)  # which cuts nothing
    months = dict.fromkeys(months_between("2000-01", "2018-12"), 1)
    cut: Any = frames._in_tasks(spark.createDataFrame(rows("2018-11", 1)), TIME, months)
    session: Any = spark
    if not isinstance(session, SparkSession):  # one of Spark Connect
        plan = cut._plan.to_proto(session.client)
        assert type(plan).FromString(plan.SerializeToString()) == plan
    else:
        assert cut.count() == 1


def test_shuffles_of_many_lines_are_cut_finely_and_stay_so(
    spark: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "spark.sql.shuffle.partitions"
    monkeypatch.setattr(frames, "is_sail", lambda _session: False)
    before = str(spark.conf.get(name))
    try:
        frames.make_room(spark, 1)
        assert spark.conf.get(name) == before
        frames.make_room(spark, 2_000_000_000)
        assert spark.conf.get(name) == str(frames.shuffle_pieces(2_000_000_000)) == "2608"
        frames.make_room(spark, 1_000_000_000)
        assert spark.conf.get(name) == "2608"
    finally:
        spark.conf.set(name, before)


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
    rows_of = {"2018-11": 1, "2018-12": 1}
    assert write_frame(frame, TIME, lake.table_location(TIME), rows_of).parts == []


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
    written = write_frame(frame, TIME, lake.table_location(TIME), {"2018-11": 2})
    replace(lake, lake.snapshot(TIME), written.parts, {"2018-11": Stamp(1)})
    assert read_frame(spark, lake.snapshot(TIME)).count() == 2
    assert read_frame(spark, lake.snapshot(TIME), ["2018-11"]).count() == 2
