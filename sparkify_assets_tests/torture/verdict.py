"""Whether what is seen of a lake keeps the promises: one side of a change, or the end of it."""

from __future__ import annotations

from collections import Counter

from sparkify_assets_tests.torture.plain import Rows, Tables
from sparkify_assets_tests.torture.tally import DOUBLED, HALF_SEEN, LOST


def neither(found: Tables, before: Tables, after: Tables) -> list[tuple[str, str]]:
    """For each table that is as it was neither before nor after: kind and words."""
    return [
        (_kind(rows, wanted), f"{name} is as neither before nor after: {_differs(rows, wanted)}")
        for name, wanted in after.items()
        if (rows := found.get(name, [])) not in (before[name], wanted)
    ]


def torn(found: Tables, before: Tables, after: Tables) -> list[tuple[str, str]]:
    """Of tables that belong together: all as before, or all as after; else kind and words."""
    if found in (before, after):
        return []
    new = [name for name in found if found[name] == after[name] != before[name]]
    return [(HALF_SEEN, f"a release with {', '.join(new) or 'nothing'} as after, the rest not")]


def unequal(found: Tables, expected: Tables) -> list[tuple[str, str]]:
    """For each table that is not as expected: kind and words."""
    return [
        (_kind(rows, wanted), f"{name}: {_differs(rows, wanted)}")
        for name, wanted in expected.items()
        if (rows := found.get(name, [])) != wanted
    ]


def _kind(found: Rows, expected: Rows) -> str:
    here, there = Counter(map(repr, found)), Counter(map(repr, expected))
    if any(number > max(1, there[row]) for row, number in here.items()):
        return DOUBLED
    return LOST if there - here and not here - there else HALF_SEEN


def _differs(found: Rows, expected: Rows) -> str:
    here, there = Counter(map(repr, found)), Counter(map(repr, expected))
    more, fewer = here - there, there - here
    shown = [f"+ {row[:160]}" for row in list(more)[:2]] + [
        f"- {row[:160]}" for row in list(fewer)[:2]
    ]
    return (
        f"{len(found)} rows, expected {len(expected)}; {more.total()} too many, "
        f"{fewer.total()} missing: {'; '.join(shown)}"
    )
