"""Taking landing files in: plan, read in the engine's tasks, append, commit the ledger.

A crash before the ledger's commit leaves rows that never count, and the next run reads the same
files again; there is nothing to repair. Of two runs that take in files of the same month, the
second one's commit fails and it plans again.
"""

from __future__ import annotations

import datetime as dt
import itertools
import json
import uuid
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

from pyspark.sql import SparkSession

from sparkify_assets.errors import PlanChanged
from sparkify_assets.ingest import taken_in
from sparkify_assets.ingest.files import LandingFile
from sparkify_assets.ingest.landing import LOGS, SONG_SCOPE, SONGS, Landing
from sparkify_assets.ingest.ledger import LandedFile, Ledger, read_ledger
from sparkify_assets.ingest.plan import READER_VERSION, Rules, ScopePlan, plan_scope, scopes_of
from sparkify_assets.ingest.taken_in import TakenIn
from sparkify_assets.ingest.task import Account, TaskReport, Work, file_reader
from sparkify_assets.lake.commit import append
from sparkify_assets.lake.frames import one_a_task, tasks_at_once
from sparkify_assets.lake.lake import Lake
from sparkify_assets.lake.notes import Row
from sparkify_assets.lake.parts import REPORT_SCHEMA
from sparkify_assets.storage.requests import REQUESTS
from sparkify_assets.tables import RAW_LOGS, RAW_SONGS, REJECTS

_TASK_BYTES = 32 << 20
# Of a large load each task takes more, so that its parts are worth a request: rows take about a
# twenty-fifth of their lines.
_MOST_TASK_BYTES = 3 << 30
_LEAST_TASKS = 64
_TASK_FILES = 2_000
_ATTEMPTS = 8


@dataclass
class Ingested:
    """What one ingest did.

    Attributes:
        accounts: of the files that were read, by scope.
        removed: files that are gone and whose rows count no longer.
        changed: files that changed or vanished while they were read; the next run takes them.
        unreadable: by scope, files that cannot be read, with the reason; every run tries again.
        previews, rejected_previews: by scope, some of the rows and rejected lines, as texts.
    """

    accounts: dict[str, list[Account]] = field(default_factory=dict)
    removed: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    unreadable: dict[str, dict[str, str]] = field(default_factory=dict)
    previews: dict[str, list[Row]] = field(default_factory=dict)
    rejected_previews: dict[str, list[Row]] = field(default_factory=dict)


def ingest(
    lake: Lake,
    landing: Landing,
    session: Callable[[], SparkSession],
    wanted: Collection[str],
    rules: Rules,
) -> Ingested:
    """Take in what is new or changed in these scopes (months, or `songs`).

    Args:
        session: gives the engine's session; asked only when there is something to read.

    Raises:
        LandingError: the landing zone cannot be listed.
    """
    for _ in range(_ATTEMPTS):
        try:
            return _ingest_once(lake, landing, session, wanted, rules)
        except PlanChanged as change:
            last = change
    raise PlanChanged(f"given up after {_ATTEMPTS} attempts: {last}")


def _ingest_once(
    lake: Lake,
    landing: Landing,
    session: Callable[[], SparkSession],
    wanted: Collection[str],
    rules: Rules,
) -> Ingested:
    # The ledger first: a file that lands between the two is then new, not gone.
    ledger = read_ledger(lake)
    parts = [LOGS] if set(wanted) - {SONG_SCOPE} else []
    parts += [SONGS] if SONG_SCOPE in wanted else []
    listing = landing.list(set(rules.months), parts)
    plans = [
        plan_scope(scope, listing, ledger, rules)
        for scope in scopes_of(listing, ledger, rules.months)
        if scope in wanted
    ]
    plans = [plan for plan in plans if plan.needed]
    batch = uuid.uuid4().hex
    report = _read_all(lake, landing, session, plans, batch)
    accounts = {account.key: account for account in report.accounts}
    _commit(lake, ledger, plans, accounts, batch)
    unreadable = dict(report.unreadable)
    done = Ingested(
        accounts={
            plan.scope: [accounts[f.key] for f in plan.to_read if f.key in accounts]
            for plan in plans
        },
        removed=[key for plan in plans for key in plan.removed],
        changed=report.changed,
        unreadable={
            plan.scope: {f.key: unreadable[f.key] for f in plan.to_read if f.key in unreadable}
            for plan in plans
        },
        # The partitions of raw_songs are batches.
        previews={
            SONG_SCOPE if key == batch else key: notes.preview
            for key, notes in report.raw.notes.items()
        },
        rejected_previews={key: notes.preview for key, notes in report.rejects.notes.items()},
    )
    everything = itertools.chain.from_iterable(done.accounts.values())
    taken_in.count(TakenIn.of(everything, removed=len(done.removed)))
    return done


