"""What stands for everything that a month's report is made from: if it is the same, so is the page.

Of the data these are the stamps of the tables that the SQL reads: what each partition was made
from. A table without months counts as a whole. Of a table by month count all months until the one
after: a report may look back as far as it likes, and ahead for sessions that run over midnight.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from functools import cache
from importlib import metadata, resources
from typing import Any

from sparkify_assets.analytics.relations import with_needed
from sparkify_assets.analytics.report.figures import FIGURES
from sparkify_assets.analytics.report.model import Question
from sparkify_assets.analytics.session import Session
from sparkify_assets.lake.lake import Lake
from sparkify_assets.lake.snapshot import Snapshot
from sparkify_assets.partitions import next_month
from sparkify_assets.tables import BUILT, TABLES, WHOLE_TABLE

MONTH = "month"
_PACKAGE = "sparkify_assets.analytics.report"
_LIBRARIES = ("altair", "vl-convert-python")
_STAMPED = {table.name for table in BUILT}


def values_for(question: Question, month: str) -> dict[str, Any]:
    """What a question is asked with, for a month."""
    return dict(question.values({MONTH: month} if MONTH in question.parameters else {}))


def fingerprint(lake: Lake, session: Session, month: str, questions: Sequence[Question]) -> str:
    """The fingerprint of a month's report as it would be made now.

    Raises:
        LakeError: the release lacks a table that a question reads.
        QueryError: a question is not one statement that only reads.
    """
    # A question that is not about a month may be about any.
    limited = all(MONTH in question.parameters for question in questions)
    last = next_month(month) if limited else ""
    tables = _tables(session, [FIGURES, *[question.sql for question in questions]])
    everything = [
        lake.location.uri,
        month,
        month in session.release.pending,
        [_asked(question, month) for question in questions],
        {name: _state(session.snapshot(name), last) for name in tables},
        _program(),
    ]
    return hashlib.sha256(json.dumps(everything, sort_keys=True).encode()).hexdigest()[:32]


def _asked(question: Question, month: str) -> list[Any]:
    found = [question.name, question.title, question.description, question.report, question.sql]
    chart = question.chart
    drawn = [chart.kind, chart.x, chart.y, chart.color, dict(chart.labels)] if chart else []
    return [*found, values_for(question, month), drawn]


def _tables(session: Session, statements: Iterable[str]) -> list[str]:
    """The tables that these statements read, also those behind views."""
    named = frozenset[str]().union(*(session.check(sql).relations for sql in statements))
    return sorted(found.name for found in with_needed(named) if found.name in TABLES)


def _state(snapshot: Snapshot, last: str) -> list[Any]:
    table = snapshot.table
    if table.name not in _STAMPED:
        return [snapshot.version]
    if not table.monthly:
        return [snapshot.stamp(WHOLE_TABLE)]
    months = [key for key in snapshot.partitions if not last or key <= last]
    return [[key, snapshot.stamp(key)] for key in months]


@cache
def _program() -> list[str]:
    """The report's own text, and the libraries that draw it."""
    files = sorted(resources.files(_PACKAGE).iterdir(), key=lambda file: file.name)
    digest = hashlib.sha256()
    for file in files:
        if file.is_file():
            digest.update(file.name.encode() + file.read_bytes())
    return [digest.hexdigest(), *(metadata.version(name) for name in _LIBRARIES)]
