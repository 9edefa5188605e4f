"""A column that is declared after a lake was written: null in what is old, there in what is new."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812 -- the name everybody knows it by

from sparkify_assets.analytics.export import Wanted, export
from sparkify_assets.analytics.session import open_session
from sparkify_assets.cli.run import run_and_summarize
from sparkify_assets.ingest import task
from sparkify_assets.ingest.fields import LOG_FIELDS, Field, Kind
from sparkify_assets.lake import checkpoint, commit, log
from sparkify_assets.lake.commit import checkpoint_newest
from sparkify_assets.lake.frames import read_frame, read_where
from sparkify_assets.lake.lake import Lake
from sparkify_assets.lake.release import last_release
from sparkify_assets.maintenance.compact import MOST_SMALL_PARTS
from sparkify_assets.maintenance.maintain import maintain
from sparkify_assets.refresh.plan import make_plan
from sparkify_assets.refresh.report import get_status
from sparkify_assets.storage.location import Location
from sparkify_assets.tables import RAW_LOGS, TIME
from sparkify_assets.transforms import listening
from sparkify_assets_tests.lake.helpers import content, put
from sparkify_assets_tests.refresh.world import World
from sparkify_assets_tests.yesterday.declared import DEVICE, QUARTER, add_column
from sparkify_assets_tests.yesterday.old_lakes import LAKES, Yesterday
from sparkify_assets_tests.zone import event

NOVEMBER, DECEMBER = "2018-11", "2018-12"
_QUARTERS = {NOVEMBER: 4, DECEMBER: 4}
_LOGS = "log_data/2018/12/2018-12-20-events.json"
_RELEASED = next(lake for lake in LAKES if lake.name == "released")


Declare = Callable[[], None]


@pytest.fixture
def quarter(monkeypatch: pytest.MonkeyPatch) -> Declare:
    """From its call on the table time has one more column, made by code of a new version."""
    made = listening.time

    def with_quarter(songplays: DataFrame) -> DataFrame:
        found = F.quarter(F.col("start_time")).cast("int")
        return made(songplays).withColumn("quarter", found)

    def declare() -> None:
        add_column(monkeypatch, TIME, QUARTER, code_version=TIME.code_version + 1)
        monkeypatch.setattr(listening, "time", with_quarter)

    return declare


@pytest.fixture
def device(monkeypatch: pytest.MonkeyPatch) -> Declare:
    """From its call on raw_logs has one more column, which the reader of log lines reads."""

    def declare() -> None:
        add_column(monkeypatch, RAW_LOGS, DEVICE)
        fields = (*LOG_FIELDS, Field("device", "device", Kind.TEXT))
        monkeypatch.setattr(task, "LOG_FIELDS", fields)

    return declare


@pytest.fixture
def loaded(world: World) -> World:
    """Two months, loaded by the code as it is; the lines tell a device already."""
    world.zone.logs("log_data/2018/11/a.json", event(device="phone"))
    world.zone.logs("log_data/2018/12/a.json", event("2018-12-15 10:00", sessionId=2, device="tv"))
    world.zone.song()
    run_and_summarize(world.settings(), rebuild=False, quiet=True)
    return world


def actions(lake: Lake, table: str) -> list[list[dict[str, Any]]]:
    """What the commits of a table say, by version."""
    folder = Path(lake.location.uri, table, "_delta_log")
    texts = [path.read_text() for path in sorted(folder.glob("*.json"))]
    return [[json.loads(line) for line in text.splitlines()] for text in texts]


def asked(world: World, sql: str) -> list[tuple[Any, ...]]:
    with open_session(world.lake) as session:
        return [tuple(row.values()) for row in session.table(sql).to_pylist()]


def test_before_any_run_it_is_null_in_a_lake_of_yesterday(
    old: World, yesterday: Yesterday, quarter: Declare, device: Declare
) -> None:
    quarter()
    device()
    before = {path for path in Path(old.lake.location.uri).rglob("*") if path.is_file()}
    for table, column in ((TIME, QUARTER), (RAW_LOGS, DEVICE)):
        snapshot = old.lake.snapshot(table)
        assert snapshot.rows > 0
        rows = snapshot.read()
        assert rows.schema == table.plain_schema
        assert rows[column.name].null_count == snapshot.rows
        assert snapshot.read([column.name]).column(0).null_count == snapshot.rows
        batches = list(snapshot.batches([column.name], snapshot.partitions))
        assert sum(batch.num_rows for batch in batches) == snapshot.rows
        assert snapshot.dataset().to_table()[column.name].null_count == snapshot.rows
        assert snapshot.nulls(column.name) == snapshot.rows
    assert snapshot.nulls("landing_month") == 0
    if yesterday.released:
        assert asked(old, "SELECT count(*), count(quarter) FROM time") == [(7, 0)]
        ((lines, devices),) = asked(old, "SELECT count(*), count(device) FROM raw_logs")
        assert (lines > 0, devices) == (True, 0)
    stale = {item["table"] for item in get_status(old.settings()).stale}
    assert "time" in stale
    assert "raw_logs" not in stale
    assert {path for path in Path(old.lake.location.uri).rglob("*") if path.is_file()} == before


@pytest.mark.engines
def test_an_engine_reads_null_in_old_parts(
    unpacked: Callable[[Yesterday], World], spark: SparkSession, quarter: Declare, device: Declare
) -> None:
    quarter()
    device()
    old = unpacked(_RELEASED)
    for table, column in ((TIME, QUARTER), (RAW_LOGS, DEVICE)):
        snapshot = old.lake.snapshot(table)
        frame = read_frame(spark, snapshot)
        assert frame.columns == table.names
        assert frame.count() == frame.filter(F.col(column.name).isNull()).count() == snapshot.rows
        some = [dict(part.partition) for part in snapshot.parts[:1]]
        rows = read_where(spark, snapshot, some, [column.name]).collect()
        assert [tuple(row) for row in rows] == [(None,)] * snapshot.parts[0].rows


def test_a_run_makes_the_table_again_with_it(old: World, quarter: Declare) -> None:
    quarter()
    before = old.lake.snapshot(TIME)
    assert {s.key for s in make_plan(old.settings()).stale if s.table is TIME} == set(_QUARTERS)
    run_and_summarize(old.settings(), rebuild=False, quiet=True)
    after = old.lake.snapshot(TIME)
    assert set(after.read(["quarter"])["quarter"].to_pylist()) == {4}
    assert after.rows == before.rows == 7
    # The same table, to whoever reads Delta tables.
    assert after.state.metadata["id"] == before.state.metadata["id"]
    assert after.state.metadata["schemaString"] == TIME.delta_schema
    uri = old.lake.table_location(TIME).uri
    assert set(DeltaTable(uri).to_pyarrow_table()["quarter"].to_pylist()) == {4}
    assert asked(old, "SELECT DISTINCT quarter FROM time") == [(4,)]
    assert old.changed_by() == set()


def test_months_with_it_and_without_it_are_read_side_by_side(
    loaded: World, tmp_path: Path, quarter: Declare
) -> None:
    quarter()
    loaded.run(only=[DECEMBER])
    snapshot = loaded.lake.snapshot(TIME)
    said = [str(version) for version in actions(loaded.lake, "time")]
    named = {number for number, version in enumerate(said) if "metaData" in version}
    assert named == {0, snapshot.version}
    assert "add" in said[-1]  # in one version: there is no moment in between
    rows = snapshot.read(["month", "quarter"]).to_pylist()
    expected = [(11, None), (12, 4)]
    assert sorted((row["month"], row["quarter"]) for row in rows) == expected
    uri = snapshot.location.uri
    for others in (
        DeltaTable(uri).to_pyarrow_table().select(["month", "quarter"]).to_pylist(),
        pl.read_delta(uri).select("month", "quarter").to_dicts(),
    ):
        assert sorted((row["month"], row["quarter"]) for row in others) == expected
    with duckdb.connect() as sql:
        sql.register("time", DeltaTable(uri).to_pyarrow_dataset())
        assert sql.execute("SELECT month, quarter FROM time ORDER BY 1").fetchall() == expected
    maintain(loaded.lake, 1, [NOVEMBER, DECEMBER])  # records a release with November as it was


def test_sql_leaves_out_months_before_it_opens_their_parts(loaded: World, quarter: Declare) -> None:
    loaded.zone.logs("log_data/2018/10/a.json", event("2018-10-15 10:00", sessionId=3))
    run_and_summarize(loaded.settings(), rebuild=False, quiet=True)
    quarter()
    release = last_release(loaded.lake)
    loaded.run(only=[DECEMBER])
    versions = {**release.versions, "time": loaded.lake.snapshot(TIME).version}
    mixed = replace(release, number=release.number + 1, versions=versions)
    with open_session(loaded.lake, mixed) as session:
        rows = session.table("SELECT month, quarter, weekday FROM time ORDER BY month").to_pylist()
        assert [tuple(row.values()) for row in rows] == [(10, None, 1), (11, None, 4), (12, 4, 6)]
        before = dict(session.files.opened)
        (row,) = session.table("SELECT quarter FROM time WHERE month = 12").to_pylist()
        assert row == {"quarter": 4}
        opened = [path for path, times in session.files.opened.items() if times > before[path]]
        # One of the old parts tells what columns they have; no other one is opened.
        assert len([path for path in opened if "month=12" not in path]) == 1
        (row,) = session.table("SELECT quarter FROM time WHERE month = 11").to_pylist()
        assert row == {"quarter": None}


@pytest.mark.parametrize("flat", [False, True])
def test_a_copy_of_old_parts_has_the_column(
    loaded: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, flat: bool
) -> None:
    to = Location(str(tmp_path / "copy"))
    release = last_release(loaded.lake)
    before = export(loaded.lake, release, to, Wanted(("time",), flat=flat))
    add_column(monkeypatch, TIME, QUARTER)
    after = export(loaded.lake, release, to, Wanted(("time",), flat=flat))
    assert after.rows == before.rows == {"time": 2}
    assert not set(after.files["time"]) & set(before.files["time"])
    for key in after.files["time"]:
        schema = pq.ParquetFile(Path(to.uri, key)).schema_arrow
        assert schema.names == (TIME.names if flat else TIME.inside)
        assert schema.field("quarter").type == QUARTER.type


def test_raw_rows_keep_null_until_their_files_are_read_again(
    loaded: World, device: Declare
) -> None:
    device()
    devices = "SELECT session_id, device FROM raw_logs ORDER BY session_id"
    loaded.zone.logs(_LOGS, event("2018-12-20 10:00", sessionId=3, device="radio"))
    run_and_summarize(loaded.settings(), rebuild=False, quiet=True)
    assert asked(loaded, devices) == [(1, None), (2, None), (3, "radio")]
    others = DeltaTable(loaded.lake.table_location(RAW_LOGS).uri).to_pyarrow_table()
    assert sorted(map(str, others["device"].to_pylist())) == ["None", "None", "radio"]
    run_and_summarize(loaded.settings(), rebuild=True, quiet=True)
    assert asked(loaded, devices) == [(1, "phone"), (2, "tv"), (3, "radio")]


def test_a_lake_of_yesterday_takes_in_files_with_it(old: World, device: Declare) -> None:
    device()
    before = old.rows("raw_logs", "device")
    assert set(before) == {None}
    old.zone.logs(_LOGS, event("2018-12-20 10:00", sessionId=3, device="radio"))
    run_and_summarize(old.settings(), rebuild=False, quiet=True)
    ((lines, devices),) = asked(old, "SELECT count(*), count(device) FROM raw_logs")
    assert (lines, devices) == (10, 1)
    assert len(old.rows("songplays")) == 8


def test_maintenance_puts_old_and_new_rows_together(
    loaded: World, monkeypatch: pytest.MonkeyPatch, device: Declare
) -> None:
    device()
    for number in range(MOST_SMALL_PARTS + 1):
        key = f"log_data/2018/12/2018-12-{10 + number}-events.json"
        loaded.zone.logs(key, event(f"2018-12-{10 + number} 10:00", sessionId=9, device="radio"))
        loaded.run()
    devices = sorted(map(str, loaded.rows("raw_logs", "device")))
    report = maintain(loaded.lake, 1, [NOVEMBER, DECEMBER])
    assert report.tables["raw_logs"].batches_compacted == MOST_SMALL_PARTS + 2
    assert sorted(map(str, loaded.rows("raw_logs", "device"))) == devices
    assert devices.count("None") == 2
    assert loaded.changed_by() == set()


def test_maintenance_that_comes_before_a_run_adds_it(
    loaded: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of old parts alone: the part that they are put into has the column, and so does the log."""
    for number in range(MOST_SMALL_PARTS + 1):
        key = f"log_data/2018/12/2018-12-{10 + number}-events.json"
        loaded.zone.logs(key, event(f"2018-12-{10 + number} 10:00", sessionId=9))
        loaded.run()
    add_column(monkeypatch, RAW_LOGS, DEVICE)
    assert maintain(loaded.lake, 1, [NOVEMBER, DECEMBER]).tables["raw_logs"].batches_compacted
    uri = loaded.lake.table_location(RAW_LOGS).uri
    assert DeltaTable(uri).to_pyarrow_table()["device"].null_count == 2 + MOST_SMALL_PARTS + 1


