"""The key figures of a month, with those of the month before."""

from __future__ import annotations

from datetime import date
from typing import Any

from sparkify_assets.analytics.report.model import Figure
from sparkify_assets.analytics.session import Session
from sparkify_assets.partitions import month_number, month_of, year_and_month

# One pass over the months around; who is new needs the users of every month before, and no more.
# A session counts to the month in which it began, as in the view `sessions`.
FIGURES = """
WITH around AS (
  SELECT year * 100 + month AS number, *
  FROM songplays
  WHERE year * 100 + month IN ($this, $before, $earlier)
),
counted AS (
  SELECT
    number,
    count(*) AS plays,
    count(DISTINCT user_id) AS listeners,
    coalesce(sum(length), 0) / 3600 AS hours,
    count(song_id) / count(*) AS matched_share,
    min(start_time)::DATE AS first_day,
    max(start_time)::DATE AS last_day
  FROM around
  GROUP BY number
),
began AS (
  SELECT number, count(*) AS sessions
  FROM (SELECT min(number) AS number FROM around GROUP BY session_id, user_id)
  GROUP BY number
),
users_first AS (
  SELECT number, count(*) AS new_listeners
  FROM (
    SELECT min(year * 100 + month) AS number
    FROM songplays
    WHERE user_id IS NOT NULL AND year * 100 + month <= $this
    GROUP BY user_id
  )
  GROUP BY number
)
SELECT
  counted.*,
  coalesce(sessions, 0) AS sessions,
  coalesce(new_listeners, 0) AS new_listeners,
  number = (SELECT min(number) FROM users_first) AS is_first
FROM counted
LEFT JOIN began USING (number)
LEFT JOIN users_first USING (number)
WHERE number <> $earlier
"""

_NAMES = {
    "plays": "Plays",
    "listeners": "Listeners",
    "sessions": "Sessions",
    "hours": "Hours listened",
    "matched_share": "Matched plays",
    "new_listeners": "New listeners",
}


def month_before(month: str) -> str:
    """The month before `month`."""
    year, number = year_and_month(month)
    return month_of(year - 1, 12) if number == 1 else month_of(year, number - 1)


def key_figures(session: Session, month: str) -> tuple[list[Figure], tuple[date, date] | None]:
    """The figures, and the days of the first and last play; none for a month without plays."""
    before = month_before(month)
    months = {"this": month, "before": before, "earlier": month_before(before)}
    numbers = {name: month_number(value) for name, value in months.items()}
    rows = {row["number"]: row for row in session.table(FIGURES, numbers).to_pylist()}
    now, then = rows.get(numbers["this"]), rows.get(numbers["before"])
    if now is None:
        return [], None
    return _figures(now, then), (now["first_day"], now["last_day"])


def _figures(now: dict[str, Any], then: dict[str, Any] | None) -> list[Figure]:
    return [
        Figure(
            title,
            _float(now[name]),
            # In the lake's first month everybody is new: that is nothing to compare with.
            None if then is None or (name == "new_listeners" and then["is_first"])
            else _float(then[name]),
            share=name == "matched_share",
            note="the first month of all" if name == "new_listeners" and now["is_first"] else "",
        )
        for name, title in _NAMES.items()
    ]  # fmt: skip


def _float(value: Any) -> float | None:
    return None if value is None else float(value)
