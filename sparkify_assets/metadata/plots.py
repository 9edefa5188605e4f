"""Small plots for the metadata of a materialization, as pictures within Markdown."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from dagster import MarkdownMetadataValue

from sparkify_assets.partitions import first_instant, next_month

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_DAY_MS = 86_400_000
_COLOUR = "#4f43dd"
_GREY = "#555555"


def plays_per_day(month: str, days: Mapping[str, int]) -> MarkdownMetadataValue:
    """A step for each day of the month; `days` are rows by `YYYY-MM-DD`."""
    length = (first_instant(next_month(month)) - first_instant(month)) // _DAY_MS
    counts = [days.get(f"{month}-{day:02d}", 0) for day in range(1, length + 1)]
    figure, axes = _figure(f"plays per day, {month}")
    axes.stairs(counts, [day + 0.5 for day in range(length + 1)], fill=True, color=_COLOUR)
    axes.set_xlim(0.5, length + 0.5)
    axes.set_xticks(range(1, length + 1, 7))
    axes.set_ylim(bottom=0)
    return _picture(figure, f"plays per day of {month}")


def match_rates(rates: Mapping[str, float]) -> MarkdownMetadataValue:
    """A point for each month: the share of plays that match a song, 0 to 1."""
    figure, axes = _figure("plays that match a song of the catalogue, %, by month")
    months = sorted(rates)
    axes.plot(range(len(months)), [100 * rates[m] for m in months], "o-", color=_COLOUR, ms=4)
    step = max(1, len(months) // 12)
    axes.set_xticks(range(0, len(months), step), months[::step])
    axes.set_ylim(bottom=0)
    return _picture(figure, "match rate by month")


def _figure(title: str) -> tuple[Figure, Any]:
    # Loaded where a plot is made only; without pyplot, which would keep every figure.
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.5, 2.2), dpi=90)
    axes = figure.add_axes((0.08, 0.14, 0.9, 0.72))
    axes.set_title(title, fontsize=10, loc="left", color=_GREY)
    axes.tick_params(labelsize=8, colors=_GREY)
    axes.spines[["top", "right"]].set_visible(False)
    axes.locator_params(axis="y", nbins=4)  # most of the time goes into the labels
    return figure, axes


def _picture(figure: Figure, text: str) -> MarkdownMetadataValue:
    content = io.BytesIO()
    figure.savefig(content, format="png")
    data = base64.b64encode(content.getvalue()).decode()
    return MarkdownMetadataValue(f"![{text}](data:image/png;base64,{data})")
