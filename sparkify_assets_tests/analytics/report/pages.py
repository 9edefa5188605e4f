"""Reports to look at, without a lake: one with every kind of chart, full of hostile texts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

import pyarrow as pa

from sparkify_assets.analytics.report.model import Figure, Report, Section
from sparkify_assets.lake.release import Release

MONTH = "2018-11"
# Whatever a listener's app sends ends up in a title.
HOSTILE = (
    "</script><img src=x onerror=alert(1)>",
    "<!--<script>alert(2)",
    "\"' onmouseover=alert(3) x='",
    "{{ 7 * 7 }} {% raw %} ${8 * 8} \\u003c/script\\u003e",
    "http://127.0.0.1:9/track.png",
    "a \u202e backwards \u2028 and a line that is much too long for one line of a phone, "
    "so it has to be broken into several of them without losing its end",
    "datum.c1); alert(4); (",
    "",
)


@dataclass(frozen=True)
class Drawn:
    """A chart as a question declares it."""

    kind: str
    x: str
    y: str
    color: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Asked:
    """A question of the tests' own."""

    sql: str
    name: str = "top-songs"
    title: str = "Most played songs"
    description: str = "By title."
    chart: Drawn | None = Drawn("bar", "song", "plays")
    report: int | None = 10
    parameters: Mapping[str, Any] = field(default_factory=lambda: {"month": None})

    def values(self, given: Mapping[str, str]) -> Mapping[str, Any]:
        return {"month": None, **given}


TOP_SONGS = Asked(
    "SELECT song, count(*) AS plays FROM plays WHERE month = $month GROUP BY ALL ORDER BY ALL DESC"
)

DAYS = [dt.date(2018, 11, day) for day in range(1, 31)]
HOSTILE_COLUMN = "</script><b>plays</b> datum['c0']"


def section(chart: Drawn | None, rows: Mapping[str, Any], name: str = "") -> Section:
    """A section with these columns."""
    title = f"A {chart.kind}" if chart else "Numbers"
    return Section(name or (chart.kind if chart else "numbers"), title, "", chart, pa.table(rows))


def every_kind() -> list[Section]:
    """A section with each kind of chart, and one without."""
    songs = {"song": list(HOSTILE), HOSTILE_COLUMN: [Decimal(9 - i) for i in range(len(HOSTILE))]}
    levels = {
        "day": [day for day in DAYS for _ in "ab"],
        "plays": [day.day * (1 + n) for day in DAYS for n in range(2)],
        "level": ["free", "paid"] * len(DAYS),
    }
    hours = {
        "hour": [hour for _ in range(7) for hour in range(24)],
        "weekday": [1 + number // 24 for number in range(168)],
        "plays": [number % 50 for number in range(168)],
    }
    return [
        replace(
            section(Drawn("bar", "song", HOSTILE_COLUMN), songs),
            title="Most played </h2><script>alert(5)</script>",
            description="{{ config }} & <i>more</i>",
        ),
        section(Drawn("line", "day", "users"), {"day": DAYS, "users": [d.day for d in DAYS]}),
        section(Drawn("area", "day", "plays", "level"), levels),
        section(Drawn("column", "day", "plays", "level"), levels),
        section(Drawn("heatmap", "hour", "weekday", "plays"), hours),
        section(None, {"user_id": ["8", "10"], "share": [0.5, None]}),
    ]


def report(**given: Any) -> Report:
    """November, of the second release."""
    release = Release(2, 1_543_000_000_000, {"songplays": 4, "users": 2})
    figures = [
        Figure("Plays", 6820, 6200),
        Figure("Listeners", 96, 96),
        Figure("Matched plays", 0.35, 0.4, share=True),
        Figure("New listeners", 3, None, note="the first month of all"),
    ]
    values: dict[str, Any] = {
        "lake": "s3://bucket/<lake>",
        "month": MONTH,
        "release": release,
        "made_at": dt.datetime(2018, 12, 1, 8, 30, tzinfo=dt.UTC),
        "figures": figures,
        "days": (DAYS[0], DAYS[-1]),
        "sections": every_kind(),
        "fingerprint": "0f",
    }
    return Report(**{**values, **given})
