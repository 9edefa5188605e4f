"""One JSON text to typed values, or the reason why not: the rules, in plain Python.

This is the specification. `parse` reads the bulk of the lines faster, and hands every line that
is not plainly right to this module.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from typing import Any

from sparkify_assets.ingest.fields import Field, Kind

_MOST_DIGITS = 20
# Python's own limit is another one in each version, and less the deeper the caller stands.
_MOST_DEEP = 200
_MARKS = re.compile(r'\\.|["\[\]{}]', re.DOTALL)
_LEAST, _MOST = -(2**63), 2**63 - 1


class Rejected(Exception):  # noqa: N818 -- says what becomes of the line
    """The line is rejected; the message is the reason."""


class _Literal(str):
    """A number as it is written."""

    __slots__ = ()


def read_line(text: str, fields: Sequence[Field]) -> list[Any]:
    """The values of the fields, in their order; None for null or lacking.

    Of a key that stands twice, the first value counts.

    Raises:
        Rejected: the text is no JSON object, or a field does not hold what it should.
    """
    if not text.strip():
        raise Rejected("empty")
    if _too_deep(text):
        raise Rejected(f"not JSON that can be read: nested too deeply, more than {_MOST_DEEP} deep")
    try:
        found = json.loads(
            text,
            parse_int=_Literal,
            parse_float=_Literal,
            parse_constant=_no_constant,
            object_pairs_hook=_first_of_each,
        )
        text.encode()
    except json.JSONDecodeError as error:
        raise Rejected(
            f"not JSON: {error.msg.removesuffix(' at')} at character {error.pos + 1}"
        ) from None
    except UnicodeEncodeError:
        raise Rejected("not JSON: half of a surrogate pair") from None
    if not isinstance(found, dict):
        raise Rejected(f"not a JSON object: {_named(found)}")
    return [_value(found.get(field.name), field) for field in fields]


def _too_deep(text: str) -> bool:
    if text.count("[") + text.count("{") <= _MOST_DEEP:
        return False
    depth, within_text = 0, False
    for found in _MARKS.finditer(text):
        mark = found[0]
        if mark == '"':
            within_text = not within_text
        elif within_text:
            continue
        elif mark in "[{":
            depth += 1
            if depth > _MOST_DEEP:
                return True
        elif mark in "]}":
            depth -= 1
    return False


def _no_constant(name: str) -> Any:
    raise Rejected(f"not JSON: {name} is no number there")


def _first_of_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    return dict(reversed(pairs))


def _value(found: Any, field: Field) -> Any:
    if found is None:
        if field.required:
            raise Rejected(f"{field.name} is missing")
        return None
    if isinstance(found, dict | list) or not _fits(found, field.kind):
        raise Rejected(f"{field.name}: expected {field.kind.value}, found {_named(found)}")
    if field.kind is Kind.WHOLE:
        # Python refuses to convert thousands of digits; no number of 64 bits has more than 19.
        short = len(found.lstrip("-")) <= _MOST_DIGITS
        return _in_range(int(found) if short else math.inf, found, field)
    if field.kind is Kind.NUMBER:
        number = float(found)
        if not math.isfinite(number):
            raise Rejected(f"{field.name}: {_named(found)} is too large")
        return number
    if isinstance(found, bool):
        return "true" if found else "false"
    text = str(found)
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise Rejected(f"{field.name}: half of a surrogate pair")
    if field.required and not text:
        raise Rejected(f"{field.name} is missing")
    return text


def _fits(found: Any, kind: Kind) -> bool:
    if isinstance(found, bool):
        return kind is Kind.TEXT
    if isinstance(found, _Literal):
        if kind is Kind.WHOLE:
            return found.lstrip("-").isdigit()
        return kind is not Kind.STRICT_TEXT
    return kind in {Kind.TEXT, Kind.IDENTIFIER, Kind.STRICT_TEXT}


def _in_range(number: float, literal: str, field: Field) -> float:
    least = _LEAST if field.least is None else field.least
    most = _MOST if field.most is None else field.most
    if not least <= number <= most:
        raise Rejected(f"{field.name}: {literal[:40]} is outside {least} to {most}")
    return number


def _named(found: Any) -> str:
    if isinstance(found, dict):
        return "an object"
    if isinstance(found, list):
        return "a list"
    if isinstance(found, _Literal):
        return f"the number {str(found)[:40]}"
    if isinstance(found, bool):
        return "true" if found else "false"
    return "null" if found is None else f"the text {json.dumps(found)[:40]}"
