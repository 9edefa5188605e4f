"""Small plots for the metadata of a materialization, as pictures within Markdown.

A plot is a few lines of SVG: a run over two years draws one for each month, and a library for plots
takes longer for them than the engine does for a table (docs/how-it-works.md).
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from math import ceil, floor, log10
from xml.sax.saxutils import escape

from dagster import MarkdownMetadataValue

from sparkify_assets.partitions import days_in

_COLOUR = "#4f43dd"
_GREY = "#555555"
_LIGHT = "#dddddd"
# Of the picture, and of the field within it, in pixels.
_WIDTH, _HEIGHT = 675, 198
_LEFT, _RIGHT, _TOP, _BOTTOM = 54, 665, 30, 170
_MOST_TICKS = 4
_MOST_MONTHS = 12


def plays_per_day(month: str, days: Mapping[str, int]) -> MarkdownMetadataValue:
    """A bar for each day of the month; `days` are rows by `YYYY-MM-DD`."""
    length = days_in(month)
    counts = [days.get(f"{month}-{day:02d}", 0) for day in range(1, length + 1)]
    field = _Field(length, max(counts))
    bars = "".join(
        f"M{field.x(index):.1f} {_BOTTOM}V{field.y(count):.1f}h{field.step:.1f}V{_BOTTOM}"
        for index, count in enumerate(counts)
    )
    labels = {day - 0.5: str(day) for day in range(1, length + 1, 7)}
    shape = f'<path d="{bars}" fill="{_COLOUR}"/>'
    return _picture(f"plays per day, {month}", field, shape, labels)


def match_rates(rates: Mapping[str, float]) -> MarkdownMetadataValue:
    """A point for each month: the share of plays that match a song, 0 to 1."""
    months = sorted(rates)
    percent = [100 * rates[month] for month in months]
    field = _Field(len(months), max(percent, default=0))
    points = [(field.x(index + 0.5), field.y(one)) for index, one in enumerate(percent)]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    dots = "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3"/>' for x, y in points)
    shape = (
        f'<polyline points="{line}" fill="none" stroke="{_COLOUR}" stroke-width="1.5"/>'
        f'<g fill="{_COLOUR}">{dots}</g>'
    )
    every = max(1, ceil(len(months) / _MOST_MONTHS))
    labels = {index + 0.5: months[index] for index in range(0, len(months), every)}
    return _picture("plays that match a song of the catalogue, %, by month", field, shape, labels)


class _Field:
    """Where things are: `number` steps from left to right, 0 to the top value upwards."""

    def __init__(self, number: int, most: float) -> None:
        self.step = (_RIGHT - _LEFT) / max(number, 1)
        self.ticks = _ticks(most)

    def x(self, index: float) -> float:
        return _LEFT + index * self.step

    def y(self, value: float) -> float:
        return _BOTTOM - value / self.ticks[-1] * (_BOTTOM - _TOP)


def _ticks(most: float) -> Sequence[float]:
    """Round numbers from 0 up to `most` or just above it."""
    if not most:
        return [0, 1]
    least_step = most / _MOST_TICKS
    power = 10.0 ** floor(log10(least_step))
    # What a number has too much in its last place counts for nothing.
    step = next(s * power for s in (1, 2, 2.5, 5, 10) if s * power >= least_step * (1 - 1e-9))
    return [number * step for number in range(ceil(most / step - 1e-9) + 1)]


def _told(tick: float) -> str:
    return f"{tick:,.0f}" if tick == int(tick) else f"{tick:g}"


def _picture(
    title: str, field: _Field, shape: str, labels: Mapping[float, str]
) -> MarkdownMetadataValue:
    """Markdown of a plot; `labels` stand below these steps."""
    lines = "".join(
        f'<path d="M{_LEFT} {field.y(tick):.1f}H{_RIGHT}" stroke="{_LIGHT}"/>'
        f'<text x="{_LEFT - 6}" y="{field.y(tick) + 4:.1f}" text-anchor="end">{_told(tick)}</text>'
        for tick in field.ticks
    )
    below = "".join(
        f'<text x="{field.x(at):.1f}" y="{_BOTTOM + 17}" text-anchor="middle">{label}</text>'
        for at, label in labels.items()
    )
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{_HEIGHT}" '
        f'font-family="sans-serif" font-size="11" fill="{_GREY}">'
        f'<rect width="100%" height="100%" fill="white"/>'
        f'<text x="{_LEFT}" y="18" font-size="13">{escape(title)}</text>{lines}{shape}{below}</svg>'
    )
    data = base64.b64encode(svg.encode()).decode()
    return MarkdownMetadataValue(f"![{title}](data:image/svg+xml;base64,{data})")
