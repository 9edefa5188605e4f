"""What there is, and what a run did, as plain values: for the terminal, for JSON, for tests.

Counts come from the ledger and from the statistics in the Delta log; no data file is read but those
that somebody else wrote without statistics.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from sparkify_assets.errors import LandingError
from sparkify_assets.ingest.ledger import Ledger, seen_ledger
from sparkify_assets.lake.lake import Lake
from sparkify_assets.lake.snapshot import Snapshot
from sparkify_assets.refresh.plan import Plan, make_plan
from sparkify_assets.refresh.publish import Published, would_publish
from sparkify_assets.refresh.steps import Outcome
from sparkify_assets.settings import Settings
from sparkify_assets.storage.requests import REQUESTS
from sparkify_assets.tables import BUILT, PUBLIC, SONGPLAYS, Table


@dataclass(frozen=True)
class TableStatus:
    """One table: `months` is None for a table without months, `changed` an ISO time."""

    name: str
    rows: int
    months: int | None
    version: int
    size_bytes: int
    changed: str


@dataclass
class Status:
    """The lake and the landing zone. `problem` is set where the landing zone cannot be seen."""

    landing: str
    lake: str
    tables: list[TableStatus] = field(default_factory=list)
    files_landed: int = 0
    lines: int = 0
    rows: int = 0
    rejected: int = 0
    repaired: int = 0
    files_pending: int = 0
    files_gone: int = 0
    not_loaded: list[dict[str, str]] = field(default_factory=list)
    stale: list[dict[str, str]] = field(default_factory=list)
    months_outside: list[str] = field(default_factory=list)
    matched_plays: int = 0
    problem: str | None = None
    release: dict[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


@dataclass
class Summary:
    """What a run did. `rows` of the public tables; `changed`: all tables with a new version.

    Files, lines, rejected and repaired ones are what the run itself took in; `rows` and `changed`
    are of the lake afterwards, whoever else wrote to it meanwhile.
    `requests` are those to S3, by kind; without what Apache Spark asks for by itself.
    """

    files_read: int
    lines: int
    rejected: int
    repaired: int
    rows: dict[str, int]
    matched_plays: int
    changed: list[str]
    seconds: float
    seconds_by_step: dict[str, float]
    not_loaded: list[dict[str, str]]
    files_pending: int
    removed_files: int
    files_gone: int
    unreadable: dict[str, str]
    months_outside: list[str]
    run_ids: list[str]
    requests: dict[str, int]
    release: dict[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def get_status(settings: Settings) -> Status:
    """The present state; an empty one where there is no lake yet."""
    lake = Lake.at(settings.lake)
    status = Status(landing=settings.landing, lake=settings.lake)
    lake.look()
    for table in (*PUBLIC, *[t for t in BUILT if t not in PUBLIC]):
        if (snapshot := lake.seen(table)) is not None:
            status.tables.append(_table_status(snapshot))
    ledger = seen_ledger(lake)
    files = ledger.files()
    status.files_landed = len(files)
    status.lines = sum(file.lines for file in files)
    status.rows = sum(file.rows for file in files)
    status.rejected = sum(file.rejected for file in files)
    status.repaired = sum(file.repaired for file in files)
    status.months_outside = months_outside(ledger, settings)
    status.matched_plays = matched_plays(lake)
    status.release = release_values(would_publish(lake, settings.months))
    try:
        plan = make_plan(settings)
    except LandingError as error:
        status.problem = str(error)
        return status
    status.files_pending = plan.files_to_read
    status.files_gone = plan.gone
    status.not_loaded = not_loaded(plan)
    status.stale = stale_partitions(plan)
    return status


def summarize(
    settings: Settings, outcome: Outcome, versions_before: Mapping[str, int], seconds: float
) -> Summary:
    """What a run did: the lake as it is now, compared with what it was before."""
    lake = Lake.at(settings.lake)
    ledger = seen_ledger(lake)
    done = outcome.taken_in
    after = versions(lake)
    return Summary(
        files_read=done.files,
        lines=done.lines,
        rejected=done.rejected,
        repaired=done.repaired,
        rows=table_rows(lake, PUBLIC),
        matched_plays=matched_plays(lake),
        changed=[name for name, version in after.items() if version != versions_before.get(name)],
        seconds=round(seconds, 2),
        seconds_by_step={name: round(value, 2) for name, value in outcome.seconds.items()},
        not_loaded=not_loaded(outcome.left),
        files_pending=outcome.left.files_to_read,
        removed_files=done.removed,
        files_gone=outcome.left.gone,
        unreadable=outcome.unreadable,
        months_outside=months_outside(ledger, settings),
        run_ids=outcome.run_ids,
        requests=REQUESTS.made(),
        release=release_values(outcome.published),
    )


def release_values(found: Published | None) -> dict[str, Any]:
    """The release that SQL reads, and why there is no newer one."""
    if found is None:
        return {}
    values: dict[str, Any] = {"recorded": found.recorded, "why_not": found.why_not}
    if found.release is not None:
        values |= {
            "number": found.release.number,
            "recorded_at": f"{found.release.time:%Y-%m-%d %H:%M:%S} UTC",
            "pending": ", ".join(found.release.pending),
        }
    return values


def versions(lake: Lake) -> dict[str, int]:
    """The version of every built table that is there."""
    return {t.name: found.version for t in BUILT if (found := lake.seen(t)) is not None}


def matched_plays(lake: Lake) -> int:
    """How many plays match a song of the catalogue."""
    snapshot = lake.seen(SONGPLAYS)
    return 0 if snapshot is None else snapshot.rows - snapshot.nulls("song_id")


def table_rows(lake: Lake, tables: Collection[Table]) -> dict[str, int]:
    """Rows by table."""
    return {t.name: found.rows for t in tables if (found := lake.seen(t)) is not None}


def months_outside(ledger: Ledger, settings: Settings) -> list[str]:
    """Months that have events but are not configured: their plays are in no table."""
    configured = set(settings.months)
    return [month for month in ledger.event_months() if month not in configured]


def not_loaded(plan: Plan) -> list[dict[str, str]]:
    """Files of the landing zone that are not loaded, with the way out."""
    return [{"file": key, "reason": reason} for key, reason in plan.listing.unplaced]


def stale_partitions(plan: Plan) -> list[dict[str, str]]:
    """Partitions that are out of date, and why."""
    return [
        {"table": stale.table.name, "partition": stale.key, "reason": stale.reason}
        for stale in plan.stale
    ]


def _table_status(snapshot: Snapshot) -> TableStatus:
    changed = dt.datetime.fromtimestamp(snapshot.last_change() / 1000, dt.UTC)
    return TableStatus(
        name=snapshot.table.name,
        rows=snapshot.rows,
        months=len(snapshot.partitions) if snapshot.table.monthly else None,
        version=snapshot.version,
        size_bytes=snapshot.size,
        changed=changed.isoformat(timespec="seconds"),
    )
