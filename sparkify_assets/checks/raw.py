"""Checks of what was taken in: the account of the landed files. Reads the ledger and the log only;
rejected lines are read for the sample of a check that fails.
"""

from __future__ import annotations

from collections.abc import Collection

from sparkify_assets.checks.specs import LINES_ACCOUNTED, MONTHS_CONFIGURED, REJECTED_SHARE
from sparkify_assets.ingest.landing import SONG_SCOPE
from sparkify_assets.ingest.ledger import Ledger, ScopeAccount
from sparkify_assets.ingest.place import rows_there
from sparkify_assets.ingest.rejected import Reject, some_rejects
from sparkify_assets.lake.lake import Lake
from sparkify_assets.lake.notes import SAMPLE_ROWS, Row
from sparkify_assets.refresh.audit import Finding
from sparkify_assets.tables import RAW_LOGS, RAW_SONGS, REJECTS

_TEXT = 200


def raw_findings(
    lake: Lake,
    ledger: Ledger,
    scope: str,
    months: Collection[str],
    allowed_share: float,
    *,
    show_lines: bool = True,
) -> list[Finding]:
    """The findings about one scope (a month of log files, or `songs`).

    Args:
        months: the configured ones.
        allowed_share: of rejected lines, 0 to 1.
        show_lines: whether the sample of a failure may hold rejected lines.
    """
    account = ledger.account(scope)
    found = [
        _accounted(lake, scope, account),
        _share(lake, ledger, scope, account, allowed_share, show_lines=show_lines),
    ]
    if scope != SONG_SCOPE:
        found.append(_configured(ledger, scope, months))
    return found


def _accounted(lake: Lake, scope: str, account: ScopeAccount) -> Finding:
    sample: list[Row] = [
        {"file": file, "lines": str(lines), "rows": str(rows), "rejected": str(rejected)}
        for file, lines, rows, rejected in account.wrong
    ]
    raw = RAW_SONGS if scope == SONG_SCOPE else RAW_LOGS
    for table, counted in ((raw, account.rows_by_batch), (REJECTS, account.rejected_by_batch)):
        there = rows_there(lake.last_seen(table))
        sample += [
            {"file": f"{table.name}, batch {batch}", "lines": f"{number} in the ledger",
             "rows": f"{there[scope, batch]} there", "rejected": ""}
            for batch, number in counted.items()
            if there[scope, batch] < number
        ]  # fmt: skip
    numbers = {
        "files": account.files,
        "lines": account.lines,
        "rows": account.rows,
        "rejected": account.rejected,
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
    lake: Lake,
    ledger: Ledger,
    scope: str,
    account: ScopeAccount,
    allowed: float,
    *,
    show_lines: bool,
) -> Finding:
    lines, rejected = account.lines, account.rejected
    share = rejected / lines if lines else 0.0
    numbers = {"lines": lines, "rejected": rejected, "share": round(share, 6)}
    told = f"{rejected:,} of {lines:,} lines rejected ({share:.2%}; allowed {allowed:.2%})"
    if share <= allowed:
        return Finding(REJECTED_SHARE, True, f"{told}.", numbers)
    return Finding(
        REJECTED_SHARE,
        False,
        f"{told}. Each is kept with its reason: `sparkify rejects` shows them. Have the source "
        "mended and land the files again, or raise SPARKIFY_REJECTED_SHARE",
        numbers,
        [
            _rejected(line, show_lines=show_lines)
            for line in some_rejects(lake, ledger, scope, SAMPLE_ROWS)
        ],
    )


def _configured(ledger: Ledger, scope: str, months: Collection[str]) -> Finding:
    outside: dict[str, list[str]] = {
        month: [] for month in ledger.event_months_of(scope) if month not in months
    }
    for file in ledger.of(scope) if outside else []:
        for month in file.event_months:
            if month in outside:
                outside[month].append(file.source_file)
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
            {"month": month, "files": str(len(keys)), "for example": keys[0] if keys else ""}
            for month, keys in sorted(outside.items())
        ][:SAMPLE_ROWS],
    )


def _rejected(line: Reject, *, show_lines: bool) -> Row:
    found = {"file": line.source_file, "line": str(line.line), "reason": line.reason}
    return {**found, "text": line.text[:_TEXT]} if show_lines else found
