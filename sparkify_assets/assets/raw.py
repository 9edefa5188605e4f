"""raw_logs and raw_songs: landing files taken in, line by line. The work is in `ingest`."""

import time
from collections.abc import Iterator, Sequence
from typing import Any, cast

from dagster import AssetExecutionContext, AssetsDefinition, MetadataValue, Nothing, Output, asset

from sparkify_assets.assets.common import Common
from sparkify_assets.checks.raw import raw_findings
from sparkify_assets.checks.results import errors, evaluation, nothing_more
from sparkify_assets.checks.specs import LINES_ACCOUNTED, OF_RAW_LOGS, OF_RAW_SONGS, specs
from sparkify_assets.ingest.ingest import Ingested, ingest
from sparkify_assets.ingest.landing import LOGS, SONG_SCOPE, SONGS
from sparkify_assets.ingest.ledger import Ledger, read_ledger
from sparkify_assets.ingest.plan import READER_VERSION
from sparkify_assets.ingest.taken_in import TakenIn
from sparkify_assets.io_managers.s3_parquet import REBUILD
from sparkify_assets.lake.lake import Lake
from sparkify_assets.metadata import markdown
from sparkify_assets.metadata.found import request_numbers
from sparkify_assets.refresh.audit import Finding
from sparkify_assets.refresh.failures import explained, refused
from sparkify_assets.resources.spark import SparkResource
from sparkify_assets.resources.storage import LakeResource, LandingResource
from sparkify_assets.storage.requests import REQUESTS
from sparkify_assets.tables import LANDED_FILES, RAW_LOGS, RAW_SONGS, WHOLE_TABLE, Table

# Metadata of a materialization: files that could not be read, with the reason of each.
UNREADABLE = "unreadable"
# So often a failed account is looked at anew.
_LOOKS = 3
_KINDS = {"json", "deltalake", "parquet"}


def raw_assets(common: Common, rejected_share: float, preview_rows: int) -> list[AssetsDefinition]:
    """The two assets that read the landing zone.

    Args:
        rejected_share: of lines, above which a check warns, 0 to 1.
        preview_rows: of each kind, shown in the metadata.
    """

    @asset(
        **common.of(RAW_LOGS, "raw", _KINDS),
        deps=[LOGS],
        code_version=str(READER_VERSION),
        dagster_type=Nothing,  # ingest writes, not the IO manager
        check_specs=specs(RAW_LOGS, OF_RAW_LOGS, common.months),
        freshness_policy=common.freshness(),
    )
    def raw_logs(
        context: AssetExecutionContext,
        landing: LandingResource,
        lake: LakeResource,
        spark: SparkResource,
    ) -> Iterator[Any]:
        taking = _TakingIn(context, landing, lake, spark, rejected_share, preview_rows)
        months = list(context.partition_keys)
        with explained(context.log, context.run.tags):
            taking.take_in(months)
            found = {month: taking.found(month) for month in months}
            checked = {month: taking.checks(month) for month in months}
        for month, metadata in found.items():
            context.add_asset_metadata(metadata, partition_key=month)
        yield Output(None)
        yield from _told(RAW_LOGS, checked, OF_RAW_LOGS)

    @asset(
        **common.of(RAW_SONGS, "raw", _KINDS),
        deps=[SONGS],
        code_version=str(READER_VERSION),
        dagster_type=Nothing,
        check_specs=specs(RAW_SONGS, OF_RAW_SONGS, None),
    )
    def raw_songs(
        context: AssetExecutionContext,
        landing: LandingResource,
        lake: LakeResource,
        spark: SparkResource,
    ) -> Iterator[Any]:
        taking = _TakingIn(context, landing, lake, spark, rejected_share, preview_rows)
        with explained(context.log, context.run.tags):
            taking.take_in([SONG_SCOPE])
            found = taking.found(SONG_SCOPE)
            checked = {WHOLE_TABLE: taking.checks(SONG_SCOPE)}
        yield Output(None, metadata=found)
        yield from _told(RAW_SONGS, checked, OF_RAW_SONGS)

    return [cast("AssetsDefinition", raw_logs), cast("AssetsDefinition", raw_songs)]


