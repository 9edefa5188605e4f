"""raw_logs and raw_songs: landing files taken in, line by line. The work is in `ingest`."""

from collections.abc import Iterable
from typing import Any

from dagster import (
    AssetExecutionContext,
    AssetsDefinition,
    MaterializeResult,
    MetadataValue,
    PartitionsDefinition,
    asset,
)

from sparkify_assets.assets.common import ONE_RUN, REBUILD_CONFIG
from sparkify_assets.ingest.ingest import Ingested, ingest
from sparkify_assets.ingest.landing import LOGS, SONG_SCOPE, SONGS
from sparkify_assets.ingest.plan import READER_VERSION
from sparkify_assets.ingest.task import Account
from sparkify_assets.io_managers.s3_parquet import REBUILD
from sparkify_assets.lake.lake import Lake
from sparkify_assets.resources.spark import SparkResource
from sparkify_assets.resources.storage import LakeResource, LandingResource
from sparkify_assets.storage.requests import REQUESTS
from sparkify_assets.tables import LANDED_FILES, RAW_LOGS, RAW_SONGS

# Metadata of a materialization: files that could not be read, with the reason of each.
UNREADABLE = "unreadable"


def raw_assets(months: PartitionsDefinition[str]) -> list[AssetsDefinition]:
    """The two assets that read the landing zone."""

    @asset(
        name=RAW_LOGS.name,
        description=RAW_LOGS.description,
        group_name="raw",
        deps=[LOGS],
        partitions_def=months,
        backfill_policy=ONE_RUN,
        code_version=str(READER_VERSION),
        config_schema=REBUILD_CONFIG,
    )
    def raw_logs(
        context: AssetExecutionContext,
        landing: LandingResource,
        lake: LakeResource,
        spark: SparkResource,
    ) -> MaterializeResult[None]:
        wanted = list(context.partition_keys)
        done = _take_in(context, landing, lake, spark, wanted)
        for month in wanted:
            context.add_asset_metadata(_found(done, month), partition_key=month)
        return MaterializeResult()

    @asset(
        name=RAW_SONGS.name,
        description=RAW_SONGS.description,
        group_name="raw",
        deps=[SONGS],
        code_version=str(READER_VERSION),
        config_schema=REBUILD_CONFIG,
    )
    def raw_songs(
        context: AssetExecutionContext,
        landing: LandingResource,
        lake: LakeResource,
        spark: SparkResource,
    ) -> MaterializeResult[None]:
        done = _take_in(context, landing, lake, spark, [SONG_SCOPE])
        return MaterializeResult(metadata=_found(done, SONG_SCOPE))

    return [raw_logs, raw_songs]


def _take_in(
    context: AssetExecutionContext,
    landing: LandingResource,
    lake: LakeResource,
    spark: SparkResource,
    wanted: list[str],
) -> Ingested:
    rebuild = bool(context.op_execution_context.op_config[REBUILD])
    rules = landing.rules(rebuild=rebuild)
    before = REQUESTS.made()
    done = ingest(lake.lake(), landing.landing(), lambda: spark.session, wanted, rules)
    for key in done.changed:
        context.log.warning(f"{key} changed while it was read; the next run takes it in")
    for files in done.unreadable.values():
        for key, reason in files.items():
            context.log.error(f"{key} cannot be read: {reason}; every run will try again")
    if done.removed:
        context.log.warning(f"{len(done.removed)} files are gone; their rows count no longer")
    if done.accounts or done.removed:
        lake.tidy_now_and_then(Lake.at(lake.uri).last_seen(LANDED_FILES))
    if made := REQUESTS.since(before):
        context.log.info(f"requests to S3: {made}")
    accounts = [account for found in done.accounts.values() for account in found]
    totals = _totals(accounts)
    context.log.info(
        f"{totals['files_read']:,} files read, {totals['lines']:,} lines, "
        f"{totals['rejected']:,} rejected, {totals['repaired']:,} repaired"
    )
    return done


def _found(done: Ingested, scope: str) -> dict[str, Any]:
    unreadable = done.unreadable.get(scope, {})
    return {
        **_totals(done.accounts.get(scope, [])),
        **({UNREADABLE: MetadataValue.json(unreadable)} if unreadable else {}),
    }


def _totals(accounts: Iterable[Account]) -> dict[str, Any]:
    found = list(accounts)
    return {
        "files_read": len(found),
        "lines": sum(account.lines for account in found),
        "rows": sum(account.rows for account in found),
        "rejected": sum(account.rejected for account in found),
        "repaired": sum(account.repaired for account in found),
    }
