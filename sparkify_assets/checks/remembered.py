"""Results of earlier runs that still hold, so that checks cost what changed and not the history."""

from __future__ import annotations

import hashlib
from dataclasses import replace

from dagster import AssetCheckEvaluation, AssetCheckKey, AssetKey, DagsterInstance
from dagster._core.event_api import PartitionKeyFilter
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecordStatus

from sparkify_assets.checks.specs import MATCH_RATE, SESSIONS_WITHOUT_HOLES
from sparkify_assets.ingest.ledger import Ledger
from sparkify_assets.lake.snapshot import Snapshot
from sparkify_assets.refresh.audit import Finding

# Metadata of a result: what was examined.
EXAMINED = "examined"
_ENDED = {AssetCheckExecutionRecordStatus.SUCCEEDED, AssetCheckExecutionRecordStatus.FAILED}


def examined(plays: Snapshot, ledger: Ledger, month: str) -> str:
    """Stands for the plays of a month and for the landed files with events in it."""
    digest = hashlib.blake2b(ledger.events_digest(month).encode(), digest_size=8)
    for path in sorted(part.path for part in plays.parts_of([month])):
        digest.update(f"\n{path}".encode())
    return digest.hexdigest()


def remembered(
    instance: DagsterInstance, asset: str, check: str, month: str, of: str
) -> AssetCheckEvaluation | None:
    """The last result of a check for a month, if it passed and was `of` the same.

    Holes in sessions come with the files: that warning is remembered as well.
    """
    if check == MATCH_RATE:  # costs nothing, and looks at other months
        return None
    records = instance.event_log_storage.get_asset_check_execution_history(
        AssetCheckKey(AssetKey(asset), check),
        limit=1,
        status=_ENDED,
        partition_filter=PartitionKeyFilter(key=month),
    )
    event = records[0].event.dagster_event if records and records[0].event else None
    if event is None:
        return None
    found = event.asset_check_evaluation_data
    known = found.metadata.get(EXAMINED)
    if known is None or known.value != of:
        return None
    return found if found.passed or check == SESSIONS_WITHOUT_HOLES else None


def with_mark(finding: Finding, of: str) -> Finding:
    """The finding, marked with what was examined."""
    return replace(finding, numbers={**finding.numbers, EXAMINED: of})


def again(result: AssetCheckEvaluation, asset: str, month: str) -> AssetCheckEvaluation:
    """A remembered result, told once more."""
    return AssetCheckEvaluation(
        asset_key=AssetKey(asset),
        check_name=result.check_name,
        passed=result.passed,
        description=result.description,
        metadata=result.metadata,
        severity=result.severity,
        blocking=result.blocking,
        partition=month,
    )
