"""Pictures of sections: a Vega-Lite specification that fits any width, in colours of the page.

Colours are names of CSS (`var(--accent)`), so that light, dark and paper need no second drawing.
Values lie under names of our own (`c0`, `c1`, …): a column's name is never read as an expression.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import pyarrow as pa

from sparkify_assets.analytics.report.model import Chart as Asked
from sparkify_assets.analytics.report.model import Section
from sparkify_assets.analytics.report.values import (
    NOTHING,
    WEEKDAYS,
    day_name,
    for_chart,
    heading,
    is_number,
    is_share,
    is_time,
    plain,
    shown,
)
from sparkify_assets.errors import SparkifyError

Spec = dict[str, Any]

# More than these nobody can tell apart.
MOST = {"bar": 12, "column": 100, "line": 5_000, "area": 5_000, "heatmap": 5_000}
COLOURS = 6
# A label stands above its bar, so that a phone shows all of it; in lines of so many characters.
_LINE, _LINES = 46, 3
_TEXT_HEIGHT, _BAR_HEIGHT, _GAP = 17, 12, 12
_HEIGHT = 230
_CELL = 26
_POINTS = 62
_WORDS = {
    "bar": "Bar chart", "column": "Column chart", "line": "Line chart", "area": "Area chart",
    "heatmap": "Heat map",
}  # fmt: skip


class ChartError(SparkifyError):
    """A question asks for a chart that its answer cannot be drawn as."""


@dataclass(frozen=True)
class Chart:
    """A chart of the page.

    Attributes:
        alt: what it shows, in words.
        left_out: how many rows are in the numbers alone.
        wide: whether it takes the whole width of a wide screen.
    """

    spec: Spec
    alt: str
    left_out: int
    wide: bool


class _Data:
    """The rows to draw, and the columns by their part in the chart."""

    def __init__(self, section: Section, chart: Asked) -> None:
        self.kind, self._labels = chart.kind, chart.labels
        if self.kind not in MOST:
            raise ChartError(
                f"{section.name}: a chart of kind {self.kind!r}; expected {', '.join(MOST)}"
            )
        self.rows = section.rows.slice(0, MOST[self.kind])
        self.left_out = section.rows.num_rows - self.rows.num_rows
        self.names = list(section.rows.column_names)
        for part, name in (("x", chart.x), ("y", chart.y), ("color", chart.color)):
            if name not in self.names and (name is not None or part != "color"):
                raise ChartError(
                    f"{section.name}: the chart's {part} is {name!r}; the answer has the columns "
                    f"{', '.join(self.names)}"
                )
        self.x, self.y, self.color = chart.x, chart.y, chart.color
        if self.kind == "bar" and not is_number(self.type(self.x)):
            self.x, self.y = self.y, self.x  # the amount lies along the width
        measure = {"bar": self.x, "heatmap": self.color}.get(self.kind, self.y)
        if measure is None or not is_number(self.type(measure)):
            raise ChartError(
                f"{section.name}: a {self.kind} needs an amount as its "
                f"{'color' if self.kind == 'heatmap' else 'y'}; found {measure!r}"
            )
        self.measure = measure
        self.values = [
            {f"c{i}": for_chart(row[name]) for i, name in enumerate(self.names)}
            for row in self.rows.to_pylist()
        ]

    def type(self, name: str) -> pa.DataType:
        return self.rows.schema.field(name).type

    def field(self, name: str) -> str:
        return f"c{self.names.index(name)}"

    def texts(self, name: str) -> list[str]:
        """The values of a column as people read them."""
        days = pa.types.is_date(self.type(name))
        weekdays = name == "weekday" and pa.types.is_integer(self.type(name))

        def text(value: Any) -> str:
            if days and isinstance(value, date):
                return day_name(value, short=True)
            if weekdays and value in WEEKDAYS:
                return WEEKDAYS[value]
            return shown(value, name)

        return [text(value) for value in self.rows.column(name).to_pylist()]

    def title(self, name: str) -> str:
        """What is written for a column."""
        return self._labels.get(name) or heading(name)

    def in_order(self, name: str) -> list[str]:
        """The different values: amounts and times by size, texts as they come."""
        column = self.rows.column(name).to_pylist()
        values = dict(zip(self.texts(name), column, strict=True))
        if not (is_number(self.type(name)) or is_time(self.type(name))):
            return list(values)
        there = [text for text, value in values.items() if value is not None]
        lacking = [text for text, value in values.items() if value is None]
        return sorted(there, key=lambda text: values[text]) + lacking

    def shown(self, name: str) -> list[str]:
        """The values of a column in full."""
        return [shown(value, name) for value in self.rows.column(name).to_pylist()]

    def add(self, field: str, texts: Sequence[Any]) -> str:
        """Another field of each row; its name again."""
        for row, text in zip(self.values, texts, strict=True):
            row[field] = text
        return field


def draw(section: Section) -> Chart | None:
    """The chart of a section; None where it has none, or no rows.

    Raises:
        ChartError: the answer has no such columns, or no amounts where the chart needs them.
    """
    if section.chart is None or not section.rows.num_rows:
        return None
    data = _Data(section, section.chart)
    chart = _DRAWN[data.kind](data).properties(width="container")
    # The tests compare with the schema; doing so here would take most of the time.
    spec: Spec = _dressed(chart).to_dict(validate=False)
    spec["data"] = {"values": data.values}
    return Chart(spec, _alt(section, data), data.left_out, wide=data.kind != "bar")


def _bar(data: _Data) -> Any:
    import altair as alt

    names = data.texts(data.y)
    if data.color and _in_words(data, data.color):
        others = data.texts(data.color)
        names = [f"{name} · {other}" for name, other in zip(names, others, strict=True)]
        data.color = None
    # Two songs may have one title; with colours, rows of one name are one bar.
    keys = list(dict.fromkeys(names)) if data.color else []
    data.add("row", [keys.index(name) if keys else i for i, name in enumerate(names)])
    wrapped = [
        textwrap.wrap(name, _LINE, max_lines=_LINES, placeholder=" …") or [NOTHING]
        for name in names
    ]
    data.add("label", ["\n".join(lines) for lines in wrapped])
    above = _TEXT_HEIGHT * max(map(len, wrapped))
    step = above + _BAR_HEIGHT + _GAP
    at = above + _BAR_HEIGHT / 2 - step / 2
    y = alt.Y("row:O", axis=None, scale={"padding": 0})
    x = alt.X(
        field=data.field(data.x),
        type="quantitative",
        axis=None,
        # Room for the amount behind the longest bar.
        scale={"domainMin": 0, "nice": False, "rangeMax": {"expr": f"width - {_room(data)}"}},
    )
    tooltip = _tooltip(data)
    bars = alt.Chart().mark_bar(
        size=_BAR_HEIGHT, yOffset=at, cornerRadiusEnd=0 if data.color else 3, color="var(--accent)"
    )
    labels = alt.Chart().mark_text(
        align="left", baseline="top", yOffset=1 - step / 2, lineBreak="\n",
        lineHeight=_TEXT_HEIGHT, fontSize=13, color="var(--ink)",
    )  # fmt: skip
    layers = [
        bars.encode(x=x, y=y, tooltip=tooltip, **_coloured(data)),
        labels.encode(x=alt.value(0), y=y, text=alt.Text("label:N"), tooltip=tooltip),
    ]
    if not data.color:
        data.add("amount", data.texts(data.x))
        amounts = alt.Chart().mark_text(
            align="left", baseline="middle", dx=6, yOffset=at, fontSize=12, color="var(--quiet)"
        )
        layers.append(amounts.encode(x=x, y=y, text=alt.Text("amount:N")))
    return alt.layer(*layers).properties(height={"step": step})


def _in_words(data: _Data, color: str) -> bool:
    """Whether colours would tell nobody anything: of the artists of ten songs, for example."""
    colours, bars = set(data.texts(color)), data.texts(data.y)
    return len(colours) > COLOURS or (len(colours) > 2 and len(set(bars)) == len(bars))


def _room(data: _Data) -> int:
    return 8 if data.color else 8 * max(map(len, data.texts(data.x))) + 10


def _column(data: _Data) -> Any:
    import altair as alt

    names = data.texts(data.x)
    data.add("name", names)
    order = data.in_order(data.x)
    x = alt.X("name:N", sort=order, title=data.title(data.x), axis=_labels(order))
    y = _amounts(data)
    bars = alt.Chart().mark_bar(
        color="var(--accent)", cornerRadiusEnd=0 if data.color else 2, width={"band": 0.8}
    )
    found = bars.encode(x=x, y=y, tooltip=_tooltip(data), **_coloured(data))
    return found.properties(height=_HEIGHT)


def _line(data: _Data) -> Any:
    return _along(data, area=False)


def _area(data: _Data) -> Any:
    return _along(data, area=True)


def _along(data: _Data, *, area: bool) -> Any:
    import altair as alt

    points = data.rows.num_rows <= _POINTS
    mark: dict[str, Any] = {"interpolate": "monotone", "point": {"size": 30} if points else False}
    chart = alt.Chart()
    chart = (
        chart.mark_area(**mark, line=True, fillOpacity=0.3, color="var(--accent)")
        if area
        else chart.mark_line(**mark, strokeWidth=2, color="var(--accent)")
    )
    found = chart.encode(
        x=_position(data), y=_amounts(data), tooltip=_tooltip(data), **_coloured(data)
    )
    return found.properties(height=_HEIGHT)


def _position(data: _Data) -> Any:
    import altair as alt

    kind = data.type(data.x)
    title = data.title(data.x)
    if is_time(kind):
        axis = {
            "format": "%-d %b" if pa.types.is_date(kind) else "%-d %b %H:%M",
            "tickCount": {"expr": "width / 70"},
            "labelOverlap": "greedy",
            "labelFlush": True,
            "grid": False,
        }
        return alt.X(
            field=data.field(data.x), type="temporal", scale={"type": "utc"}, title=title, axis=axis
        )
    if is_number(kind):
        return alt.X(
            field=data.field(data.x), type="quantitative", title=title,
            scale={"zero": False, "nice": False},
            axis={"grid": False, "tickMinStep": 1, "format": "d", "labelOverlap": "greedy"},
        )  # fmt: skip
    data.add("name", data.texts(data.x))
    order = data.in_order(data.x)
    return alt.X("name:O", sort=order, title=title, axis=_labels(order))


def _heatmap(data: _Data) -> Any:
    import altair as alt

    data.add("across", data.texts(data.x))
    data.add("down", data.texts(data.y))
    across, down = data.in_order(data.x), data.in_order(data.y)
    left = {"labelLimit": 130, "ticks": False, "domain": False, "grid": False}
    found = alt.Chart().mark_rect(color="var(--accent)", stroke="var(--card)", strokeWidth=2)
    found = found.encode(
        x=alt.X("across:O", sort=across, title=data.title(data.x), axis=_labels(across)),
        y=alt.Y("down:O", sort=down, title=None, axis=left),
        # One colour, more or less of it: so it is readable on light and on dark.
        fillOpacity=alt.FillOpacity(
            field=data.field(data.measure), type="quantitative", title=data.title(data.measure),
            scale={"range": [0.06, 1], "domainMin": 0},
            legend={"orient": "top", "direction": "horizontal", "symbolType": "square",
                    "symbolFillColor": "var(--accent)", "symbolStrokeWidth": 0,
                    "format": _format(data.measure), "tickCount": 4, "symbolSize": 160},
        ),
        tooltip=_tooltip(data),
    )  # fmt: skip
    return found.properties(height={"step": _CELL})


_DRAWN: dict[str, Callable[[_Data], Any]] = {
    "bar": _bar, "column": _column, "line": _line, "area": _area, "heatmap": _heatmap,
}  # fmt: skip


def _amounts(data: _Data) -> Any:
    import altair as alt

    axis = {"tickCount": 5, "format": _format(data.y), "domain": False, "ticks": False}
    return alt.Y(
        field=data.field(data.y), type="quantitative", title=data.title(data.y), axis=axis,
        scale={"domainMin": 0} if not data.color else {"zero": True},
    )  # fmt: skip


def _coloured(data: _Data) -> dict[str, Any]:
    import altair as alt

    if data.color is None:
        return {}
    data.add("colour", data.texts(data.color))
    order = data.in_order(data.color)
    colours = [f"var(--c{i % COLOURS})" for i in range(len(order))]
    legend = {"orient": "top", "title": None, "columns": {"expr": "max(1, floor(width / 110))"}}
    return {
        "color": alt.Color(
            "colour:N", sort=order, scale={"domain": order, "range": colours}, legend=legend
        )
    }


def _tooltip(data: _Data) -> list[Any]:
    """Every column of the row that is pointed at."""
    import altair as alt

    return [
        alt.Tooltip(data.add(f"t{i}", data.shown(name)), type="nominal", title=data.title(name))
        for i, name in enumerate(data.names)
    ]


def _labels(order: list[str]) -> dict[str, Any]:
    """The axis below names: slanted where they would not stand beside each other on a phone."""
    axis: dict[str, Any] = {"grid": False, "ticks": False, "labelLimit": 140}
    if max(map(len, order), default=0) <= 6:
        return {**axis, "labelAngle": 0, "labelOverlap": "greedy"}
    several = sum(map(len, order)) > _LINE
    return {**axis, "labelAngle": -40 if several else 0, "labelOverlap": len(order) > 20}


def _format(name: str) -> str:
    return "~%" if is_share(name) else ",~r"


def _dressed(chart: Any) -> Any:
    """The looks that all charts share."""
    font = "system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif"
    words = {"labelColor": "var(--quiet)", "titleColor": "var(--quiet)", "titleFontWeight": 400,
             "labelFontSize": 12, "titleFontSize": 12}  # fmt: skip
    return chart.configure(
        background="transparent",
        font=font,
        # The page has the words for those who do not see it.
        aria=False,
        padding={"left": 0, "right": 4, "top": 2, "bottom": 0},
        autosize={"type": "fit-x", "contains": "padding"},
        axis={**words, "gridColor": "var(--line)", "domainColor": "var(--line)",
              "tickColor": "var(--line)", "labelPadding": 6},
        legend={**words, "labelLimit": 240},
        view={"stroke": None},
    )  # fmt: skip


def _alt(section: Section, data: _Data) -> str:
    measures = data.rows.column(data.measure).to_pylist()
    known = [(plain(v), i) for i, v in enumerate(measures) if plain(v) is not None]
    by = ", ".join(data.title(n) for n in (data.x, data.y, data.color) if n and n != data.measure)
    found = f"{_WORDS[data.kind]}: {section.title}. {data.title(data.measure)} by {by}."
    if not known:
        return found
    (least, low), (most, high) = min(known), max(known)

    def where(row: int) -> str:
        named = [n for n in (data.x, data.y, data.color) if n and n != data.measure]
        return ", ".join(data.texts(name)[row] for name in named)

    return (
        f"{found} Most: {shown(most, data.measure)} ({where(high)}); "
        f"least: {shown(least, data.measure)} ({where(low)})."
    )
