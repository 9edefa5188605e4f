"""Runs that fail, of every kind, with what Dagster keeps of them."""

from collections.abc import Callable, Mapping
from typing import Any

from dagster import (
    AssetCheckResult,
    AssetCheckSeverity,
    AssetCheckSpec,
    AssetsDefinition,
    ConfigurableResource,
    DagsterInstance,
    DagsterRun,
    Definitions,
    InitResourceContext,
    JobDefinition,
    MaterializeResult,
    MonthlyPartitionsDefinition,
    asset,
    define_asset_job,
    in_process_executor,
)

from sparkify_assets.errors import EngineError
from sparkify_assets.refresh.run_tags import LAKE_TAG

MONTHS = MonthlyPartitionsDefinition("2018-11", end_date="2019-03", fmt="%Y-%m")
JOB = "refresh"
LAKE = "/lake"
NOVEMBER = {"dagster/partition": "2018-11"}
UNIQUE = "songplay_id_is_unique"


class NoEngine(ConfigurableResource[Any]):
    """A resource that cannot start."""

    def setup_for_execution(self, context: InitResourceContext) -> None:  # noqa: ARG002
        raise EngineError("Apache Spark needs Java 17 or newer. Install it")


def failing(name: str, error: Callable[[], Any], *, by_month: bool = True) -> AssetsDefinition:
    """An asset that does what fails."""

    @asset(name=name, partitions_def=MONTHS if by_month else None)
    def fails() -> None:
        error()

    return fails


def needing_an_engine() -> AssetsDefinition:
    """An asset whose resource cannot start."""

    @asset(name="songplays", partitions_def=MONTHS)
    def songplays(engine: NoEngine) -> None:
        raise AssertionError("never begun")

    return songplays


def checked(severity: AssetCheckSeverity, *, blocking: bool) -> AssetsDefinition:
    """An asset with a check that does not pass, in two months."""
    spec = AssetCheckSpec(UNIQUE, asset="songplays", blocking=blocking)

    @asset(name="songplays", partitions_def=MONTHS, check_specs=[spec])
    def songplays() -> MaterializeResult:  # type: ignore[type-arg]  # Dagster wants it so
        result = AssetCheckResult(
            passed=False, severity=severity, description="3 ids occur twice", check_name=UNIQUE
        )
        return MaterializeResult(check_results=[result])

    return songplays


def job_of(*assets: AssetsDefinition, name: str = JOB) -> JobDefinition:
    """A job over these assets."""
    own = [] if name == "__ASSET_JOB" else [define_asset_job(name, "*", tags={LAKE_TAG: LAKE})]
    return Definitions(
        assets=list(assets),
        jobs=own,
        resources={"engine": NoEngine()},
        executor=in_process_executor,
    ).resolve_job_def(name)


def run(
    instance: DagsterInstance, *assets: AssetsDefinition, tags: Mapping[str, str] = NOVEMBER
) -> DagsterRun:
    """A run of these assets; it as Dagster keeps it."""
    done = job_of(*assets).execute_in_process(
        instance=instance,
        raise_on_error=False,
        tags=dict(tags),
        partition_key=tags.get("dagster/partition"),
    )
    kept = instance.get_run_by_id(done.run_id)
    assert kept is not None
    return kept
