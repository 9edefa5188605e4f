"""The IO manager and the definitions, as Dagster uses them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from dagster import AssetKey, DagsterInstance, Definitions, asset, materialize
from pyspark.sql import DataFrame

from sparkify_assets.composition import REFRESH, build_defs
from sparkify_assets.resources.storage import LakeResource
from sparkify_assets.settings import Settings
from sparkify_assets.tables import SONGPLAYS
from sparkify_assets_tests.refresh.world import World, parts_of
from sparkify_assets_tests.zone import event

SNAPSHOT = Path(__file__).with_name("definitions.json")
RANGE = "dagster/asset_partition_range_"


def described(defs: Definitions) -> dict[str, Any]:
    """What a data team sees of the definitions, as plain values."""
    graph = defs.resolve_asset_graph()
    assets = {}
    for key in sorted(graph.get_all_asset_keys()):
        node = graph.get(key)
        assets[key.to_user_string()] = {
            "group": node.group_name,
            "needs": sorted(parent.to_user_string() for parent in node.parent_keys),
            "by_month": node.partitions_def is not None,
            "external": node.is_external,
            "code_version": node.code_version,
            "backfill": str(node.backfill_policy.max_partitions_per_run)
            if node.backfill_policy
            else None,
            "described": bool(node.description),
        }
    return {"assets": assets, "jobs": sorted(job.name for job in defs.resolve_all_job_defs())}


def test_the_definitions_are_those_of_the_snapshot(settings: Callable[..., Settings]) -> None:
    """After a change that is meant: `python -m sparkify_assets_tests.test_io_manager`."""
    assert described(build_defs(settings())) == json.loads(SNAPSHOT.read_text(encoding="utf-8"))


def test_the_months_are_those_of_the_settings(settings: Callable[..., Settings]) -> None:
    graph = build_defs(settings()).resolve_asset_graph()
    months = graph.get(AssetKey("songplays")).partitions_def
    assert months is not None
    assert list(months.get_partition_keys()) == settings().months


def run_job(world: World, selection: list[str] | None = None, **given: Any) -> Any:
    job = build_defs(world.settings()).resolve_job_def(REFRESH)
    keys = [AssetKey(name) for name in selection] if selection else None
    return job.execute_in_process(
        instance=DagsterInstance.ephemeral(), asset_selection=keys, **given
    )


@pytest.mark.engines
def test_one_month_and_a_range_of_months_through_the_job(world: World) -> None:
    for month in ("2018-10", "2018-11", "2019-01"):
        world.zone.logs(f"log_data/{month}-05-events.json", event(f"{month}-05 10:00"))
    world.zone.song()
    assert run_job(world, partition_key="2018-11").success
    assert world.lake.snapshot(SONGPLAYS).partitions == ["2018-11"]
    before = parts_of(world, "songplays", "2018-11")
    result = run_job(world, tags={f"{RANGE}start": "2018-10", f"{RANGE}end": "2019-01"})
    assert world.lake.snapshot(SONGPLAYS).partitions == ["2018-10", "2018-11", "2019-01"]
    assert parts_of(world, "songplays", "2018-11") == before  # up to date: not made again
    made = {
        m.partition: (
            m.metadata["made_again"].value,
            m.metadata["dagster/partition_row_count"].value,
        )
        for m in result.asset_materializations_for_node("songplays")
    }
    assert made == {
        "2018-10": (True, 1),
        "2018-11": (False, 1),
        "2018-12": (True, 0),  # asked for, so made: empty
        "2019-01": (True, 1),
    }


def test_an_empty_month_that_was_asked_for_is_up_to_date_afterwards(world: World) -> None:
    world.zone.logs("log_data/2018-11-05-events.json", event())
    run_job(world, partition_key="2018-12")
    result = run_job(world, partition_key="2018-12")
    found = result.asset_materializations_for_node("songplays")[0]
    assert found.metadata["made_again"].value is False


def test_rebuild_in_the_launchpad_makes_a_month_again(world: World) -> None:
    world.zone.logs("log_data/2018-11-05-events.json", event())
    run_job(world, partition_key="2018-11")
    before = parts_of(world, "songplays", "2018-11")
    config = {"ops": {"songplays": {"config": {"rebuild": True}}}}
    run_job(world, ["songplays"], partition_key="2018-11", run_config=config)
    assert parts_of(world, "songplays", "2018-11") != before


def test_metadata_tell_what_was_read(world: World) -> None:
    world.zone.logs("log_data/2018-11-05-events.json", event())
    world.zone.write("log_data/2018-11-06-events.json", "torn")
    result = run_job(world, partition_key="2018-11")
    found = result.asset_materializations_for_node("raw_logs")[0].metadata
    values = {name: found[name].value for name in ("files_read", "lines", "rows", "rejected")}
    assert values == {"files_read": 2, "lines": 2, "rows": 1, "rejected": 1}


def test_an_asset_of_somebody_else_can_read_a_table(world: World) -> None:
    world.zone.logs("log_data/2018-11-05-events.json", event())
    world.run()
    seen: list[int] = []

    @asset
    def my_report(songplays: DataFrame) -> None:
        seen.append(songplays.count())

    defs = build_defs(world.settings())
    result = materialize(
        [*(defs.assets or []), my_report],  # type: ignore[list-item]
        selection=[my_report],
        resources=defs.resources,
        instance=DagsterInstance.ephemeral(),
    )
    assert result.success
    assert seen == [1]


def test_a_lake_that_is_put_in_place_is_used_by_all(world: World, tmp_path: Path) -> None:
    world.zone.logs("log_data/2018-11-05-events.json", event())
    other = LakeResource(uri=str(tmp_path / "other"))
    job = build_defs(world.settings(), resources={"lake": other}).resolve_job_def(REFRESH)
    job.execute_in_process(instance=DagsterInstance.ephemeral(), partition_key="2018-11")
    assert other.lake().snapshot(SONGPLAYS).rows == 1
    assert not world.lake.exists(SONGPLAYS)


def test_what_is_no_frame_is_refused_by_name(world: World) -> None:
    @asset(name="songs", io_manager_key="io_manager")
    def wrong() -> Any:
        return [1, 2]

    resources = build_defs(world.settings()).resources
    with pytest.raises(TypeError, match="asset songs returned list; expected a Spark DataFrame"):
        materialize([wrong], resources=resources, instance=DagsterInstance.ephemeral())


if __name__ == "__main__":
    from sparkify_assets.settings import load_settings

    found = described(build_defs(load_settings(first_month="2018-10", last_month="2019-03")))
    SNAPSHOT.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
