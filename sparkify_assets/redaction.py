"""No secret in what libraries log, however much they are asked to tell.

At its level DEBUG botocore logs the headers that it signs, with the session token among them, and
replies that hold the keys of a role; with ARROW_S3_LOG_LEVEL=DEBUG or TRACE Arrow's S3 client
writes the same to standard error. Dagster stores what is logged with the run
(`managed_python_loggers`).
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Mapping, MutableMapping
from typing import Any

SHOWN = "(not shown)"
_VARIABLES = (
    "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "SPARKIFY_ALERT_URL", "DAGSTER_PG_PASSWORD",
    "SPARK_CONNECT_AUTHENTICATE_TOKEN",
)  # fmt: skip
# Shorter ones would be found everywhere.
_LEAST_LENGTH = 8
# Secrets that no variable holds, by what stands before them: keys of a role, signed requests.
_BEFORE = re.compile(
    r"""((?:x-amz-security-token|secretaccesskey|sessiontoken|secret_?key|session_token)
        (?:["']?\s*[:=]\s*b?["']?|>))[^\s"'<>&,;}]+""",
    re.IGNORECASE | re.VERBOSE,
)
_ARROW_LEVEL = "ARROW_S3_LOG_LEVEL"
_ARROW_TELLS_HEADERS = {"DEBUG", "TRACE"}


def redacted(text: str) -> str:
    """The text without secrets."""
    for name in _VARIABLES:
        value = os.environ.get(name, "")
        if len(value) >= _LEAST_LENGTH:
            text = text.replace(value, SHOWN)
    return _BEFORE.sub(rf"\1{SHOWN}", text)


class Redacting:
    """Makes log records as Python's own factory does, without secrets in their messages.

    A filter would not do: it sees the records of one logger, or of one handler, and both are made
    by others at any time.
    """

    def __init__(self, make: Any) -> None:
        self._make = make

    def __call__(self, *arguments: Any, **more: Any) -> logging.LogRecord:
        record: logging.LogRecord = self._make(*arguments, **more)
        try:
            said = record.getMessage()
        except Exception:  # noqa: BLE001 -- `logging` tells about it; it never ends who logs
            return record
        shown = redacted(said)
        if shown != said:
            _show(record, shown)
        return record


class _Told:
    """Stands for an object whose text holds a secret."""

    def __init__(self, value: object) -> None:
        self._str, self._repr = redacted(str(value)), redacted(repr(value))

    def __str__(self) -> str:
        return self._str

    def __repr__(self) -> str:
        return self._repr


def _show(record: logging.LogRecord, shown: str) -> None:
    """Put a message without secrets in place of a record's own.

    Item by item where that gives the same text: some formatters take `args` apart, as uvicorn's
    does with those of a request.
    """
    message, arguments = record.msg, record.args
    try:
        record.msg = redacted(str(message))
        if isinstance(arguments, Mapping):
            record.args = {name: _item(value) for name, value in arguments.items()}
        elif arguments:
            record.args = tuple(_item(value) for value in arguments)
        alike = record.getMessage() == shown
    except Exception:  # noqa: BLE001 -- the message as a whole is as good
        alike = False
    if not alike:  # what tells that it is a secret stands in the format, or in another item
        record.msg, record.args = shown, None


def _item(value: object) -> object:
    """One argument of a message: itself where nothing is secret."""
    if isinstance(value, str):
        shown = redacted(value)
        return value if shown == value else shown
    told = _Told(value)
    return value if (str(told), repr(told)) == (str(value), repr(value)) else told


def install(environment: MutableMapping[str, str] | None = None) -> None:
    """Begin; once in a process. Arrow's client reads its level when it is loaded."""
    env = os.environ if environment is None else environment
    if env.get(_ARROW_LEVEL, "").strip().upper() in _ARROW_TELLS_HEADERS:
        env[_ARROW_LEVEL] = "INFO"
    before = logging.getLogRecordFactory()
    if not isinstance(before, Redacting):
        logging.setLogRecordFactory(Redacting(before))
