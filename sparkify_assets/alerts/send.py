"""Posting a message to a webhook. Its address is a secret: errors name the host alone.

`urllib` and not `requests`: the latter's errors and log lines hold the whole address.
"""

from __future__ import annotations

import http.client
import json
import re
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from pydantic import SecretStr

from sparkify_assets.errors import SparkifyError

_TRIES = 3
_TRY_SECONDS = 4.0
# In all: a sensor's tick has a minute, and may have to tell of five runs.
_ALL_SECONDS = 10.0
_FIRST_PAUSE_SECONDS = 0.5
_TOO_MANY = 429
# What Slack answers is a word; anything longer might repeat the address.
_WORD = re.compile(rb"[a-z_]{2,40}")


class AlertError(SparkifyError):
    """A message could not be delivered."""


@dataclass(frozen=True)
class _Answer:
    """What came of one try."""

    delivered: bool = False
    told: str = ""
    again: bool = False
    wait: float | None = None


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A webhook has one address; a message is not carried on to another."""

    def redirect_request(self, *_: Any) -> None:
        return None


def send(
    url: SecretStr, message: Mapping[str, Any], *, sleep: Callable[[float], None] = time.sleep
) -> None:
    """Post a message; where nobody answers, or the server is busy, up to three times.

    Raises:
        AlertError: it was refused, or not delivered in ten seconds.
    """
    end, pause = time.monotonic() + _ALL_SECONDS, _FIRST_PAUSE_SECONDS
    answer, tries = _Answer(), 0
    while tries < _TRIES:
        answer, tries = _post(url, message), tries + 1
        if answer.delivered:
            return
        wait = pause if answer.wait is None else answer.wait
        left = end - time.monotonic()
        if not answer.again or tries == _TRIES or wait >= left:
            break
        sleep(wait)
        pause *= 2
    several = f" after {tries} tries" if tries > 1 else ""
    raise AlertError(
        f"SPARKIFY_ALERT_URL: {host_of(url)} {answer.told}{several}; the message was not "
        "delivered. `sparkify alert-test` tries it again"
    )


def host_of(url: SecretStr) -> str:
    """The host, which may be named."""
    return urlsplit(url.get_secret_value()).hostname or ""


def _post(url: SecretStr, message: Mapping[str, Any]) -> _Answer:
    request = urllib.request.Request(  # noqa: S310 -- the settings allow http and https only
        url.get_secret_value(),
        data=json.dumps(message, ensure_ascii=False).encode(),
        headers={"Content-Type": "application/json; charset=utf-8", "User-Agent": "sparkify"},
        method="POST",
    )
    try:
        with urllib.request.build_opener(_NoRedirect).open(request, timeout=_TRY_SECONDS):
            return _Answer(delivered=True)
    except urllib.error.HTTPError as error:
        return _refused(error)
    except urllib.error.URLError as error:
        return _Answer(told=f"cannot be reached ({_plain(error.reason)})", again=True)
    except (OSError, http.client.HTTPException) as error:
        return _Answer(told=f"cannot be reached ({_plain(error)})", again=True)


def _refused(error: urllib.error.HTTPError) -> _Answer:
    with error:
        try:
            body = error.read(100).strip()
        except (OSError, http.client.HTTPException):
            body = b""
    word = f" ({body.decode()})" if _WORD.fullmatch(body) else ""
    after = str(error.headers.get("Retry-After", "")).strip()
    return _Answer(
        told=f"answered {error.code}{word}",
        again=error.code == _TOO_MANY or error.code >= http.client.INTERNAL_SERVER_ERROR,
        wait=float(after) if after.isdecimal() else None,
    )


def _plain(error: object) -> str:
    """What went wrong, without what the error may hold of the address."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return "timed out" if isinstance(error, TimeoutError) else type(error).__name__
