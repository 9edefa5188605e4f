"""The asset `release`: the point from which analysts see what a run made, all tables at once."""

from dagster import (
    AssetExecutionContext,
    AssetsDefinition,
    MaterializeResult,
    asset,
)

from sparkify_assets.assets.common import Common
from sparkify_assets.lake.release import RELEASES
from sparkify_assets.metadata.markdown import table as markdown_table
from sparkify_assets.refresh.answers import RELEASE
from sparkify_assets.refresh.failures import explained
from sparkify_assets.refresh.publish import publish
from sparkify_assets.resources.storage import LakeResource, LandingResource
from sparkify_assets.storage.location import Location
from sparkify_assets.tables import PUBLIC

_DESCRIPTION = """The versions of all tables that belong together. `sparkify query`, `sparkify sql`,
`sparkify ask` and the report read the newest release, so they see all tables before a run or after
it, and nothing between.

- **Recorded:** when nothing is out of date any more that can be made
- **Pending months:** could not be made anew; their plays are those from before
- **Kept:** as long as it is the newest, and `SPARKIFY_GRACE_HOURS` afterwards"""


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
        with explained(context.log, context.run.tags):
            done = publish(lake.lake(), landing.months())
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
