"""The asset `release`: the point from which analysts see what a run made, all tables at once."""

from collections.abc import Callable, Collection

from dagster import (
    AssetExecutionContext,
    AssetsDefinition,
    DagsterInstance,
    DagsterRun,
    DagsterRunStatus,
    MaterializeResult,
    RunsFilter,
    asset,
)

from sparkify_assets.assets.common import Common
from sparkify_assets.lake.release import RELEASES
from sparkify_assets.metadata.markdown import table as markdown_table
from sparkify_assets.refresh.answers import RELEASE
from sparkify_assets.refresh.failures import explained
from sparkify_assets.refresh.publish import publish
from sparkify_assets.refresh.run_tags import LAKE_TAG, months_of
from sparkify_assets.resources.storage import LakeResource, LandingResource
from sparkify_assets.storage.location import Location
from sparkify_assets.tables import PUBLIC

_DESCRIPTION = """The versions of all tables that belong together. `sparkify query`, `sparkify sql`,
`sparkify ask` and the report read the newest release, so they see all tables before a run or after
it, and nothing between.

- **Recorded:** when nothing is out of date any more
- **Pending months:** could not be made anew; their plays are those from before
- **Kept:** as long as it is the newest, and `SPARKIFY_GRACE_HOURS` afterwards"""
_ENDED = [DagsterRunStatus.SUCCESS, DagsterRunStatus.FAILURE, DagsterRunStatus.CANCELED]
_LOOKED_AT = 200  # the last runs that ended
# A run that only waits makes what is out of date as well: a tick of the sensor asks for several.
_AT_WORK = [
    DagsterRunStatus.QUEUED,
    DagsterRunStatus.NOT_STARTED,
    DagsterRunStatus.STARTING,
    DagsterRunStatus.STARTED,
    DagsterRunStatus.CANCELING,
]


def release_asset(common: Common) -> AssetsDefinition:
    """Downstream of the five tables; without months, as it speaks of all of them."""

    @asset(
        name=RELEASE,
        deps=[table.name for table in PUBLIC],
        description=_DESCRIPTION,
        group_name="answers",
        owners=list(common.owners),
        kinds={"deltalake"},
        tags={"sparkify/layer": "answers", "sparkify/personal_data": "no"},
        metadata={"dagster/uri": Location(common.lake.rstrip("/")).join(RELEASES).uri},
    )
    def release(
        context: AssetExecutionContext, lake: LakeResource, landing: LandingResource
    ) -> MaterializeResult[None]:
        failed = given_up(context.instance, lake.uri, context.run.run_id)
        with explained(context.log, context.run.tags):
            done = publish(lake.lake(), landing.months(), failed)
        if done.why_not:
            context.log.warning(f"no release was recorded: {done.why_not}")
        if done.release is None:
            return MaterializeResult(metadata={"recorded": False, "why_not": done.why_not})
        versions = [{"table": n, "Delta version": v} for n, v in done.release.versions.items()]
        return MaterializeResult(
            metadata={
                "release": done.release.number,
                "recorded": done.recorded,
                "recorded_at": f"{done.release.time:%Y-%m-%d %H:%M:%S} UTC",
                "pending_months": ", ".join(done.release.pending) or "none",
                "versions": markdown_table(versions),
                **({"why_not": done.why_not} if done.why_not else {}),
            },
        )

    return release


def given_up(
    instance: DagsterInstance, lake: str, run_id: str = "", more: Collection[str] = ()
) -> Callable[[], set[str]]:
    """Months of a lake that the last run for them failed to make; none while others are at work.

    Args:
        run_id: the run that asks.
        more: further months that were tried in vain.
    """

    def ask() -> set[str]:
        if _others_at_work(instance, lake, run_id):
            return set()
        last = dict.fromkeys(more, DagsterRunStatus.FAILURE)
        for run in instance.get_runs(RunsFilter(statuses=_ENDED), limit=_LOOKED_AT):
            if _is_of(run, lake):
                last = dict.fromkeys(months_of(run.tags), run.status) | last  # the newest first
        return {month for month, status in last.items() if status is DagsterRunStatus.FAILURE}

    return ask


def _others_at_work(instance: DagsterInstance, lake: str, run_id: str) -> bool:
    """Whether other runs of the instance make tables of this lake, or wait for their turn."""
    runs = instance.get_runs(RunsFilter(statuses=_AT_WORK))
    return any(run.run_id != run_id and _is_of(run, lake) for run in runs)


def _is_of(run: DagsterRun, lake: str) -> bool:
    # A run from the button *Materialize* bears no tag of a lake.
    return run.tags.get(LAKE_TAG, lake) == lake
