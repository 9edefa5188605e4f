"""What a run has to be told before it may begin: checked before any of its steps.

Dagster starts a job without a partition as well: it would make the tables without months, and
fail at the first that has some.
"""

from dagster import DagsterInvariantViolationError, InitResourceContext

from sparkify_assets.checks.specs import STEP
from sparkify_assets.errors import UsageError
from sparkify_assets.refresh.by_month import BY_MONTH
from sparkify_assets.refresh.run_tags import AGAIN_TAG, months_of


class NotTold(UsageError, DagsterInvariantViolationError):  # noqa: N818 -- reads as what happened
    """A run was started without what it needs; nothing was made.

    Of errors in a resource Dagster shows one of its own kind as it is, and wraps all others.
    """


def check_run(context: InitResourceContext) -> None:
    """Refuse a run for months that does not say which.

    Raises:
        NotTold: the message says what to do instead.
    """
    run = context.run
    if run is None or context.instance is None or run.job_snapshot_id is None:
        return  # a sensor, or somebody at a prompt
    # The snapshot is of what this run does, however that was selected.
    steps = context.instance.get_job_snapshot(run.job_snapshot_id).node_names
    if BY_MONTH.union({STEP}).intersection(steps) and not months_of(run.tags):
        raise NotTold(
            f"{run.job_name}: no month was chosen, so nothing was made. Choose a month or a range "
            "of months in the dialog of Materialize (the tag dagster/partition=YYYY-MM outside of "
            "the UI); or let `sparkify run` or the sensor new_files make all that is due"
        )
    if AGAIN_TAG in run.tags and not run.run_config.get("ops"):
        raise NotTold(
            f"{run.job_name}: started without its configuration, so nothing was made again. "
            "Launch it from its page in the UI, which fills that in, or give "
            "{ops: {<asset>: {config: {rebuild: true}}}}"
        )