def _read_all(
    lake: Lake,
    landing: Landing,
    session: Callable[[], SparkSession],
    plans: Sequence[ScopePlan],
    batch: str,
) -> TaskReport:
    report = TaskReport()
    for songs, raw in ((True, RAW_SONGS), (False, RAW_LOGS)):
        files = [f for p in plans if (p.scope == SONG_SCOPE) is songs for f in p.to_read]
        if not files:
            continue
        work = Work(landing, songs, batch, lake.table_location(raw), lake.table_location(REJECTS))
        found = _read(session(), work, files)
        append(lake, raw, found.raw.parts)
        append(lake, REJECTS, found.rejects.parts)
        report.add(found)
    return report


def _read(spark: SparkSession, work: Work, files: Sequence[LandingFile]) -> TaskReport:
    tasks = [json.dumps(task) for task in tasks_of(files)]
    report = TaskReport()
    spread = one_a_task(spark, tasks, tasks_at_once(spark, len(tasks)))
    for row in spread.mapInArrow(file_reader(work), REPORT_SCHEMA).collect():
        report.add(TaskReport.from_json(row["report"]))
    for made in (report.requests, report.raw.requests, report.rejects.requests):
        REQUESTS.add_all(made)
    return report


def tasks_of(files: Sequence[LandingFile]) -> list[list[LandingFile]]:
    """Files for each task, in order: up to 2,000 files, and up to so many bytes.

    32 MiB, so that all cores of one machine have something to do. Of more than 2 GiB, which a
    cluster takes in, a 64th: a part for each task and month is worth its requests then, and 64
    tasks are enough for as many cores. 3 GiB at most, so that a task takes a minute or two.
    """
    tasks: list[list[LandingFile]] = [[]]
    total = sum(file.size for file in files)
    most = max(_TASK_BYTES, min(_MOST_TASK_BYTES, total // _LEAST_TASKS))
    size = 0
    for file in files:
        if tasks[-1] and (size + file.size > most or len(tasks[-1]) >= _TASK_FILES):
            tasks.append([])
            size = 0
        tasks[-1].append(file)
        size += file.size
    return tasks


def _commit(
    lake: Lake,
    ledger: Ledger,
    plans: Sequence[ScopePlan],
    accounts: dict[str, Account],
    batch: str,
) -> None:
    now = dt.datetime.now(dt.UTC)
    scopes: dict[str, list[LandedFile]] = {}
    for plan in plans:
        landed = [
            _landed(file, accounts[file.key], batch, now)
            for file in plan.to_read
            if file.key in accounts
        ]
        if landed or plan.removed:
            scopes[plan.scope] = plan.after(ledger, landed)
    if scopes:
        ledger.commit(lake, scopes)


def _landed(file: LandingFile, account: Account, batch: str, now: dt.datetime) -> LandedFile:
    return LandedFile(
        source_file=file.key,
        etag=file.etag,
        size=file.size,
        batch=batch,
        reader_version=READER_VERSION,
        lines=account.lines,
        rows=account.rows,
        rejected=account.rejected,
        repaired=account.repaired,
        event_months=account.event_months,
        first_event=_instant(account.first_event),
        last_event=_instant(account.last_event),
        landed_at=now,
        scope=file.scope,
    )


def _instant(milliseconds: int | None) -> dt.datetime | None:
    if milliseconds is None:
        return None
    return dt.datetime.fromtimestamp(0, dt.UTC) + dt.timedelta(milliseconds=milliseconds)