class _TakingIn:
    """One step: files taken in, and what is told about it."""

    def __init__(
        self,
        context: AssetExecutionContext,
        landing: LandingResource,
        lake: LakeResource,
        spark: SparkResource,
        rejected_share: float,
        preview_rows: int,
    ) -> None:
        self._context = context
        self._landing = landing
        self._resource = lake
        self._spark = spark
        self._rejected_share = rejected_share
        self._preview_rows = preview_rows
        self._before = REQUESTS.made()
        self._began = time.monotonic()
        self._done = Ingested()

    def take_in(self, scopes: Sequence[str]) -> None:
        """Read what is new or changed of these scopes, and commit the ledger."""
        log, context = self._context.log, self._context
        rules = self._landing.rules(rebuild=bool(context.op_execution_context.op_config[REBUILD]))
        done = self._done = ingest(
            self._resource.lake(),
            self._landing.landing(),
            lambda: self._spark.session,
            scopes,
            rules,
        )
        for key in done.changed:
            log.warning(f"{key} changed while it was read; the next run takes it in")
        for files in done.unreadable.values():
            for key, reason in files.items():
                log.error(f"{key} cannot be read: {reason}; every run will try again")
        if done.removed:
            log.warning(f"{len(done.removed)} files are gone; their rows count no longer")
        if done.accounts or done.removed:
            self._resource.tidy_now_and_then(self._lake.last_seen(LANDED_FILES))
        self._ledger: Ledger = read_ledger(self._lake)
        if made := REQUESTS.since(self._before):
            log.info(f"requests to S3: {made}")
        totals = TakenIn.of(account for found in done.accounts.values() for account in found)
        log.info(
            f"{totals.files:,} files read, {totals.lines:,} lines, "
            f"{totals.rejected:,} rejected, {totals.repaired:,} repaired"
        )

    @property
    def _lake(self) -> Lake:
        return Lake.at(self._resource.uri)

    def found(self, scope: str) -> dict[str, Any]:
        """The metadata of one scope: what this run read, and what is in by now."""
        done, account = self._done, self._ledger.account(scope)
        unreadable = done.unreadable.get(scope, {})
        read = TakenIn.of(done.accounts.get(scope, []))
        count = "dagster/row_count" if scope == SONG_SCOPE else "dagster/partition_row_count"
        found: dict[str, Any] = {
            "files_read": read.files,
            "lines": read.lines,
            "rows": read.rows,
            "rejected": read.rejected,
            "repaired": read.repaired,
            count: account.rows,
            "landed_files": account.files,
            "landed_bytes": account.bytes,
            "landed_lines": account.lines,
            "landed_rejected": account.rejected,
            "ledger_version": self._ledger.snapshot.version,
            "step_seconds": round(time.monotonic() - self._began, 3),
            **request_numbers(REQUESTS.since(self._before)),
            **({UNREADABLE: MetadataValue.json(unreadable)} if unreadable else {}),
        }
        for name, notes in (("preview", done.previews), ("rejected_lines", done.rejected_previews)):
            if self._preview_rows and (rows := notes.get(scope)):
                found[name] = markdown.table(rows[: self._preview_rows])
        return found

    def checks(self, scope: str) -> list[Finding]:
        """The findings about one scope."""
        for _ in range(_LOOKS):
            found = raw_findings(
                self._lake,
                self._ledger,
                scope,
                self._landing.months(),
                self._rejected_share,
                show_lines=bool(self._preview_rows),
            )
            if all(one.passed for one in found if one.check == LINES_ACCOUNTED):
                break
            # Another run, or maintenance, may have put rows into batches not seen here yet.
            self._lake.look()
            self._ledger = read_ledger(self._lake)
        return found


def _told(table: Table, found: dict[str, list[Finding]], names: Sequence[str]) -> Iterator[Any]:
    """The results of the checks, by partition.

    Raises:
        Failure: one failed that stops what comes after.
    """
    for key, findings in found.items():
        for finding in findings:
            yield evaluation(table.name, key, finding)
    yield from nothing_more(table.name, names)
    if failed := errors(found):
        raise refused(table.name, failed, made=0)
