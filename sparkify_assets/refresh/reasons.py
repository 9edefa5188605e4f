"""Why a run failed: its failed steps and checks, with the reason of each, from its events.

Dagster wraps an error in others, an engine adds the traces of its tasks; people need the line
that says what is wrong. The command line and the alerts both ask here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from dagster import AssetCheckSeverity, DagsterEvent, DagsterEventType, JsonMetadataValue
from dagster._core.events import JobFailureData  # what `event_specific_data` is then
from dagster_shared.error import SerializableErrorInfo

from sparkify_assets.partitions import is_month
from sparkify_assets.refresh.by_month import BY_MONTH
from sparkify_assets.refresh.failures import MONTHS, without_trace
from sparkify_assets.refresh.run_tags import months_of
from sparkify_assets.tables import TABLES

# What is read of a run to find its reasons.
EVENTS = {
    DagsterEventType.STEP_FAILURE,
    DagsterEventType.RUN_FAILURE,
    DagsterEventType.ASSET_CHECK_EVALUATION,
}
_WITHOUT_A_WORD = "the run failed without a word; `dagster dev` shows its events"
_MOST_LINES = 20


@dataclass(frozen=True)
class FailedStep:
    """A step that failed, and why; `months` is empty where its asset has none.

    `laid_aside` is whether it failed for these months only, and did everything else.
    """

    asset: str
    months: tuple[str, ...]
    reason: str
    laid_aside: bool = False

    @property
    def first_line(self) -> str:
        """What is wrong; details follow in the other lines."""
        return first_line(self.reason)


@dataclass(frozen=True)
class FailedCheck:
    """A blocking check that did not pass, by itself enough to fail its run."""

    asset: str
    name: str
    months: tuple[str, ...]
    description: str


@dataclass(frozen=True)
class Reasons:
    """Why one run failed.

    Attributes:
        run: the run's own reason, where none of its steps failed.
    """

    steps: tuple[FailedStep, ...] = ()
    checks: tuple[FailedCheck, ...] = ()
    run: str = ""

    def __str__(self) -> str:
        """For a terminal."""
        return "\n".join(f"{step.asset}: {step.reason}" for step in self.steps) or self.run


def reasons(tags: Mapping[str, str], events: Iterable[DagsterEvent]) -> Reasons:
    """Why a run failed.

    Args:
        tags: the run's.
        events: the run's, or those of the kinds in `EVENTS`.
    """
    of_run = tuple(months_of(tags))
    steps: list[FailedStep] = []
    checks: dict[tuple[str, str], FailedCheck] = {}
    run = ""
    for event in events:
        if event.event_type is DagsterEventType.STEP_FAILURE:
            steps.append(_failed_step(event, of_run))
        elif event.event_type is DagsterEventType.ASSET_CHECK_EVALUATION:
            _note_check(event, of_run, checks)
        elif event.event_type is DagsterEventType.RUN_FAILURE and not run:
            run = _reason_of_run(event)
    return Reasons(tuple(steps), tuple(checks.values()), "" if steps else run or _WITHOUT_A_WORD)


def first_line(text: str) -> str:
    """The first line with something in it."""
    return next((line.strip() for line in text.splitlines() if line.strip()), "")


def _failed_step(event: DagsterEvent, of_run: tuple[str, ...]) -> FailedStep:
    data = event.step_failure_data
    asset = str(event.step_key)
    months: tuple[str, ...] = () if _without_months(asset) else of_run
    named: tuple[str, ...] = ()
    reason = ""
    if data.user_failure_data is not None:
        reason = (data.user_failure_data.description or "").strip()
        named = _months_in(data.user_failure_data.metadata)
    return FailedStep(asset, named or months, reason or _reason(data.error), bool(named))


def _months_in(metadata: Mapping[str, object]) -> tuple[str, ...]:
    value = metadata.get(MONTHS)
    found = value.data if isinstance(value, JsonMetadataValue) else None
    if not isinstance(found, list):
        return ()
    return tuple(month for month in found if isinstance(month, str) and is_month(month))


def _note_check(
    event: DagsterEvent, of_run: tuple[str, ...], found: dict[tuple[str, str], FailedCheck]
) -> None:
    """Keep it where it fails its run; a check is evaluated for each month by itself."""
    check = event.asset_check_evaluation_data
    asset = check.asset_key.to_user_string()
    key = (asset, check.check_name)
    if check.passed or not check.blocking or check.severity is not AssetCheckSeverity.ERROR:
        return
    months = (check.partition,) if check.partition else () if _without_months(asset) else of_run
    if key in found:
        before = found[key]
        months = tuple(sorted({*before.months, *months}))
        found[key] = FailedCheck(*key, months, before.description)
    else:
        found[key] = FailedCheck(*key, months, (check.description or "").strip())


def _reason_of_run(event: DagsterEvent) -> str:
    data = event.event_specific_data  # none, where somebody else reported that the run failed
    if isinstance(data, JobFailureData) and data.error is not None:
        return _reason(data.error)
    return str(event.message or "")


def _without_months(asset: str) -> bool:
    return asset in TABLES and asset not in BY_MONTH


def _reason(error: SerializableErrorInfo | None) -> str:
    """The reason below the errors in which Dagster wraps it: ours where there is one."""
    reason = "no reason was given"
    while error is not None:
        reason = without_trace(error.message.strip())
        kind, _, message = reason.partition(": ")
        if kind.startswith("sparkify_assets."):
            return message
        error = error.cause
    return "\n".join(reason.splitlines()[:_MOST_LINES])
