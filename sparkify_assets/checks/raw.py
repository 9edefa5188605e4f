"""Checks of what was taken in: the account of the landed files. Reads the ledger and the log only;
rejected lines are read for the sample of a check that fails.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from sparkify_assets.checks.specs import LINES_ACCOUNTED, MONTHS_CONFIGURED, REJECTED_SHARE
from sparkify_assets.ingest.landing import SONG_SCOPE
from sparkify_assets.ingest.ledger import LandedFile, Ledger
from sparkify_assets.ingest.rejected import Reject, some_rejects
from sparkify_assets.lake.lake import Lake
from sparkify_assets.lake.notes import SAMPLE_ROWS, Row
from sparkify_assets.lake.snapshot import Snapshot
from sparkify_assets.refresh.audit import Finding
from sparkify_assets.tables import RAW_LOGS, RAW_SONGS, REJECTS

_TEXT = 200


def raw_findings(
    lake: Lake, ledger: Ledger, scope: str, months: Collection[str], allowed_share: float
) -> list[Finding]:
    """The findings about one scope (a month of log files, or `songs`).

    Args:
        months: the configured ones.
        allowed_share: of rejected lines, 0 to 1.
    """
    files = ledger.of(scope)
    found = [_accounted(lake, scope, files), _share(lake, ledger, scope, files, allowed_share)]
    if scope != SONG_SCOPE:
        found.append(_configured(files, months))
    return found


def _accounted(lake: Lake, scope: str, files: list[LandedFile]) -> Finding:
    sample: list[Row] = [
        {"file": f.source_file, "lines": str(f.lines), "rows": str(f.rows),
         "rejected": str(f.rejected)}
        for f in files
        if f.lines != f.rows + f.rejected
    ]  # fmt: skip
    raw = RAW_SONGS if scope == SONG_SCOPE else RAW_LOGS
    for table, counted in (
        (raw, _by_batch(files, "rows")),
        (REJECTS, _by_batch(files, "rejected")),
    ):
        there = _rows_by_batch(lake.last_seen(table), scope)
        sample += [
            {"file": f"{table.name}, batch {batch}", "lines": f"{number} in the ledger",
             "rows": f"{there.get(batch, 0)} there", "rejected": ""}
            for batch, number in counted.items()
            if there.get(batch, 0) < number
        ]  # fmt: skip
    numbers = {
        "files": len(files),
        "lines": sum(f.lines for f in files),
        "rows": sum(f.rows for f in files),
        "rejected": sum(f.rejected for f in files),
    }
    if not sample:
        return Finding(LINES_ACCOUNTED, True, "rows + rejected = lines, for every file.", numbers)
    again = "" if scope == SONG_SCOPE else f" --month {scope}"
    return Finding(
        LINES_ACCOUNTED,
        False,
        f"{len(sample)} files or batches of {scope} have another number of rows than the ledger "
        f"says. Read them again: the job `rebuild`, or `sparkify run --rebuild{again}`",
        numbers,
        sample[:SAMPLE_ROWS],
    )


def _share(
    lake: Lake, ledger: Ledger, scope: str, files: list[LandedFile], allowed: float
) -> Finding:
    lines, rejected = sum(f.lines for f in files), sum(f.rejected for f in files)
    share = rejected / lines if lines else 0.0
    numbers = {"lines": lines, "rejected": rejected, "share": round(share, 6)}
    told = f"{rejected:,} of {lines:,} lines rejected ({share:.2%}; allowed {allowed:.2%})"
    if share <= allowed:
        return Finding(REJECTED_SHARE, True, f"{told}.", numbers, warning=True)
    return Finding(
        REJECTED_SHARE,
        False,
        f"{told}. Each is kept with its reason: `sparkify rejects` shows them. Have the source "
        "mended and land the files again, or raise SPARKIFY_REJECTED_SHARE",
        numbers,
        [_rejected(line) for line in some_rejects(lake, ledger, scope, SAMPLE_ROWS)],
        warning=True,
    )


def _configured(files: list[LandedFile], months: Collection[str]) -> Finding:
    outside: dict[str, list[str]] = {}
    for file in files:
        for month in file.event_months:
            if month not in months:
                outside.setdefault(month, []).append(file.source_file)
    numbers = {"months_outside": len(outside)}
    if not outside:
        return Finding(
            MONTHS_CONFIGURED,
            True,
            "Every event lies in a configured month.",
            numbers,
            warning=True,
        )
    return Finding(
        MONTHS_CONFIGURED,
        False,
        f"There are events of {', '.join(sorted(outside))}, which are in no table. Set "
        "SPARKIFY_FIRST_MONTH or SPARKIFY_LAST_MONTH, if these times are right",
        numbers,
        [
            {"month": month, "files": str(len(keys)), "for example": keys[0]}
            for month, keys in sorted(outside.items())
        ][:SAMPLE_ROWS],
        warning=True,
    )


def _rejected(line: Reject) -> Row:
    return {
        "file": line.source_file,
        "line": str(line.line),
        "reason": line.reason,
        "text": line.text[:_TEXT],
    }


def _by_batch(files: Iterable[LandedFile], what: str) -> dict[str, int]:
    counts: dict[str, int] = {}
    for file in files:
        counts[file.batch] = counts.get(file.batch, 0) + int(getattr(file, what))
    return counts


def _rows_by_batch(snapshot: Snapshot, scope: str) -> dict[str, int]:
    rows: dict[str, int] = {}
    for part in snapshot.parts:
        if part.partition.get("landing_month", part.partition.get("scope", scope)) == scope:
            batch = part.partition["batch"]
            rows[batch] = rows.get(batch, 0) + part.rows
    return rows
