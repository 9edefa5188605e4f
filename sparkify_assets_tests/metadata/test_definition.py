"""What is known of every asset before any run: nothing is left undescribed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from dagster import AssetKey, TableSchema

from sparkify_assets.composition import build_defs
from sparkify_assets.ingest.landing import LOGS, SONGS
from sparkify_assets.settings import Settings
from sparkify_assets.tables import BUILT, RAW_LOGS, RAW_SONGS, TABLES

MATERIALIZED = (RAW_LOGS, RAW_SONGS, *BUILT)


@pytest.fixture
def graph(settings: Callable[..., Settings]) -> Any:
    return build_defs(settings()).resolve_asset_graph()


def test_every_asset_has_description_owner_kinds_group_and_tags(graph: Any) -> None:
    keys = graph.get_all_asset_keys()
    # The landing zone has two, and two are made of the tables: the release and the report.
    assert len(keys) == len(MATERIALIZED) + 4 == 15
    for key in keys:
        node = graph.get(key)
        assert len(node.description or "") > 100, key
        assert "- **" in (node.description or ""), key
        assert node.owners == ["team:data-platform"], key
        assert node.kinds, key
        assert node.group_name in {"landing", "raw", "derived", "tables", "answers"}, key
        assert node.tags["sparkify/layer"] == node.group_name, key
        assert node.tags["sparkify/personal_data"] in {"yes", "no"}, key
        assert node.metadata["dagster/uri"], key


def test_every_column_has_a_description_a_type_and_its_constraints(graph: Any) -> None:
    columns = 0
    for table in MATERIALIZED:
        metadata = graph.get(AssetKey(table.name)).metadata
        schema = metadata["dagster/column_schema"]
        assert isinstance(schema, TableSchema)
        assert [column.name for column in schema.columns] == table.names
        for column, declared in zip(schema.columns, table.columns, strict=True):
            assert column.description == declared.description
            assert len(column.description or "") >= 4, f"{table.name}.{column.name}"
            assert column.type
            assert column.constraints.nullable == declared.nullable
            columns += 1
        assert metadata["dagster/table_name"] == table.name
        assert metadata["dagster/storage_kind"] == "folder"
    assert columns == sum(len(table.columns) for table in MATERIALIZED) == 101


def test_keys_references_and_partitions_are_told_as_constraints(graph: Any) -> None:
    schema = graph.get(AssetKey("songplays")).metadata["dagster/column_schema"]
    found = {column.name: column.constraints for column in schema.columns}
    assert found["songplay_id"].unique
    assert found["user_id"].other == ["refers to users.user_id"]
    assert found["month"].other == ["partition column"]
    assert schema.constraints.other == ["unique: songplay_id"]
    heard = graph.get(AssetKey("heard_songs")).metadata["dagster/column_schema"]
    assert "part of the key" in heard.columns[0].constraints.other


def test_what_columns_refer_to_exists() -> None:
    for table in TABLES.values():
        for column in table.columns:
            if column.refers_to:
                name, _, referred = column.refers_to.partition(".")
                assert TABLES[name].key == (referred,)


def test_code_versions_are_those_of_the_declarations(graph: Any) -> None:
    for table in BUILT:
        assert graph.get(AssetKey(table.name)).code_version == str(table.code_version)


def test_places_owners_and_freshness_follow_the_settings(
    settings: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    given = settings(
        landing="s3://land/in", lake="s3://lake/out", owners="team:ops, a@b.org", fresh_hours=24
    )
    graph = build_defs(given).resolve_asset_graph()
    plays, logs = graph.get(AssetKey("songplays")), graph.get(AssetKey(LOGS))
    assert plays.owners == logs.owners == ["team:ops", "a@b.org"]
    assert plays.metadata["dagster/uri"] == "s3://lake/out/songplays"
    assert plays.metadata["dagster/storage_kind"] == "s3"
    assert logs.metadata["dagster/uri"] == "s3://land/in/log_data"
    assert plays.freshness_policy is not None
    assert graph.get(AssetKey("songs")).freshness_policy is None
    assert graph.get(AssetKey(SONGS)).is_external
