"""Statements for other tools: as the tool's grammar has them, and where they can be run, run."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest
import sqlglot
from pyspark.sql import SparkSession
from sqlglot import exp

from sparkify_assets.analytics.ddl.script import script, statements
from sparkify_assets.analytics.ddl.target import Target
from sparkify_assets.analytics.ddl.tools import Tool
from sparkify_assets.analytics.export import Wanted, export
from sparkify_assets.analytics.exported import months_of_export
from sparkify_assets.analytics.session import open_session
from sparkify_assets.analytics.views import VIEWS
from sparkify_assets.cli import main
from sparkify_assets.errors import LakeError, UsageError
from sparkify_assets.lake.lake import Lake
from sparkify_assets.lake.release import last_release
from sparkify_assets.storage.location import Location
from sparkify_assets.tables import PUBLIC, SONGPLAYS
from sparkify_assets_tests.analytics.small_lake import make_small_lake
from sparkify_assets_tests.s3.fixtures import new_bucket
from sparkify_assets_tests.s3.proxy import Proxy

BUCKET = Target(Location("s3://acme-lake/sparkify"))
COPY = Target(
    Location("s3://acme-lake/sparkify"),
    export=Location("s3://acme-copy/sparkify"),
    months=("2018-11", "2019-01"),
)
NAMES = [table.name for table in PUBLIC]


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    return make_small_lake(tmp_path_factory.mktemp("ddl"))


@pytest.mark.parametrize("tool", Tool)
def test_every_statement_parses_in_the_tools_own_dialect(tool: Tool) -> None:
    text = script(tool, COPY)
    parsed = [one for one in sqlglot.parse(text, dialect=tool.value) if one is not None]
    assert len(parsed) == len(statements(tool, COPY))
    # What sqlglot has no grammar for it keeps as text.
    unknown = {one.this.upper() for one in parsed if isinstance(one, exp.Command)}
    known = {
        Tool.TRINO: {"CALL"},
        Tool.REDSHIFT: {"CREATE"},  # EXTERNAL SCHEMA
        Tool.DUCKDB: {"LOAD", "CREATE"},  # SECRET
    }
    assert unknown == known.get(tool, set())


@pytest.mark.parametrize("tool", Tool)
def test_a_tool_that_cuts_at_every_semicolon_runs_the_same_statements(tool: Tool) -> None:
    if tool is Tool.DUCKDB:  # its descriptions are values, and may hold one
        parser = duckdb.connect()
        assert len(parser.extract_statements(script(tool, COPY))) == len(statements(tool, COPY))
    else:
        cut = [one for one in script(tool, COPY).split(";") if one.strip()]
        assert len(cut) == len(statements(tool, COPY))


def test_athena_gets_a_location_and_the_table_type_and_nothing_else() -> None:
    database, *tables = statements(Tool.ATHENA, BUCKET)
    assert database == "CREATE DATABASE IF NOT EXISTS `sparkify`"
    assert [_uncommented(one) for one in tables] == [
        f"CREATE EXTERNAL TABLE `sparkify`.`{name}`\n"
        f"LOCATION 's3://acme-lake/sparkify/{name}/'\n"
        "TBLPROPERTIES ('table_type' = 'DELTA')"
        for name in NAMES
    ]


def test_trino_registers_each_table_where_it_lies() -> None:
    target = Target(BUCKET.lake, schema="music", catalog="lake")
    schema, *calls = [_uncommented(one) for one in statements(Tool.TRINO, target)]
    assert schema == 'CREATE SCHEMA IF NOT EXISTS "lake"."music"'
    for call, name in zip(calls, NAMES, strict=True):
        found = re.fullmatch(r'CALL "lake"\.system\.register_table\((.*)\)', call)
        assert found, call
        # The grammar of a procedure's arguments is that of a function's.
        arguments = sqlglot.parse_one(f"SELECT f({found[1]})", dialect="trino").find_all(exp.Kwarg)
        assert {one.this.name: one.expression.name for one in arguments} == {
            "schema_name": "music",
            "table_name": name,
            "table_location": f"s3://acme-lake/sparkify/{name}",
        }


def test_redshift_knows_each_column_once_and_each_month() -> None:
    parsed = sqlglot.parse(script(Tool.REDSHIFT, COPY), dialect="redshift")
    tables = {one.this.this.name: one for one in parsed if isinstance(one, exp.Create)}
    assert list(tables) == NAMES
    for table in PUBLIC:
        partitions = tables[table.name].find(exp.PartitionedByProperty)
        inside = [one.name for one in partitions.find_all(exp.ColumnDef)] if partitions else []
        assert tuple(inside) == table.partition_by
        columns = [one.name for one in tables[table.name].this.expressions]
        assert columns == [name for name in table.names if name not in inside]
    added = [one.sql("redshift") for one in parsed if isinstance(one, exp.Alter)]
    assert [re.findall(r"s3://[^']*", one)[0] for one in added] == [
        f"s3://acme-copy/sparkify/{name}/year={year}/month={month}/"
        for name in ("songplays", "time")
        for year, month in ((2018, 11), (2019, 1))
    ]
    assert all('"year" = 20' in one and '"month" = ' in one for one in added)


def test_what_a_tool_cannot_take_as_a_description_stands_beside_it() -> None:
    for tool in (Tool.ATHENA, Tool.TRINO, Tool.REDSHIFT, Tool.SPARK):
        comments = " ".join(
            line.removeprefix("--").strip()
            for line in script(tool, COPY).splitlines()
            if line.startswith("--")
        )
        for table in PUBLIC:
            assert f"{table.name}: {table.description}".replace(";", " –") in comments, tool
        assert "songplay_id: xxhash64" in comments


@pytest.mark.parametrize("tool", [Tool.ATHENA, Tool.TRINO])
def test_a_lake_in_a_folder_is_refused_where_only_buckets_can_be_read(tool: Tool) -> None:
    with pytest.raises(UsageError, match=r"reads buckets only.*the folder /data/lake.*--lake s3"):
        statements(tool, Target(Location("/data/lake")))


@pytest.mark.parametrize("copy", [None, Location("/data/copy")])
def test_redshift_is_refused_without_a_copy_in_a_bucket(copy: Location | None) -> None:
    with pytest.raises(UsageError, match=r"cannot read the Delta log.*sparkify export s3://"):
        statements(Tool.REDSHIFT, Target(BUCKET.lake, export=copy))


@pytest.mark.parametrize("name", ["", "a b", "1a", "A", 'x"; DROP TABLE y', "é"])
def test_a_name_that_needs_care_in_some_tool_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="--schema: found"):
        Target(BUCKET.lake, schema=name)
    with pytest.raises(UsageError, match="--catalog: found"):
        Target(BUCKET.lake, catalog=name)


def test_duckdb_runs_them_and_sees_what_sql_over_the_release_sees(
    small: Lake, tmp_path: Path
) -> None:
    # The extension is not here: its function reads a copy of the same release.
    copy = Location(str(tmp_path / "copy"))
    export(small, last_release(small), copy)
    stand_in = (
        "CREATE MACRO delta_scan(path) AS TABLE SELECT * FROM read_parquet("
        f"replace(path, '{small.location.uri}', '{copy.uri}') || '/**/*.parquet', "
        "hive_partitioning = true)"
    )
    known = {"INSTALL delta": "SELECT 1", "LOAD delta": stand_in}
    file = tmp_path / "lake.duckdb"
    with duckdb.connect(file) as connection:
        for statement in statements(Tool.DUCKDB, Target(small.location)):
            connection.execute(known.get(statement, statement))
    # Somebody else, later: the views find their tables from anywhere.
    with duckdb.connect(file, read_only=True) as connection, open_session(small) as session:
        connection.execute("SET TimeZone = 'Asia/Tokyo'")  # whatever it is there
        for name in [*NAMES, *(view.name for view in VIEWS)]:
            here = connection.sql(f'SELECT * FROM "sparkify"."{name}" ORDER BY ALL')
            there = session.table(f'SELECT * FROM "{name}" ORDER BY ALL')
            assert here.columns == there.column_names
            assert here.to_arrow_table().to_pylist() == there.to_pylist()
            assert there.num_rows, name
        comments = connection.execute(
            "SELECT comment FROM duckdb_columns() WHERE schema_name = 'sparkify' "
            "AND table_name = 'songplays'"
        ).fetchall()
    assert [comment for (comment,) in comments] == [one.description for one in SONGPLAYS.columns]


def test_duckdb_is_given_credentials_for_a_bucket_only() -> None:
    access = "CREATE OR REPLACE SECRET sparkify (TYPE s3, PROVIDER credential_chain)"
    assert access in statements(Tool.DUCKDB, BUCKET)
    assert access not in statements(Tool.DUCKDB, Target(Location("/data/lake")))
    assert "delta_scan('s3://acme-lake/sparkify/users')" in script(Tool.DUCKDB, BUCKET)
    assert "delta_scan('file:///it''s/users')" in script(Tool.DUCKDB, Target(Location("/it's")))


def test_spark_runs_them_and_reads_the_same_rows(
    small: Lake, spark: SparkSession, tmp_path: Path
) -> None:
    schema = f"tables_{tmp_path.name.replace('-', '_').lower()}"
    for statement in statements(Tool.SPARK, Target(small.location, schema=schema)):
        spark.sql(statement).collect()
    for table in PUBLIC:
        found = spark.sql(f"SELECT * FROM `{schema}`.`{table.name}`")
        assert found.columns == table.names
        rows = [row.asDict() for row in found.drop("start_time").collect()]
        expected = small.snapshot(table).read().to_pylist()
        for row in expected:
            row.pop("start_time", None)
        assert sorted(rows, key=str) == sorted(expected, key=str)


def test_spark_gets_a_bucket_by_the_name_that_hadoop_has_for_it() -> None:
    assert "LOCATION 's3a://acme-lake/sparkify/users'" in script(Tool.SPARK, BUCKET)


def test_the_command_prints_them_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["ddl", "athena", "--lake", "s3://acme-lake/sparkify", "--schema", "music"]
    monkeypatch.setattr(sys, "argv", ["sparkify", *arguments])
    main_to_end(main)
    target = Target(BUCKET.lake, schema="music")
    assert capsys.readouterr().out == f"{script(Tool.ATHENA, target)}\n"


def test_redshifts_months_are_those_of_the_copy(
    small: Lake,
    on_moto: Proxy,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    to = Location(f"s3://{new_bucket(on_moto)}/copy")
    arguments = ["ddl", "redshift", "--lake", small.location.uri, "--export", f"{to.uri}/"]
    monkeypatch.setattr(sys, "argv", ["sparkify", *arguments])
    with pytest.raises(SystemExit):
        main()
    assert f"{to.uri} holds no copy of a release" in capsys.readouterr().err.replace("\n", "")
    export(small, last_release(small), to)
    main_to_end(main)
    out = capsys.readouterr().out
    assert out.count("ADD IF NOT EXISTS PARTITION") == 4
    assert f"LOCATION '{to.uri}/songplays/year=2018/month=12/'" in out


def test_a_copy_without_folders_is_refused_for_redshift(small: Lake, tmp_path: Path) -> None:
    to = Location(str(tmp_path / "copy"), "--export")
    export(small, last_release(small), to, Wanted(flat=True))
    with pytest.raises(LakeError, match=r"no folders for months.*without --flat"):
        months_of_export(to)


def main_to_end(command: Callable[[], None]) -> None:
    """Typer leaves by SystemExit, also after what went well."""
    with pytest.raises(SystemExit) as end:
        command()
    assert not end.value.code


def _uncommented(statement: str) -> str:
    return "\n".join(line for line in statement.splitlines() if not line.startswith("--"))