def test_what_a_checkpoint_gave_is_said_as_delta_has_it(
    loaded: World, monkeypatch: pytest.MonkeyPatch, quarter: Declare
) -> None:
    """Its maps come as lists of pairs, which a commit must not repeat."""
    quarter()
    assert checkpoint_newest(loaded.lake, TIME)
    log._known.clear()
    monkeypatch.setattr(checkpoint, "EVERY", 1)
    loaded.run()
    log._known.clear()
    (said,) = [a["metaData"] for a in actions(loaded.lake, "time")[-1] if "metaData" in a]
    assert (said["configuration"], said["format"]) == ({}, {"provider": "parquet", "options": {}})
    others = DeltaTable(loaded.lake.table_location(TIME).uri)
    assert others.metadata().id == loaded.lake.snapshot(TIME).state.metadata["id"]
    assert others.to_pyarrow_table()["quarter"].to_pylist() == [4, 4]


def test_of_two_writers_who_add_it_one_says_so(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both began before: the second one finds it said, and its rows are there as well."""
    base = lake.snapshot(TIME)
    add_column(monkeypatch, TIME, QUARTER)
    put(lake, base, 1, "2018-11", [1])
    log._known[base.location.uri] = base.state  # as in another process, which saw less
    put(lake, base, 1, "2018-12", [2])
    said = [[next(iter(action)) for action in version] for version in actions(lake, "time")]
    assert ["metaData" in version for version in said] == [True, True, False]
    assert content(lake) == [(11, 1), (12, 2)]
    assert DeltaTable(base.location.uri).to_pyarrow_table()["quarter"].null_count == 2


def test_a_writer_that_dies_before_its_commit_leaves_the_table_as_it_was(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(lake, lake.snapshot(TIME), 1, "2018-11", [1])
    before = lake.snapshot(TIME)
    add_column(monkeypatch, TIME, QUARTER)

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as dying:
        dying.setattr(commit, "write_log", die)
        with pytest.raises(KeyboardInterrupt):
            put(lake, before, 2, "2018-11", [2])
    assert lake.snapshot(TIME).version == before.version
    assert "quarter" not in lake.snapshot(TIME).state.metadata["schemaString"]
    assert lake.snapshot(TIME).read(["day", "quarter"]).to_pylist() == [{"day": 1, "quarter": None}]
    put(lake, before, 2, "2018-11", [2])
    assert lake.snapshot(TIME).state.metadata["schemaString"] == TIME.delta_schema
