"""Whether some serial order explains what is seen of a lake in a history.

What a clean load of each state of the landing zone says is known. A version of a table is one of
these states, month by month, and from version to version only a later state may follow. A release
is one state as a whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from sparkify_assets.tables import TABLES
from sparkify_assets_tests.torture.plain import Rows, Tables
from sparkify_assets_tests.torture.scene import MONTHS
from sparkify_assets_tests.torture.states import STATES, State, after_any
from sparkify_assets_tests.torture.tally import DOUBLED, HALF_SEEN, LOST, Broken


@dataclass(frozen=True)
class Release:
    """A release that was recorded, with the tables in its versions.

    Attributes:
        pending: the months that it has as they were before.
    """

    number: int
    pending: Sequence[str]
    tables: Tables


@dataclass(frozen=True)
class Known:
    """What a clean load of each state of the landing zone says.

    Attributes:
        tables: the five tables, by state; also of those in `BETWEEN`.
        account: of the last state, the ledger and the raw rows that count.
    """

    tables: Mapping[State, Tables]
    account: Tables

    def states(self, name: str, rows: Rows, month: str | None = None) -> set[State]:
        """The states in which a table (or its month) has these rows."""
        return {s for s, tables in self.tables.items() if _of(tables[name], name, month) == rows}

    def seen(self, name: str, rows: Rows) -> list[Broken]:
        """What is wrong with a table by itself: a part of it that no state has."""
        return [
            _as_no_state(name, month, part)
            for month, part in _by_month(name, rows).items()
            if not self.states(name, part, month)
        ]

    def versions(self, name: str, found: Mapping[int, Rows]) -> Iterator[Broken]:
        """What is wrong with the versions of a table, the oldest first: no state, or an earlier one
        than what was replaced. Of a month, the first such version is told."""
        reached: dict[str | None, set[State]] = {}
        told: set[str | None] = set()
        for version, rows in found.items():
            for month, part in _by_month(name, rows).items():
                if month in told:
                    continue
                possible = self.states(name, part, month)
                following = after_any(possible, reached.get(month, STATES))
                if not possible:
                    kind, what = _as_no_state(name, month, part)
                    yield kind, f"version {version} of {what}"
                elif not following:
                    yield LOST, f"version {version} of {_named(name, month)} is older than before"
                told |= set() if following else {month}
                reached[month] = following

    def releases(self, found: Iterable[Release]) -> Iterator[Broken]:
        """What is wrong with the releases, the oldest first, up to the first that is not right."""
        reached: set[State] = set(STATES)
        for release in found:
            where = f"release {release.number}"
            if release.pending:
                # Each can be made: nobody breaks a transform or a raw part here.
                yield HALF_SEEN, f"{where} names {', '.join(release.pending)} as pending"
                continue
            states = {state for state in STATES if self.tables[state] == release.tables}
            following = after_any(states, reached)
            if not states:
                yield HALF_SEEN, f"{where} is no state as a whole"
                return
            if not following:
                yield LOST, f"{where} is older than the one before"
                return
            reached = following


def _as_no_state(name: str, month: str | None, rows: Rows) -> Broken:
    kind = DOUBLED if len(set(map(repr, rows))) < len(rows) else HALF_SEEN
    return kind, f"{_named(name, month)} is as no state has it: {rows}"


def _named(name: str, month: str | None) -> str:
    return name if month is None else f"{name} {month}"


def _by_month(name: str, rows: Rows) -> dict[str | None, Rows]:
    """The rows of each month, also of one that no state has; all by None without months."""
    if not TABLES[name].monthly:
        return {None: rows}
    months = {*MONTHS, *(_month(row, name) for row in rows)}
    return {month: _of(rows, name, month) for month in sorted(months)}


def _of(rows: Rows, name: str, month: str | None) -> Rows:
    """The rows of a month; all where it is None."""
    return rows if month is None else [row for row in rows if _month(row, name) == month]


def _month(row: tuple[object, ...], name: str) -> str:
    """By the table's columns year and month."""
    columns = TABLES[name].names
    return f"{row[columns.index('year')]}-{row[columns.index('month')]:02d}"
