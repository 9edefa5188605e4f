"""Reports in the lake: `LAKE/_reports/listening/2018-11.html`, made again when out of date.

The page itself says what it was made from, in its first lines: one object, so nothing can be out
of step with it.
"""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

import pyarrow as pa

from sparkify_assets.analytics.report.figures import key_figures
from sparkify_assets.analytics.report.fingerprint import fingerprint, values_for
from sparkify_assets.analytics.report.model import Question, Report, Section
from sparkify_assets.analytics.report.page import render
from sparkify_assets.analytics.session import Session
from sparkify_assets.analytics.statement import QueryError
from sparkify_assets.lake.lake import Lake
from sparkify_assets.storage.access import DEFAULT_REGION, s3_access
from sparkify_assets.storage.location import Location
from sparkify_assets.storage.objects import entry_of, objects

FOLDER = "_reports/listening"
_TYPE = "text/html; charset=utf-8"
# The fingerprint stands that near to the beginning.
_HEAD_BYTES = 2_048
_HEAD = re.compile(
    rb'<meta name="sparkify-fingerprint" content="([0-9a-f]+)">\n'
    rb'<meta name="sparkify-release" content="(\d+)">'
)


@dataclass(frozen=True)
class Written:
    """A report in the lake.

    Attributes:
        uri: where it lies, as the lake's URI says it.
        url: the same for a browser.
        made: whether it was made just now; False: it was up to date.
    """

    month: str
    uri: str
    url: str
    size: int
    seconds: float
    made: bool


def report_key(month: str) -> str:
    """A report's place below `LAKE/_reports/listening`."""
    return f"{month}.html"


def report_location(lake: Lake) -> Location:
    """Where the reports are."""
    return lake.location.join(FOLDER)


def write_report(
    lake: Lake,
    session: Session,
    month: str,
    questions: Sequence[Question],
    *,
    again: bool = False,
) -> Written:
    """Make the report of a month, if it is missing or out of date.

    Args:
        session: over the release to tell of; one that keeps views, for several months.
        questions: those without a place in the report are left out.
        again: make it also where it is up to date.

    Raises:
        ChartError, QueryError: a question is wrong.
        QueryFailed: a query hit a limit, or the release was cleaned up meanwhile.
        LakeError, StorageError: the lake cannot be read or written.
    """
    began = time.monotonic()
    chosen = sorted((q for q in questions if q.report), key=lambda q: (q.report or 0, q.name))
    wanted = fingerprint(lake, session, month, chosen)
    found = None if again else _found(lake, month)
    if found is not None and found.fingerprint == wanted:
        return _written(lake, month, found.size, began, made=False)
    report = make_report(lake, session, month, chosen, wanted)
    content = render(report).encode()
    found = _found(lake, month)
    if found is not None and found.release > session.release.number:
        # Another run was quicker, and tells of more.
        return _written(lake, month, found.size, began, made=False)
    objects(report_location(lake)).put(report_key(month), content, content_type=_TYPE)
    return _written(lake, month, len(content), began, made=True)


def make_report(
    lake: Lake,
    session: Session,
    month: str,
    questions: Sequence[Question],
    fingerprint: str = "",
) -> Report:
    """Ask everything that the report of a month tells; for a month without plays, no question."""
    figures, days = key_figures(session, month)
    sections = [
        Section(
            question.name,
            question.title,
            question.description,
            question.chart,
            _answered(session, question, month),
        )
        for question in (questions if figures else ())
    ]
    now = datetime.now(UTC)
    return Report(
        lake.location.uri, month, session.release, now, figures, days, sections, fingerprint
    )


def _answered(session: Session, question: Question, month: str) -> pa.Table:
    try:
        return session.table(question.sql, values_for(question, month))
    except QueryError as error:
        raise QueryError(f"the question {question.name} cannot be answered: {error}") from None


def read_report(lake: Lake, month: str) -> bytes:
    """The page. Raises FileNotFoundError."""
    return objects(report_location(lake)).get(report_key(month))


class _Found(NamedTuple):
    fingerprint: str
    release: int
    size: int


def _found(lake: Lake, month: str) -> _Found | None:
    """The report that is there."""
    source, key = objects(report_location(lake)), report_key(month)
    entry = entry_of(source, key)
    if entry is None:
        return None
    try:
        head = source.get(key, first=_HEAD_BYTES)
    except FileNotFoundError:
        return None
    known = _HEAD.search(head)
    return _Found(known[1].decode(), int(known[2]), entry.size) if known else None


def _written(lake: Lake, month: str, size: int, began: float, *, made: bool) -> Written:
    location = report_location(lake).join(report_key(month))
    seconds = round(time.monotonic() - began, 3)
    return Written(month, location.uri, _url(location), size, seconds, made)


def _url(location: Location) -> str:
    if not location.on_s3:
        return Path(location.uri).absolute().as_uri()
    access = s3_access()
    key = quote(location.prefix)
    if access.endpoint is None:
        host = f"s3.{access.region or DEFAULT_REGION}.amazonaws.com"
        if access.path_style:
            return f"https://{host}/{location.bucket}/{key}"
        return f"https://{location.bucket}.{host}/{key}"
    if access.path_style:
        return f"{access.endpoint.rstrip('/')}/{location.bucket}/{key}"
    scheme, _, host = access.endpoint.rstrip("/").partition("://")
    return f"{scheme}://{location.bucket}.{host}/{key}"
