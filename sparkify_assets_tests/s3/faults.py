"""What the proxy lets go wrong, and for which requests: by their line, and by their number."""

from __future__ import annotations

import dataclasses
import re
import threading
import time
from dataclasses import dataclass

FAIL, DROP_REPLY, DROP_REQUEST = "fail", "drop_reply", "drop_request"
CUT, DELAY, KILL = "cut", "delay", "kill"


@dataclass(frozen=True)
class Request:
    """One request as the client sent it; path and query decoded.

    `access_key` is the one that it was signed with, `at` when it came (`time.time()`), `port`
    the client's.
    """

    method: str
    path: str
    query: dict[str, str]
    kind: str
    range: str | None
    if_match: str | None
    if_none_match: str | None
    user_agent: str
    host: str
    access_key: str | None
    session_token: str | None
    at: float
    port: int

    @property
    def line(self) -> str:
        """`METHOD path?query`, what faults are matched against."""
        query = "&".join(f"{name}={value}" for name, value in self.query.items())
        return f"{self.method} {self.path}" + (f"?{query}" if query else "")


@dataclass
class Fault:
    """One thing that goes wrong.

    Attributes:
        match: a regular expression that finds something in the request's line.
        skip: so many requests that match are left in peace first.
        times: how often it happens then; None: always.
        seconds: for how long after it was set; None: until it is taken back.
        status, code, message, more: of the error, with further elements of its XML.
        pause: seconds, of a delay.
        pid: whom to kill.
    """

    action: str
    match: str
    skip: int = 0
    status: int = 503
    code: str = ""
    pause: float = 0.0
    times: int | None = None
    seconds: float | None = None
    message: str = ""
    more: dict[str, str] = dataclasses.field(default_factory=dict)
    pid: int = 0
    since: float = dataclasses.field(default_factory=time.monotonic)

    def hits(self, line: str) -> bool:
        """Whether it happens to this request, which is counted."""
        over = self.seconds is not None and time.monotonic() > self.since + self.seconds
        if over or self.times == 0 or not re.search(self.match, line):
            return False
        if self.skip:
            self.skip -= 1
            return False
        return True


class FaultLog:
    """The requests and the faults, which all threads of the proxy share."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._log: list[Request] = []
        self._faults: list[Fault] = []
        self._done = 0

    def enter(self, request: Request) -> list[Fault]:
        """Log a request; the faults for it: all delays, and the first of the others."""
        with self._lock:
            self._log.append(request)
            hit = [fault for fault in self._faults if fault.hits(request.line)]
            delays = [fault for fault in hit if fault.action == DELAY]
            others = [fault for fault in hit if fault.action != DELAY][:1]
            for fault in (*delays, *others):
                if fault.times is not None:
                    fault.times -= 1
            return [*delays, *others]

    def took_effect(self) -> None:
        """A fault has happened: the client sees something else than without it."""
        with self._lock:
            self._done += 1

    def take(self) -> list[Request]:
        """The requests since the last time."""
        with self._lock:
            taken, self._log = self._log, []
            return taken

    def add(self, fault: Fault) -> None:
        """One more fault."""
        with self._lock:
            self._faults.append(fault)

    def clear(self) -> int:
        """No faults any more; how often one took effect since the last time."""
        with self._lock:
            self._faults.clear()
            done, self._done = self._done, 0
            return done
