"""The declarations: what the tables promise."""

from __future__ import annotations

import pytest
from deltalake import Schema

from sparkify_assets.tables import BUILT, PUBLIC, TABLES, Table

PROMISED = {
    "songplays": "songplay_id start_time user_id level song_id artist_id session_id location "
    "user_agent month year song artist length",
    "users": "user_id first_name last_name gender level",
    "songs": "song_id title artist_id year duration",
    "artists": "artist_id name location latitude longitude",
    "time": "start_time hour day week month year weekday",
}


@pytest.mark.parametrize("table", PUBLIC, ids=lambda t: t.name)
def test_public_tables_have_the_promised_columns_in_order(table: Table) -> None:
    assert " ".join(table.names) == PROMISED[table.name]


@pytest.mark.parametrize("table", TABLES.values(), ids=lambda t: t.name)
def test_every_column_is_described_and_every_key_exists(table: Table) -> None:
    assert all(len(column.description) > 2 for column in table.columns)
    assert len(table.description) > 20
    assert set(table.key) <= set(table.names)
    assert set(table.partition_by) <= set(table.required)


@pytest.mark.parametrize("table", TABLES.values(), ids=lambda t: t.name)
def test_spark_and_delta_schemas_follow_the_declaration(table: Table) -> None:
    assert table.spark_schema().names == table.names
    delta = Schema.from_json(table.delta_schema)
    assert [field.name for field in delta.fields] == table.names
    assert [f.name for f in delta.fields if not f.nullable] == table.required


def test_tables_are_built_after_what_they_read() -> None:
    made = {"raw_logs", "raw_songs"}
    for table in BUILT:
        assert set(table.reads) <= made, table.name
        made.add(table.name)


def test_the_columns_that_are_used_are_there() -> None:
    for table in BUILT:
        for name, columns in table.uses.items():
            assert name in table.reads, table.name
            assert set(columns) <= set(TABLES[name].names), table.name


def test_the_key_of_a_partition() -> None:
    assert TABLES["songplays"].partition_key({"year": "2018", "month": 3}) == "2018-03"
    assert TABLES["landed_files"].partition_key({"scope": "songs"}) == "songs"
    assert TABLES["users"].partition_key({}) == "all"
