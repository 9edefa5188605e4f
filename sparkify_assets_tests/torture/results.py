"""Tallies as a table for people, as a file, and as a plot of how much of each sweep was tried."""

from __future__ import annotations

import datetime as dt
import platform
from collections.abc import Sequence
from pathlib import Path

from sparkify_assets_tests.torture.tally import DOUBLED, HALF_SEEN, LOST, OTHER, Tally

_KINDS = (LOST, DOUBLED, HALF_SEEN, OTHER)
_BAR, _LINE, _LEFT = 240, 18, 420


def table(tallies: Sequence[Tally]) -> str:
    """What was done and found, as Markdown."""
    lines = [
        f"| exercise | tried | {' | '.join(_KINDS)} | seconds |",
        "| --- | --- | " + "--- | " * (len(_KINDS) + 1),
    ]
    for tally in tallies:
        tried = ", ".join(f"{name} {number:,}" for name, number in sorted(tally.counts.items()))
        found = [sum(one.kind == kind for one in tally.failures) for kind in _KINDS]
        broken = " | ".join(map(str, found))
        lines.append(f"| {tally.name} | {tried} | {broken} | {tally.seconds:,.0f} |")
    return "\n".join(lines)


def shares(tallies: Sequence[Tally]) -> str:
    """How much of each sweep was tried, as Markdown."""
    lines = ["| swept | tried | of | share |", "| --- | --- | --- | --- |"]
    for tally in tallies:
        for name, (tried, total) in tally.shares.items():
            share = tried / total if total else 1.0
            lines.append(f"| {tally.name}: {name} | {tried:,} | {total:,} | {share:.0%} |")
    return "\n".join(lines)


def write(path: Path, tallies: Sequence[Tally], minutes: float, seed: int) -> None:
    """Write both tables, and on what machine and with which seed they came about."""
    path.parent.mkdir(parents=True, exist_ok=True)
    failures = "\n".join(f"- {one}" for tally in tallies for one in tally.failures)
    path.write_text(
        f"# Torture, {dt.datetime.now(dt.UTC):%Y-%m-%d}\n\n"
        f"Seed {seed}, {minutes:g} minutes asked for; Python {platform.python_version()}, "
        f"{platform.system()}.\n\n{table(tallies)}\n\n{shares(tallies)}\n"
        + (f"\n## Broken promises\n\n{failures}\n" if failures else "")
    )


def plot(path: Path, tallies: Sequence[Tally]) -> None:
    """A bar for each sweep: how much of it was tried."""
    bars = [
        (f"{tally.name}: {name}", tried, total)
        for tally in tallies
        for name, (tried, total) in tally.shares.items()
    ]
    height = _LINE * len(bars) + 20
    rows = []
    for number, (name, tried, total) in enumerate(bars):
        y, share = 10 + _LINE * number, tried / total if total else 1.0
        rows.append(
            f'<text x="{_LEFT - 8}" y="{y + 12}" text-anchor="end">{name}</text>'
            f'<rect x="{_LEFT}" y="{y + 2}" width="{_BAR}" height="12" fill="#e5e7eb"/>'
            f'<rect x="{_LEFT}" y="{y + 2}" width="{_BAR * share:.1f}" height="12" fill="#2563eb"/>'
            f'<text x="{_LEFT + _BAR + 8}" y="{y + 12}">{tried:,} of {total:,}</text>'
        )
    path.write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_LEFT + _BAR + 130}" height="{height}" '
        f'font-family="sans-serif" font-size="11">\n<rect width="100%" height="100%" '
        f'fill="white"/>\n' + "\n".join(rows) + "\n</svg>\n"
    )
