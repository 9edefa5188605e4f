"""Doing what the plan says, through the Dagster assets, until nothing is left to do.

One Dagster run makes neighbouring months of a plan, as many as memory has room for. A file can hold
events of another month than its key's, which is known only when it was read, so the plan is made
again afterwards; mostly it is empty then.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence

from dagster import (
    AssetKey,
    DagsterEvent,
    DagsterEventType,
    ExecuteInProcessResult,
    InitLoggerContext,
    JsonMetadataValue,
    LoggerDefinition,
)

from sparkify_assets.assets.raw import UNREADABLE
from sparkify_assets.composition import REFRESH, build_defs
from sparkify_assets.errors import SparkifyError
from sparkify_assets.ingest.taken_in import taken_in
from sparkify_assets.io_managers.s3_parquet import REBUILD
from sparkify_assets.lake.lake import Lake
from sparkify_assets.lake.release import forget_releases
from sparkify_assets.lake.vacuum import tidy
from sparkify_assets.refresh.answers import RELEASE
from sparkify_assets.refresh.by_month import BY_MONTH
from sparkify_assets.refresh.instance import (
    PROCESS_TAG,
    close_dead_runs,
    open_instance,
    this_process,
)
from sparkify_assets.refresh.plan import Plan, make_plan
from sparkify_assets.refresh.publish import publish
from sparkify_assets.refresh.reasons import reasons
from sparkify_assets.refresh.run_tags import range_tags
from sparkify_assets.refresh.steps import Outcome, Step, Watcher
from sparkify_assets.settings import Settings
from sparkify_assets.tables import BUILT, RAW_LOGS, RAW_SONGS, TABLES

_NAMES = [table.name for table in (RAW_SONGS, RAW_LOGS, *BUILT)]
_WITHOUT_MONTHS = [name for name in _NAMES if name not in BY_MONTH]
_MOST_PASSES = 5
# Of log files for one Dagster run: it then takes a gigabyte or two, whatever there is in all.
_RUN_BYTES = 2 << 30
# Other machines have memory of their own, and each run would begin with asking for them anew.
_RUN_BYTES_ELSEWHERE = 1 << 40


class RunFailed(SparkifyError):  # noqa: N818 -- reads as what happened
    """A Dagster run failed; the message is the reason of each step that did."""


def refresh(
    settings: Settings,
    *,
    only: Collection[str] | None = None,
    rebuild: bool = False,
    plan: Plan | None = None,
    watch: Watcher = lambda _step: None,
) -> Outcome:
    """Make everything current.

    Args:
        only: months to which the work is limited.
        rebuild: read all files of these months again and make all tables again.
        plan: what to begin with, where it was made already.
        watch: told of each step as it starts and ends.

    Files that were replaced longer ago than the grace period are removed at the end.

    Raises:
        RunFailed: a step failed; what other steps made stays, and the next run goes on. Where it
            failed for some months only, all others were made before.
    """
    plan = plan or make_plan(settings, only=only, rebuild=rebuild)
    outcome = Outcome(before=plan, left=plan)
    taken_before = taken_in()
    for _ in range(_MOST_PASSES):
        if not plan.needed:
            break
        _one_pass(settings, plan, outcome, watch, rebuild=rebuild)
        months = set(settings.months if only is None else only) - set(outcome.laid_aside)
        before, plan = plan, make_plan(settings, only=months)
        rebuild = False
        if plan.work() == before.work():  # what is left cannot be done, or not now
            break
    outcome.left, outcome.taken_in = plan, taken_in().since(taken_before)
    if outcome.run_ids:
        # The step that records releases is left out of a run in which another step failed.
        outcome.published = publish(Lake.at(settings.lake), settings.months)
        _tidy(settings)
    if outcome.laid_aside:
        reasons_told = dict.fromkeys(outcome.laid_aside.values())
        done = not plan.needed and not outcome.unreadable and only is None
        rest = ["Everything else is up to date."] if done else []
        raise RunFailed("\n".join([*reasons_told, *rest]))
    return outcome


def _tidy(settings: Settings) -> None:
    lake = Lake.at(settings.lake)
    for table in TABLES.values():
        tidy(lake, table, settings.grace_hours)
    forget_releases(lake, settings.grace_hours)


def _one_pass(
    settings: Settings, plan: Plan, outcome: Outcome, watch: Watcher, *, rebuild: bool
) -> None:
    job = build_defs(settings, loggers=_loggers(outcome, watch)).resolve_job_def(REFRESH)
    outcome.unreadable = {}  # whatever could not be read before is tried again
    with open_instance() as instance:
        close_dead_runs(instance)
        # A range over a gap would make months that nobody asked for; one over all months would hold
        # all of their events at once.
        most = _RUN_BYTES_ELSEWHERE if settings.engine_is_remote else _RUN_BYTES
        ranges = plan.ranges(most) or [[]]
        for number, months in enumerate(ranges):
            names = _NAMES if months else _WITHOUT_MONTHS
            # After all months: what was made becomes visible at once.
            at_the_end = [RELEASE] if number == len(ranges) - 1 else []
            # What has no months is made again once, and not once for each range.
            again = names if number == 0 else [n for n in names if n not in _WITHOUT_MONTHS]
            result = job.execute_in_process(
                instance=instance,
                raise_on_error=False,
                asset_selection=[AssetKey(name) for name in (*names, *at_the_end)],
                run_config={
                    "loggers": {"console": {"config": {}}},
                    "ops": {n: {"config": {REBUILD: rebuild and n in again}} for n in names},
                },
                tags=_tags(months, plan),
                partition_key=months[0] if len(months) == 1 else None,
            )
            outcome.run_ids.append(result.run_id)
            if not result.success:
                found = reasons(result.dagster_run.tags, result.all_events)
                if not found.steps or not all(step.laid_aside for step in found.steps):
                    raise RunFailed(str(found))
                for step in found.steps:
                    outcome.laid_aside |= dict.fromkeys(step.months, f"{step.asset}: {step.reason}")
            outcome.unreadable |= _unreadable(result)


def _unreadable(result: ExecuteInProcessResult) -> dict[str, str]:
    found: dict[str, str] = {}
    for event in result.get_asset_materialization_events():
        value = event.materialization.metadata.get(UNREADABLE)
        if isinstance(value, JsonMetadataValue) and isinstance(value.data, dict):
            found |= {str(key): str(reason) for key, reason in value.data.items()}
    return found


def _tags(months: Sequence[str], plan: Plan) -> dict[str, str]:
    tags = {
        "sparkify/why": f"{plan.files_to_read} new or changed files, {len(plan.stale)} stale",
        PROCESS_TAG: this_process(),
    }
    if len(months) > 1:
        tags |= range_tags(months)
    return tags


def _loggers(outcome: Outcome, watch: Watcher) -> dict[str, LoggerDefinition]:
    """A Dagster logger that turns a run's events into steps, and prints nothing."""

    class Steps(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            event = getattr(record, "dagster_event", None)
            step = _step(event) if isinstance(event, DagsterEvent) else None
            if step is not None:
                outcome.seconds[step.name] = outcome.seconds.get(step.name, 0.0) + step.seconds
                watch(step)

    def steps(_context: InitLoggerContext) -> logging.Logger:
        found = logging.Logger("sparkify.run", logging.DEBUG)
        found.addHandler(Steps())
        return found

    told = LoggerDefinition(steps, description="Tells the command line what the steps do.")
    return {"console": told}


_STATES = {
    DagsterEventType.STEP_START: "running",
    DagsterEventType.STEP_RESTARTED: "running",
    DagsterEventType.STEP_UP_FOR_RETRY: "retry",
    DagsterEventType.STEP_SUCCESS: "done",
    DagsterEventType.STEP_FAILURE: "failed",
    DagsterEventType.STEP_SKIPPED: "skipped",
}


def _step(event: DagsterEvent) -> Step | None:
    state = _STATES.get(event.event_type)
    if state is None or event.step_key is None:
        return None
    step = Step(event.step_key, state)
    if state == "done":
        step.seconds = event.step_success_data.duration_ms / 1000
    return step
