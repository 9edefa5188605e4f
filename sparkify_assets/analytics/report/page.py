"""The page: one HTML file with everything in it, which asks nobody for anything.

No value from the data is written as HTML or as a script: the template escapes all of it, and the
page's policy names its own scripts by their hashes, so that a browser runs no other and fetches
nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources
from typing import Any

from sparkify_assets.analytics.report.bundle import Script, script, vega_bundle
from sparkify_assets.analytics.report.charts import Chart, draw
from sparkify_assets.analytics.report.figures import month_before
from sparkify_assets.analytics.report.model import Figure, Report, Section
from sparkify_assets.analytics.report.values import (
    NOTHING,
    day_name,
    heading,
    is_number,
    month_name,
    shown,
)

MOST_ROWS = 100
_HERE = "sparkify_assets.analytics.report"
# More columns than that need the whole width.
_NARROW = 5


@dataclass(frozen=True)
class _Column:
    heading: str
    number: bool


@dataclass(frozen=True)
class _Card:
    name: str
    title: str
    description: str
    chart: Chart | None
    count: int
    columns: Sequence[_Column]
    rows: Sequence[Sequence[str]]
    wide: bool

    @property
    def rest(self) -> str:
        return f"{self.count - len(self.rows):,}" if self.count > len(self.rows) else ""

    @property
    def count_shown(self) -> str:
        return "1 row" if self.count == 1 else f"{self.count:,} rows"


@dataclass(frozen=True)
class _Tile:
    name: str
    value: str
    change: str
    note: str


def render(report: Report) -> str:
    """The page of a month.

    Raises:
        ChartError: a question asks for a chart that its answer cannot be drawn as.
    """
    cards = _paired([_card(section) for section in report.sections])
    scripts = _scripts(any(card.chart for card in cards) and bool(report.figures))
    allowed = " ".join(one.source for one in scripts) or "'none'"
    text: str = _template().render(
        report=report,
        month=month_name(report.month),
        days=_days(report),
        figures=[_tile(figure, report.month) for figure in report.figures],
        cards=cards,
        release=str(report.release),
        made_at=f"{report.made_at:%Y-%m-%d %H:%M}",
        versions=sorted(report.release.versions.items()),
        style=_safe(_file("page.css")),
        scripts=[_safe(one.text) for one in scripts],
        policy=(
            f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; img-src data:; "
            "base-uri 'none'; form-action 'none'"
        ),
    )
    return text


def _scripts(drawing: bool) -> list[Script]:
    if not drawing:
        return []
    return [script(_file("fold.js")), vega_bundle(), script(_file("draw.js"))]


def _card(section: Section) -> _Card:
    rows = section.rows.slice(0, MOST_ROWS)
    chart = draw(section)
    cells = [
        [shown(value, name) for value in rows.column(name).to_pylist()]
        for name in rows.column_names
    ]
    return _Card(
        section.name,
        section.title,
        section.description,
        chart,
        section.rows.num_rows,
        [_Column(heading(field.name), is_number(field.type)) for field in rows.schema],
        list(zip(*cells, strict=True)),
        chart.wide if chart else len(cells) > _NARROW,
    )


def _paired(cards: Sequence[_Card]) -> list[_Card]:
    """Two narrow cards stand side by side; one without another beside it takes all the width."""
    found: list[_Card] = []
    alone: int | None = None
    for card in cards:
        if card.wide and alone is not None:
            found[alone] = _widened(found[alone])
        alone = None if card.wide or alone is not None else len(found)
        found.append(card)
    if alone is not None:
        found[alone] = _widened(found[alone])
    return found


def _widened(card: _Card) -> _Card:
    return replace(card, wide=True)


def _tile(figure: Figure, month: str) -> _Tile:
    if figure.value is None:
        return _Tile(figure.name, NOTHING, "", figure.note)
    value = _percent(figure.value) if figure.share else f"{figure.value:,.0f}"
    against = month_name(month_before(month)).split()[0]
    if figure.value == figure.before:
        return _Tile(figure.name, value, "", f"as in {against}")
    if figure.before is None or (not figure.share and figure.before == 0):
        return _Tile(figure.name, value, "", figure.note)
    if figure.share:
        change = 100 * (figure.value - figure.before)
        unit = "points"
    else:
        change = 100 * (figure.value / figure.before - 1)
        unit = "%"
    if abs(change) < 0.05:
        return _Tile(figure.name, value, "", f"as in {against}")
    sign, digits = ("+" if change > 0 else "−"), 1 if abs(change) < 100 else 0
    return _Tile(figure.name, value, f"{sign}{abs(change):,.{digits}f} {unit}", f"on {against}")


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %" if share == 0 or share >= 0.01 else f"{100 * share:.2g} %"


def _days(report: Report) -> str:
    if report.days is None:
        return ""
    first, last = report.days
    return day_name(first) if first == last else f"{first.day} to {day_name(last)}"


def _safe(text: str) -> Any:
    from markupsafe import Markup

    return Markup(text)  # noqa: S704 -- the project's own files, and the charts' libraries


@cache
def _file(name: str) -> str:
    return resources.files(_HERE).joinpath(name).read_text("utf-8")


@cache
def _template() -> Any:
    # Loaded where a page is made only; every text is escaped.
    from jinja2 import Environment, StrictUndefined

    environment = Environment(autoescape=True, undefined=StrictUndefined)
    return environment.from_string(_file("page.html.jinja"))
