"""The job `maintenance` and its daily schedule: upkeep of the lake, without a Spark session."""

from collections.abc import Mapping
from typing import Any

from dagster import (
    DefaultScheduleStatus,
    Failure,
    Field,
    JobDefinition,
    MetadataValue,
    Nothing,
    OpExecutionContext,
    Out,
    ScheduleDefinition,
    job,
    op,
)

from sparkify_assets.lake.lake import Lake
from sparkify_assets.maintenance.maintain import maintain
from sparkify_assets.maintenance.report import Maintained
from sparkify_assets.metadata.found import request_numbers
from sparkify_assets.refresh.failures import explained
from sparkify_assets.refresh.steps import Step
from sparkify_assets.resources.storage import LakeResource, LandingResource
from sparkify_assets.storage.requests import REQUESTS

JOB = "maintenance"
OP = "maintain"
SCHEDULE = "maintenance_daily"
DRY_RUN = "dry_run"
# What the UI shows as numbers, summed over all tables; by table they stand in `tables`.
_TOTALS = (
    "files_before",
    "files_after",
    "bytes_before",
    "bytes_after",
    "batches_compacted",
    "dead_files",
    "dead_rows",
    "replaced",
    "left_over",
    "removed_bytes",
)


def maintenance_job(tags: Mapping[str, str]) -> JobDefinition:
    """The job; `tags` are put on its runs."""

    @op(
        name=OP,
        out=Out(Nothing),
        config_schema={
            DRY_RUN: Field(
                bool, default_value=False, description="Tell what would be done; change nothing."
            )
        },
        description="Puts small raw parts together, removes raw rows that no longer count, writes "
        "checkpoints, removes files that nobody can need any more. No row of any table changes.",
    )
    def maintain_lake(
        context: OpExecutionContext, lake: LakeResource, landing: LandingResource
    ) -> None:
        def watch(step: Step) -> None:
            took = f" ({step.seconds:.1f} s)" if step.state == "done" else ""
            context.log.info(f"{step.name}: {step.state}{took}")

        before = REQUESTS.made()
        dry_run = bool(context.op_config[DRY_RUN])
        with explained(context.log, context.run.tags):
            report = maintain(
                Lake.at(lake.uri),
                lake.grace_hours,
                landing.months(),
                dry_run=dry_run,
                watch=watch,
            )
        metadata = _metadata(report, REQUESTS.since(before))
        if report.not_released:
            context.log.info(f"no release was recorded: {report.not_released}")
        for scope, reason in report.postponed.items():
            context.log.warning(f"{scope} was left for the next time: {reason}")
        if report.failed:
            told = "; ".join(f"{scope}: {reason}" for scope, reason in report.failed.items())
            raise Failure(
                f"left as they are: {told}. Everything else was done",
                metadata=metadata,
                allow_retries=False,
            )
        context.add_output_metadata(metadata)

    @job(
        name=JOB,
        description="Upkeep of the lake: what many small runs left behind becomes little again. "
        "Changes no row; may run beside everything else.",
        tags=dict(tags),
    )
    def maintenance() -> None:
        maintain_lake()

    return maintenance


def maintenance_daily(upkeep: JobDefinition) -> ScheduleDefinition:
    """The schedule: each night at 03:00 UTC, once it is turned on."""
    return ScheduleDefinition(
        name=SCHEDULE,
        job=upkeep,
        cron_schedule="0 3 * * *",
        execution_timezone="UTC",
        default_status=DefaultScheduleStatus.STOPPED,
        description="Upkeep of the lake, each night at 03:00 UTC.",
    )


def _metadata(report: Maintained, requests: dict[str, int]) -> dict[str, Any]:
    touched = {name: vars(one) for name, one in report.tables.items() if one.anything}
    return {
        "dry_run": report.dry_run,
        **{name: report.total(name) for name in _TOTALS},
        "checkpoints": report.total("checkpoint"),
        "seconds": report.seconds,
        "tables": MetadataValue.json(touched),
        **({"postponed": MetadataValue.json(report.postponed)} if report.postponed else {}),
        **({"failed": MetadataValue.json(report.failed)} if report.failed else {}),
        **request_numbers(requests),
    }
