"""Months: the one partitioning of the project, written `YYYY-MM`, always in UTC.

Only the arithmetic of months and days, and Dagster's partitions definition belong here.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dagster import TimeWindowPartitionsDefinition

DAY_MS = 86_400_000
_MONTH = re.compile(r"((19|20)\d\d|2100)-(0[1-9]|1[0-2])")


def is_month(text: str) -> bool:
    """Whether `text` is a month written `YYYY-MM`."""
    return _MONTH.fullmatch(text) is not None


def month_of(year: int, month: int) -> str:
    """`month_of(2018, 11)` is `"2018-11"`."""
    return f"{year:04d}-{month:02d}"


def year_and_month(month: str) -> tuple[int, int]:
    """`year_and_month("2018-11")` is `(2018, 11)`."""
    return int(month[:4]), int(month[5:7])


def month_number(month: str) -> int:
    """`month_number("2018-11")` is 201811: in the same order as the months."""
    return int(month.replace("-", ""))


def next_month(month: str) -> str:
    """The month after `month`."""
    year, number = year_and_month(month)
    return month_of(year + 1, 1) if number == 12 else month_of(year, number + 1)


def current_month() -> str:
    """The present month in UTC."""
    now = dt.datetime.now(dt.UTC)
    return month_of(now.year, now.month)


def months_between(first: str, last: str) -> list[str]:
    """Every month from `first` to `last`, both included; empty where they are reversed."""
    months = []
    month = first
    while month <= last:
        months.append(month)
        month = next_month(month)
    return months


def ranges_of(months: Iterable[str]) -> list[list[str]]:
    """Sorted months as ranges without gaps."""
    ranges: list[list[str]] = []
    for month in months:
        if ranges and month == next_month(ranges[-1][-1]):
            ranges[-1].append(month)
        else:
            ranges.append([month])
    return ranges


def first_instant(month: str) -> int:
    """The first millisecond of `month`, as milliseconds since the epoch."""
    year, number = year_and_month(month)
    return int(dt.datetime(year, number, 1, tzinfo=dt.UTC).timestamp() * 1000)


def days_in(month: str) -> int:
    """How many days `month` has."""
    return (first_instant(next_month(month)) - first_instant(month)) // DAY_MS


def month_at(milliseconds: int) -> str:
    """The month, UTC, of a moment in milliseconds since the epoch."""
    when = dt.datetime.fromtimestamp(milliseconds / 1000, dt.UTC)
    return month_of(when.year, when.month)


def monthly_partitions(first: str, last: str | None) -> TimeWindowPartitionsDefinition:
    """Dagster's partitions from `first` to `last`; to the current month where `last` is None."""
    from dagster import MonthlyPartitionsDefinition

    if last is None:
        return MonthlyPartitionsDefinition(start_date=first, fmt="%Y-%m", end_offset=1)
    return MonthlyPartitionsDefinition(
        start_date=first, end_date=next_month(last), fmt="%Y-%m", timezone="UTC"
    )


def told_ranges(months: Iterable[str]) -> str:
    """Months for people: `2018-11 to 2019-02, 2019-05`."""
    ranges = ranges_of(months)
    return ", ".join(r[0] if len(r) == 1 else f"{r[0]} to {r[-1]}" for r in ranges)
