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
_FEW = 24
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
        note: what stands below it.
        wide: whether it takes the whole width of a wide screen.
    """

    spec: Spec
    alt: str
    note: str
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
        if self.kind == "column" and self.color and len(set(self.texts(self.x))) == 1:
            # One column alone says little: its colours become bars.
            self.kind, self.x, self.color = "bar", self.color, None
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
    chart = _DRAWN[data.kind](data).properties(
        width="container", autosize={"type": "fit-x", "contains": "padding"}
    )
    # The tests compare with the schema; doing so here would take most of the time.
    spec: Spec = _dressed(chart).to_dict(validate=False)
    spec.pop("datasets", None)
    for layer in (*spec.get("layer", ()), spec):  # all layers have the same data
        layer.pop("data", None)
    spec["data"] = {"values": data.values}
    return Chart(spec, _alt(section, data), _note(section, data), _is_wide(data))


def _note(section: Section, data: _Data) -> str:
    found = []
    if data.kind == "heatmap":
        known = [plain(v) for v in data.rows.column(data.measure).to_pylist() if v is not None]
        if known:
            least, most = (shown(value, data.measure) for value in (min(known), max(known)))
            what = data.title(data.measure)
            found.append(f"From {least} to {most} {what}: the more, the stronger the colour.")
    if data.left_out:
        found.append(f"The first {data.rows.num_rows:,} of {section.rows.num_rows:,}.")
    return " ".join(found)


def _is_wide(data: _Data) -> bool:
    if data.kind == "column":
        return len(set(data.texts(data.x))) > _FEW
    return data.kind != "bar"


def _bar(data: _Data) -> Any:
    import altair as alt

    names = data.texts(data.y)
    if data.color and _in_words(data, data.color):
        others = data.texts(data.color)
        names = [f"{name} · {other}" for name, other in zip(names, others, strict=True)]
        data.color = None
    height = _lay_out_bars(data, names)
    down = {"domain": [0, height], "reverse": True, "nice": False, "zero": False}
    # Room for the amount behind the longest bar.
    along = {"domainMin": 0, "nice": False, "rangeMax": {"expr": f"width - {_room(data)}"}}
    x = alt.X("from:Q", axis=None, scale=along)
    end = alt.X("to:Q", axis=None, scale=along)
    y = alt.Y("bar_at:Q", axis=None, scale=down)
    label_y = alt.Y("label_at:Q", axis=None, scale=down)
    tooltip = _tooltip(data)
    bars = alt.Chart().mark_bar(
        orient="horizontal",
        size=_BAR_HEIGHT,
        cornerRadiusEnd=0 if data.color else 3,
        color="var(--accent)",
    )
    labels = alt.Chart().mark_text(
        align="left", baseline="top", lineBreak="\n", lineHeight=_TEXT_HEIGHT, fontSize=13,
        color="var(--ink)",
    )  # fmt: skip
    layers = [
        bars.encode(x=x, x2=alt.X2("to"), y=y, tooltip=tooltip, **_coloured(data)),
        labels.encode(x=alt.value(0), y=label_y, text=alt.Text("label:N"), tooltip=tooltip),
    ]
    if not data.color:
        data.add("amount", data.texts(data.x))
        amounts = alt.Chart().mark_text(
            align="left", baseline="middle", dx=6, fontSize=12, color="var(--quiet)"
        )
        layers.append(amounts.encode(x=end, y=y, text=alt.Text("amount:N")))
    return alt.layer(*layers).properties(height=height)


def _lay_out_bars(data: _Data, names: list[str]) -> int:
    """Put each label above its bar, and bars of one name behind each other; the whole height."""
    amounts = [row[data.field(data.x)] or 0 for row in data.values]
    ends: dict[Any, float] = {}
    places: dict[Any, tuple[int, int]] = {}
    height = 0
    for number, (row, name, amount) in enumerate(zip(data.values, names, amounts, strict=True)):
        key = name if data.color else number  # two songs may have one title
        row["from"] = ends.get(key, 0)
        ends[key] = row["to"] = row["from"] + amount
        if key in places:
            row["label"] = ""
        else:
            lines = textwrap.wrap(name, _LINE, max_lines=_LINES, placeholder=" …") or [NOTHING]
            row["label"] = "\n".join(lines)
            bar_at = height + _TEXT_HEIGHT * len(lines) + _BAR_HEIGHT // 2
            places[key] = height, bar_at
            height = bar_at + _BAR_HEIGHT // 2 + _GAP
        row["label_at"], row["bar_at"] = places[key]
    return height


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
        color="var(--accent)",
        cornerRadiusEnd=0 if data.color else 2,
        width={"band": min(0.8, len(order) / 10)},
    )
    found = bars.encode(x=x, y=y, tooltip=_tooltip(data), **_coloured(data))
    return found.properties(height=_HEIGHT)


def _line(data: _Data) -> Any:
    return _along(data, area=False)


def _area(data: _Data) -> Any:
    return _along(data, area=True)


def _along(data: _Data, *, area: bool) -> Any:
    import altair as alt

    dot = {"size": 30} if data.color else {"size": 30, "color": "var(--accent)"}
    points = dot if data.rows.num_rows <= _POINTS else False
    chart: Any = alt.Chart()
    if not area:
        chart = chart.mark_line(point=points, strokeWidth=2, color="var(--accent)")
    elif data.color:
        chart = chart.mark_area(fillOpacity=0.8)
    else:
        chart = chart.mark_area(line=True, point=points, fillOpacity=0.25, color="var(--accent)")
    parts = {"x": _position(data), "tooltip": _tooltip(data), **_coloured(data)}
    if area and data.color:
        _fill_gaps(data, data.color)
    return chart.encode(y=_amounts(data), **parts).properties(height=_HEIGHT)


def _fill_gaps(data: _Data, color: str) -> None:
    """A colour that has no row somewhere is nothing there: else the stack would have a hole."""
    x, y = data.field(data.x), data.field(data.y)
    there = {(row[x], row["colour"]) for row in data.values}
    places = {row[x]: row for row in data.values}
    told = {name: f"t{i}" for i, name in enumerate(data.names)}
    for colour in dict.fromkeys(data.texts(color)):
        for place, row in places.items():
            if (place, colour) not in there:
                same = {name: row[name] for name in (x, "name", told[data.x]) if name in row}
                nothing = {y: 0, "colour": colour, told[color]: colour, told[data.y]: "0"}
                data.values.append(same | nothing)


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
            field=data.field(data.measure), type="quantitative", legend=None,
            scale={"range": [0.06, 1], "domainMin": 0},
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
    order = sorted(data.in_order(data.color))  # the same colours in every month
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
