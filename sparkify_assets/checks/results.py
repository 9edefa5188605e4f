"""Findings as Dagster's check evaluations, one for each partition."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from dagster import AssetCheckEvaluation, AssetCheckSeverity, AssetKey, Output

from sparkify_assets.checks.specs import BLOCKING, WARNINGS
from sparkify_assets.metadata.found import of_finding
from sparkify_assets.refresh.audit import Finding
from sparkify_assets.tables import WHOLE_TABLE


def evaluation(asset: str, key: str, finding: Finding) -> AssetCheckEvaluation:
    """The evaluation of one check of one partition; `key` as in `Table.partition_key`."""
    return AssetCheckEvaluation(
        asset_key=AssetKey(asset),
        check_name=finding.check,
        passed=finding.passed,
        description=finding.description,
        metadata=of_finding(finding),
        severity=AssetCheckSeverity.WARN if _is_warning(finding) else AssetCheckSeverity.ERROR,
        blocking=finding.check in BLOCKING,
        partition=None if key == WHOLE_TABLE else key,
    )


def nothing_more(asset: str, checks: Iterable[str]) -> Iterator[Output[None]]:
    """What a step has to yield for each of its checks, once, beside the evaluations."""
    for name in checks:
        yield Output(None, output_name=output_name(asset, name))


def output_name(asset: str, check: str) -> str:
    """The name that Dagster gives a check's output."""
    return f"{asset}_{check}"


def errors(found: Mapping[str, Iterable[Finding]]) -> dict[str, str]:
    """By partition, what failed and is more than a warning."""
    failed = {
        key: [
            f"{f.check}: {f.description}" for f in findings if not f.passed and not _is_warning(f)
        ]
        for key, findings in found.items()
    }
    return {key: "; ".join(texts) for key, texts in failed.items() if texts}


def _is_warning(finding: Finding) -> bool:
    return finding.warning or finding.check in WARNINGS
