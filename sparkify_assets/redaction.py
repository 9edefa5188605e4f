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
from collections.abc import MutableMapping
from typing import Any

SHOWN = "(not shown)"
_VARIABLES = (
    "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "SPARKIFY_ALERT_URL", "DAGSTER_PG_PASSWORD",
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
            record.msg, record.args = shown, None
        return record


def install(environment: MutableMapping[str, str] | None = None) -> None:
    """Begin; once in a process. Arrow's client reads its level when it is loaded."""
    env = os.environ if environment is None else environment
    if env.get(_ARROW_LEVEL, "").strip().upper() in _ARROW_TELLS_HEADERS:
        env[_ARROW_LEVEL] = "INFO"
    before = logging.getLogRecordFactory()
    if not isinstance(before, Redacting):
        logging.setLogRecordFactory(Redacting(before))
