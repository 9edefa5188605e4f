"""What was measured, as Markdown, JSON and a plot."""

from __future__ import annotations

import datetime as dt
import json
import os
import platform
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil
from vl_convert import vegalite_to_png

from bench.contenders import CONTENDERS
from bench.inputs import Input
from bench.measure import Measured

_PACKAGES = ("dagster", "deltalake", "duckdb", "polars", "pyarrow", "pysail", "pyspark")
_OWN = "sparkify"
RESULTS = Path(__file__).parent / "results"

Runs = Mapping[str, Sequence[Measured]]


def median(runs: Sequence[Measured], of: Callable[[Measured], float]) -> float:
    """The median of one figure."""
    return statistics.median(map(of, runs))


def table(runs: Runs, failures: Mapping[str, str]) -> str:
    """Markdown: a row for each contender, the quickest first."""
    own = median(runs[_OWN], lambda one: one.wall) if runs.get(_OWN) else None
    lines = [
        "| contender | seconds | beside `sparkify run` | CPU seconds | peak memory | files "
        "| written | each run, s |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | --- |",
    ]
    for name in sorted(runs, key=lambda one: median(runs[one], lambda run: run.wall)):
        found = runs[name]
        wall = median(found, lambda one: one.wall)
        cells = [
            CONTENDERS[name].title,
            f"{wall:.1f}",
            f"{wall / own:.2f}" if own else "",
            f"{median(found, lambda one: one.cpu):.1f}",
            f"{median(found, lambda one: one.peak) / 1e9:.2f} GB",
            f"{median(found, lambda one: one.files):,.0f}",
            f"{median(found, lambda one: one.written) / 1e6:,.1f} MB",
            ", ".join(f"{one.wall:.1f}" for one in found),
        ]
        lines.append(f"| {' | '.join(cells)} |")
    lines += [f"\n{CONTENDERS[name].title}: no figure; {why}" for name, why in failures.items()]
    return "\n".join(lines)


def machine() -> str:
    """Where and with what, in one line each."""
    memory = psutil.virtual_memory().total / (1 << 30)
    packages = ", ".join(f"{name} {version(name)}" for name in _PACKAGES)
    return (
        f"{os.cpu_count()} cores, {memory:.0f} GiB, {platform.system()} {platform.machine()}, "
        f"Python {platform.python_version()}; {packages}"
    )


def say(text: str) -> None:
    """Print it now: a measurement takes minutes."""
    print(text, flush=True)


def dated(folder: Path, name: str) -> Path:
    """Where what was measured today is kept, as Markdown; the folder is made."""
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{_today()}-{name}.md"


def measured_here() -> str:
    """When, where and with what: a sentence."""
    return f"{_today()}; {machine()}."


def _today() -> str:
    return dt.datetime.now(dt.UTC).date().isoformat()


def save(folder: Path, given: Input, runs: Runs, failures: Mapping[str, str]) -> Path:
    """Write all three; returns the Markdown's path."""
    path = dated(folder, given.name)
    path.write_text(
        f"# {given.name}: {given.title}\n\n{measured_here()} Whole processes, one after the "
        f"other in turns, medians; all made the same rows.\n\n{table(runs, failures)}\n\n"
        f"![Seconds and memory]({path.stem}.png)\n",
        encoding="utf-8",
    )
    raw = {name: [asdict(one) for one in found] for name, found in runs.items()}
    path.with_suffix(".json").write_text(json.dumps(raw, indent=2) + "\n", encoding="utf-8")
    path.with_suffix(".png").write_bytes(vegalite_to_png(plot(given, runs), scale=2))
    return path


def plot(given: Input, runs: Runs) -> dict[str, Any]:
    """Vega-Lite: seconds and memory of each contender, a bar for the median, a dot a run."""
    rows = [
        {"contender": CONTENDERS[name].title, "seconds": one.wall, "GB": one.peak / 1e9}
        for name, found in runs.items()
        for one in found
    ]
    quickest = sorted(runs, key=lambda name: median(runs[name], lambda run: run.wall))
    order = [CONTENDERS[name].title for name in quickest]
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
        "title": {"text": f"{given.name}: {given.title}", "anchor": "start", "offset": 12},
        "background": "white",
        "data": {"values": rows},
        "hconcat": [
            _panel("seconds", "seconds, whole process", order),
            _panel("GB", "peak memory, GB", order),
        ],
        "config": {"view": {"stroke": None}, "axis": {"grid": False}},
    }


def _panel(field: str, title: str, order: Sequence[str]) -> dict[str, Any]:
    y = {"field": "contender", "type": "nominal", "sort": list(order), "title": None}
    own = f"indexof(datum.contender, '{_OWN} ') == 0"
    colour = {"condition": {"test": own, "value": "#1db954"}, "value": "#b8bcc2"}
    middle = {"aggregate": "median", "field": field, "type": "quantitative", "title": title}
    dots = {"field": field, "type": "quantitative", "title": title}
    return {
        "width": 300,
        "height": {"step": 30},
        "layer": [
            {"mark": "bar", "encoding": {"y": y, "x": middle, "color": colour}},
            {"mark": {"type": "circle", "color": "#333", "size": 18, "opacity": 1},
             "encoding": {"y": y, "x": dots}},
        ],
    }  # fmt: skip
