"""When work is tried (again): what Dagster's own runs say about it.

Each run that the sensor starts is tagged with its group and with the work that it is for. So the
sensor keeps no memory of its own: how often something was tried, and when, is what the UI shows.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

from dagster import DagsterInstance, DagsterRunStatus, RunRecord, RunsFilter

from sparkify_assets.sensors.due import Due

GROUP_TAG = "sparkify/group"
WORK_TAG = "sparkify/work"
ATTEMPT_TAG = "sparkify/attempt"
WHY_TAG = "sparkify/why"

MOST_ATTEMPTS = 7
FIRST_PAUSE_SECONDS = 30
# A run that has been at work for so long may be dead. Another one beside it does no harm.
PATIENCE_SECONDS = 30 * 60

_AT_WORK = {
    DagsterRunStatus.NOT_STARTED,
    DagsterRunStatus.STARTING,
    DagsterRunStatus.STARTED,
    DagsterRunStatus.CANCELING,
}
_LOOKED_AT = 50


@dataclass(frozen=True)
class Verdict:
    """Whether to start a run now: its work and attempt from 1, or the reason why not.

    `later` is whether the reason passes by itself.
    """

    work: str = ""
    attempt: int = 0
    reason: str = ""
    later: bool = True


def under_way(instance: DagsterInstance, now: float | None = None) -> dict[str, str]:
    """By group, a run that is waiting or at work.

    Ask before the tables are looked at: a run that ends in between has made some of them already.
    """
    moment = time.time() if now is None else now
    records = instance.get_run_records(RunsFilter(statuses=[DagsterRunStatus.QUEUED, *_AT_WORK]))
    return {
        record.dagster_run.tags[GROUP_TAG]: _short(record)
        for record in records
        if GROUP_TAG in record.dagster_run.tags and _is_under_way(record, moment)
    }


def judge(instance: DagsterInstance, due: Due, busy: Mapping[str, str]) -> Verdict:
    """Whether a due run is to be started now; `busy` as from `under_way`."""
    if due.group in busy:
        return Verdict(reason=f"{due.group}: a run is under way ({busy[due.group]})")
    verdict, moment = Verdict(), time.time()
    for work in due.works:  # the tables by themselves only where the files are given up
        verdict = _tried(instance, due, work, moment)
        if verdict.attempt or verdict.later:
            break
    return verdict


def _tried(instance: DagsterInstance, due: Due, work: str, moment: float) -> Verdict:
    tried = instance.get_run_records(RunsFilter(tags={WORK_TAG: work}), limit=_LOOKED_AT)
    if not tried:
        return Verdict(work, attempt=1)
    attempts = max(int(record.dagster_run.tags.get(ATTEMPT_TAG, "1")) for record in tried)
    if attempts >= MOST_ATTEMPTS:
        return Verdict(
            reason=f"{due.group}: given up after {attempts} attempts, the last in run "
            f"{_short(tried[0])}; mend the cause, then `sparkify run` or Re-execute. New files of "
            f"{due.group} are tried afresh",
            later=False,
        )
    ended = max(record.end_time or record.create_timestamp.timestamp() for record in tried)
    left = ended + pause_after(attempts) - moment
    if left > 0:
        return Verdict(
            reason=f"{due.group}: attempt {attempts} of {MOST_ATTEMPTS} left something to do (run "
            f"{_short(tried[0])}); the next in {left:.0f} s"
        )
    return Verdict(work, attempts + 1)


def pause_after(attempts: int) -> float:
    """Seconds between the end of an attempt and the next: 30, 60, 120, …"""
    return float(FIRST_PAUSE_SECONDS * 2 ** (attempts - 1))


def _is_under_way(record: RunRecord, now: float) -> bool:
    status = record.dagster_run.status
    if status is DagsterRunStatus.QUEUED:
        return True
    begun = record.start_time or record.create_timestamp.timestamp()
    return status in _AT_WORK and now - begun < PATIENCE_SECONDS


def _short(record: RunRecord) -> str:
    return record.dagster_run.run_id.split("-")[0]
