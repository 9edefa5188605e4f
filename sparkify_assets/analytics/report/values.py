"""Values of an answer, as people read them and as a chart takes them."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa

NOTHING = "–"
WEEKDAYS = {1: "Mon", 2: "Tue", 3: "Wed", 4: "Thu", 5: "Fri", 6: "Sat", 7: "Sun"}
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)  # fmt: skip


def is_number(kind: pa.DataType) -> bool:
    """Whether values of a type are amounts."""
    return bool(
        pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
    )


def is_time(kind: pa.DataType) -> bool:
    """Whether values of a type are days or instants."""
    return bool(pa.types.is_date(kind) or pa.types.is_timestamp(kind))


def is_share(name: str) -> bool:
    """Whether a column holds shares of one, by its name."""
    return name == "share" or name.endswith("_share")


def heading(name: str) -> str:
    """A column's name for people."""
    if name.endswith("_percent"):
        name = f"{name.removesuffix('_percent')} %"
    return name.replace("_", " ")


def shown(value: Any, name: str = "") -> str:
    """A value for people; `name` is its column's."""
    value = plain(value)
    if value is None:
        return NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (int, float)):
        return _number(value, name)
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    if isinstance(value, (list, tuple)):
        return ", ".join(shown(one) for one in value)
    return str(value)


def plain(value: Any) -> Any:
    """Decimals as numbers, what is no number as None; else as it is."""
    if isinstance(value, Decimal):
        value = int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def for_chart(value: Any) -> Any:
    """A value for JSON: days and instants as milliseconds."""
    value = plain(value)
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, datetime):
        return int(value.replace(tzinfo=value.tzinfo or UTC).timestamp() * 1000)
    if isinstance(value, date):
        return int(datetime(value.year, value.month, value.day, tzinfo=UTC).timestamp() * 1000)
    return shown(value)


def month_name(month: str) -> str:
    """`month_name("2018-11")` is `"November 2018"`."""
    return f"{_MONTHS[int(month[5:7]) - 1]} {month[:4]}"


def day_name(day: date, *, short: bool = False) -> str:
    """`1 November 2018`, short `1 Nov`."""
    name = _MONTHS[day.month - 1]
    return f"{day.day} {name[:3]}" if short else f"{day.day} {name} {day.year}"


def _number(value: float, name: str) -> str:
    if is_share(name):
        return f"{100 * value:.1f} %"
    if name == "year" or name.endswith("_id"):  # a name that is made of digits, no amount
        return str(value)
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:,.2f}".rstrip("0").rstrip(".")
