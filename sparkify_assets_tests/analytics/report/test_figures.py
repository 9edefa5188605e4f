"""The key figures of the small lake: three plays of two users, then two plays of one."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from sparkify_assets.analytics.report.figures import key_figures, month_before
from sparkify_assets.analytics.session import Session


def figures(session: Session, month: str) -> dict[str, Any]:
    return {f.name: (f.value, f.before) for f in key_figures(session, month)[0]}


def test_the_first_month_has_nothing_to_compare_with(session: Session) -> None:
    found, days = key_figures(session, "2018-11")
    assert {figure.before for figure in found} == {None}
    assert days == (dt.date(2018, 11, 5), dt.date(2018, 11, 30))
    assert [figure.note for figure in found if figure.note] == ["the first month of all"]


def test_a_month_is_compared_with_the_one_before(session: Session) -> None:
    found = figures(session, "2018-12")
    assert found["Plays"] == (2, 3)
    assert found["Listeners"] == (1, 2)
    assert found["Sessions"] == (1, 2)
    assert found["New listeners"] == (0, None)  # in November everybody was new
    hours = session.table(
        "SELECT sum(length) / 3600 AS hours FROM plays GROUP BY month ORDER BY month DESC"
    )
    assert found["Hours listened"] == pytest.approx(hours["hours"].to_pylist())
    shares = session.table(
        "SELECT avg(matched::INT) AS share FROM plays GROUP BY month ORDER BY month DESC"
    )
    assert found["Matched plays"] == pytest.approx(shares["share"].to_pylist())


def test_sessions_are_counted_as_the_view_counts_them(session: Session) -> None:
    [expected] = session.table("SELECT count(*) AS n FROM sessions WHERE month = '2018-12'")["n"]
    assert figures(session, "2018-12")["Sessions"][0] == expected.as_py()


def test_a_month_without_plays_has_no_figures(session: Session) -> None:
    assert key_figures(session, "2018-10") == ([], None)
    assert key_figures(session, "2019-01") == ([], None)


def test_the_month_before_january_is_december() -> None:
    assert [month_before(month) for month in ("2019-01", "2018-12")] == ["2018-12", "2018-11"]
