"""What a materialization found, by partition; numbers under stable names, so that the UI can plot
them over time. Everything comes from the log, the ledger and the writers' notes: nothing is read.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sparkify_assets.lake.snapshot import Snapshot
from sparkify_assets.metadata import markdown, plots
from sparkify_assets.refresh.audit import Finding
from sparkify_assets.refresh.build import Made
from sparkify_assets.tables import SONGPLAYS


def of_step(made: Made, seconds: float, requests: Mapping[str, int]) -> dict[str, Any]:
    """What is the same for all partitions of a step: place, version, time and requests."""
    snapshot = made.snapshot
    return {
        "dagster/uri": snapshot.location.uri,
        "dagster/table_name": snapshot.table.name,
        "delta_version": snapshot.version,
        "partitions_made": len(made.made),
        "step_seconds": round(seconds, 3),
        **request_numbers(requests),
    }


def request_numbers(requests: Mapping[str, int]) -> dict[str, int]:
    """Requests to S3 by kind: `s3_get`, `s3_put`, …; nothing in folders."""
    return {f"s3_{kind.lower()}": number for kind, number in requests.items()}


def of_partition(made: Made, key: str, preview_rows: int) -> dict[str, Any]:
    """Rows, bytes and parts of a partition, with a preview if it was made just now."""
    snapshot = made.snapshot
    parts = snapshot.parts_of([key])
    rows = sum(part.rows for part in parts)
    count = "dagster/partition_row_count" if snapshot.table.monthly else "dagster/row_count"
    found: dict[str, Any] = {
        count: rows,
        "rows": rows,
        "bytes": sum(part.size for part in parts),
        "parts": len(parts),
        "made_again": key in made.made,
    }
    if snapshot.table is SONGPLAYS:
        found |= _plays(made, key, rows)
    notes = made.written.notes.get(key)
    if notes is not None and preview_rows and notes.preview:
        found["preview"] = markdown.table(notes.preview[:preview_rows])
    return found


def match_rate(snapshot: Snapshot, key: str) -> float | None:
    """The share of a month's plays that match a song; None for a month without plays."""
    parts = snapshot.parts_of([key])
    plays = sum(part.rows for part in parts)
    return 1 - snapshot.nulls("song_id", [key]) / plays if plays else None


def of_finding(finding: Finding) -> dict[str, Any]:
    """The metadata of a check's result: its numbers, and a sample of what is wrong."""
    found: dict[str, Any] = dict(finding.numbers)
    if finding.sample:
        found["sample"] = markdown.table(finding.sample)
    return found


def _plays(made: Made, key: str, plays: int) -> dict[str, Any]:
    rate = match_rate(made.snapshot, key)
    found: dict[str, Any] = {"plays": plays}
    if rate is not None:
        found |= {"matched_plays": round(rate * plays), "match_rate": round(rate, 4)}
    if key not in made.made:
        return found
    if key in made.lines:
        found["duplicates"] = made.lines[key] - plays
    notes = made.written.notes.get(key)
    if notes is not None and notes.days:
        found["plays_per_day"] = plots.plays_per_day(key, notes.days)
    if key == max(made.made):  # the same for all, and not small
        found["match_rate_by_month"] = plots.match_rates(rates_by_month(made.snapshot))
    return found


def rates_by_month(snapshot: Snapshot) -> dict[str, float]:
    """The match rate of every month with plays."""
    found = {month: match_rate(snapshot, month) for month in snapshot.partitions}
    return {month: rate for month, rate in found.items() if rate is not None}
