"""The sensor `alerts`: tells a webhook of each run that failed.

It is there where `SPARKIFY_ALERT_URL` is set, and then on by itself. Runs of the command line are
told as well, as soon as Dagster's daemon looks at the instance that they share.
"""

from dagster import (
    DagsterRun,
    DefaultSensorStatus,
    RunFailureSensorContext,
    SensorDefinition,
    SkipReason,
    run_failure_sensor,
)

from sparkify_assets.alerts.message import alert_of, message
from sparkify_assets.alerts.send import send
from sparkify_assets.refresh.reasons import EVENTS, reasons
from sparkify_assets.refresh.run_tags import LAKE_TAG
from sparkify_assets.settings import Settings

ALERTS = "alerts"
_SECONDS = 10


def alert_sensors(settings: Settings) -> list[SensorDefinition]:
    """The sensor, where somebody is to be told."""
    url = settings.alert_url
    if url is None:
        return []

    @run_failure_sensor(
        name=ALERTS,
        monitor_all_code_locations=True,  # runs of the command line belong to none
        minimum_interval_seconds=_SECONDS,
        default_status=DefaultSensorStatus.RUNNING,
        description="Posts a message for each run that failed to SPARKIFY_ALERT_URL: its steps and "
        "blocking checks, with months, reasons and links.",
    )
    def alerts(context: RunFailureSensorContext) -> SkipReason | None:
        run = context.dagster_run
        if not _is_ours(run, settings.lake, context):
            return SkipReason(f"Run {run.run_id} is not of this lake.")
        records = context.instance.get_records_for_run(run.run_id, of_type=EVENTS).records
        events = [record.event_log_entry.dagster_event for record in records]
        alert = alert_of(
            run.job_name,
            run.run_id,
            run.tags,
            reasons(run.tags, [event for event in events if event is not None]),
            ui=settings.ui_url,
            lake=settings.lake,
        )
        send(url, message(alert, settings.alert_form))
        return None

    return [alerts]


def _is_ours(run: DagsterRun, lake: str, context: RunFailureSensorContext) -> bool:
    if LAKE_TAG in run.tags:
        return run.tags[LAKE_TAG] == lake
    # A run of *Materialize* on an asset's page has no tags of a job.
    repository = context.repository_def
    if repository is None or not repository.has_job(run.job_name):
        return False
    known = repository.asset_graph.get_all_asset_keys()
    return not run.asset_selection or not known.isdisjoint(run.asset_selection)
