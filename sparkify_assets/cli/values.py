"""Values of an answer as text: exact for programs, easy on the eye for people."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

import pyarrow as pa

# Numbers that are names: with separators nobody could look them up.
_NAMES = {"year", "line"}
_NAME_ENDINGS = ("_id", "_year")
# A float of this size or more has no digits after the point worth showing.
_LARGE = 1e15
_SMALL = 0.1
_SECOND = 1_000_000_000


def for_programs(column: pa.ChunkedArray | pa.Array) -> list[Any]:
    """A column's values as JSON has them; decimals stay, see `for_json`."""
    values: list[Any] = column.to_pylist()
    if _is_simple(column.type):
        return values
    return [_plain(value) for value in values]


def for_json(column: pa.ChunkedArray | pa.Array) -> list[Any]:
    """A column's values as JSON can hold them: no NaN, and decimals as numbers."""
    if pa.types.is_decimal(column.type) or pa.types.is_floating(column.type):
        return [_json_number(value) for value in column.to_pylist()]
    if pa.types.is_nested(column.type):
        return [_json_value(value) for value in for_programs(column)]
    return for_programs(column)


def for_csv(column: pa.ChunkedArray | pa.Array) -> list[Any]:
    """A column's values as fields of a CSV file; lists and structs as JSON."""
    if pa.types.is_boolean(column.type):
        return [None if value is None else str(value).lower() for value in column.to_pylist()]
    if pa.types.is_nested(column.type):
        return [_as_json(value) for value in for_json(column)]
    if pa.types.is_decimal(column.type):
        return [None if value is None else f"{value:f}" for value in column.to_pylist()]
    return for_programs(column)


def for_people(name: str, column: pa.ChunkedArray | pa.Array) -> list[str | None]:
    """A column's values as a table shows them, all in one manner."""
    values = column.to_pylist()
    there = [value for value in values if value is not None]
    text = _manner(name, column.type, there)
    return [None if value is None else text(value) for value in values]


def is_number(kind: pa.DataType) -> bool:
    """Whether a column stands to the right."""
    return bool(
        pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
    )


def _manner(name: str, kind: pa.DataType, values: Sequence[Any]) -> Callable[[Any], str]:
    if pa.types.is_boolean(kind):
        return lambda value: "yes" if value else "no"
    if pa.types.is_integer(kind) or pa.types.is_decimal(kind):
        plain = name.lower() in _NAMES or name.lower().endswith(_NAME_ENDINGS)
        return str if plain else _separated
    if pa.types.is_floating(kind):
        whole = all(math.isfinite(v) and v == int(v) and abs(v) < _LARGE for v in values)
        return (lambda value: f"{value:,.0f}") if whole else _float
    if pa.types.is_timestamp(kind):
        digits = max((_digits(value) for value in values), default=0)
        return lambda value: _moment(value, digits)
    if pa.types.is_nested(kind):
        return lambda value: _as_json(_json_value(_plain(value))) or ""
    return lambda value: str(_plain(value))


def _separated(value: int | Decimal) -> str:
    return f"{value:,}"


def _float(value: float) -> str:
    size = abs(value)
    if not math.isfinite(value) or size >= _LARGE or 0 < size < 1e-4:
        return f"{value:.3g}"
    if 0 < size < _SMALL:
        # Two digits that count: 0.0034.
        return f"{value:.{1 - math.floor(math.log10(size))}f}"
    return f"{value:,.2f}"


def _digits(value: datetime) -> int:
    """How many digits its fraction of a second needs."""
    if value.microsecond == 0:
        return 0
    return 3 if value.microsecond % 1000 == 0 else 6


def _moment(value: datetime, digits: int) -> str:
    text = f"{value:%Y-%m-%d %H:%M:%S}"
    return f"{text}.{value.microsecond:06d}"[: len(text) + 1 + digits] if digits else text


def _is_simple(kind: pa.DataType) -> bool:
    return bool(
        pa.types.is_string(kind)
        or pa.types.is_integer(kind)
        or pa.types.is_floating(kind)
        or pa.types.is_boolean(kind)
        or pa.types.is_decimal(kind)
        or pa.types.is_null(kind)
    )


def _plain(value: Any) -> Any:
    """One value with nothing in it but what JSON knows, and decimals."""
    if isinstance(value, (str, int, float, bool, Decimal, type(None))):
        return value
    if isinstance(value, datetime):
        return _instant(value)
    if isinstance(value, (date, time)):
        return value.isoformat()
    if isinstance(value, pa.MonthDayNano):
        return _interval(value.months, value.days, value.nanoseconds)
    if isinstance(value, dict):
        return {str(name): _plain(inner) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(inner) for inner in value]
    return value.hex() if isinstance(value, bytes) else str(value)


def _json_value(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _json_value(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_json_value(inner) for inner in value]
    return _json_number(value) if isinstance(value, (float, Decimal)) else value


def _json_number(value: float | Decimal | None) -> int | float | None:
    if value is None or not math.isfinite(value):
        return None
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return value


def _as_json(value: Any) -> str | None:
    return None if value is None else json.dumps(value, ensure_ascii=False)


def _instant(value: datetime) -> str:
    """ISO 8601 to the millisecond, or to the microsecond where there are some."""
    text = value.isoformat(timespec="microseconds" if value.microsecond % 1000 else "milliseconds")
    return text.replace("+00:00", "Z")


def _interval(months: int, days: int, nanoseconds: int) -> str:
    """As DuckDB writes it: `1 month 2 days 03:04:05.5`."""
    counted = [
        f"{number} {unit}{'' if abs(number) == 1 else 's'}"
        for number, unit in ((months, "month"), (days, "day"))
        if number
    ]
    if nanoseconds or not counted:
        seconds, rest = divmod(abs(nanoseconds), _SECOND)
        sign = "-" if nanoseconds < 0 else ""
        fraction = f".{rest:09d}".rstrip("0") if rest else ""
        hours, minutes = seconds // 3600, seconds // 60 % 60
        counted.append(f"{sign}{hours:02d}:{minutes:02d}:{seconds % 60:02d}{fraction}")
    return " ".join(counted)
