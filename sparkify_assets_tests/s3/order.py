"""Whose request is served next, drawn from a seed: processes interleaved on purpose.

Everybody waits at the proxy until it is their turn. A turn is a number of requests, mostly few and
sometimes many. Who makes no request for a while, as it computes or has ended, is passed over; so
the same seed gives nearly the same order and not exactly. In some turns that while is long: one
process does several steps of its work and all others stand still, wherever they are. What really
came of it is counted.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from http import HTTPStatus

MOST_SECONDS = 20.0  # before a client takes its server for dead
_IDLE_SECONDS = 0.04
_COMPUTING_SECONDS = 1.0
_SHORT = (1, 1, 1, 2, 2, 2, 3, 3, 5, 8, 13, 30, 80)
# Requests, and for how long it may make none.
_TURNS = (*((number, _IDLE_SECONDS) for number in _SHORT), (50, _COMPUTING_SECONDS))
_GONE_SECONDS = 1.0  # without a request, it does not get a turn before it makes one
_COLLISIONS = {HTTPStatus.CONFLICT, HTTPStatus.PRECONDITION_FAILED}


@dataclass
class Served:
    """What was served, and not what was drawn.

    Attributes:
        requests: how many, by actor.
        switches: how often a request was another actor's than the one before it.
        collisions: how many the server refused as somebody else was quicker (409 and 412).
        late: how many were served though their turn did not come in time.
    """

    requests: dict[str, int] = field(default_factory=dict)
    switches: int = 0
    collisions: int = 0
    late: int = 0


class Order:
    """The turns of some actors, who are known by their access keys.

    Args:
        most_seconds: that somebody waits for a turn; the request is served then, and counted.
    """

    def __init__(
        self, seed: int, actors: Sequence[str], most_seconds: float = MOST_SECONDS
    ) -> None:
        self._random = random.Random(seed)
        self._actors = list(actors)
        self._most_seconds = most_seconds
        self._change = threading.Condition()
        self._waiting: dict[str, int] = {}
        self._now = ""
        self._left, self._idle = 0, 0.0
        self._served = time.monotonic()
        self._last = dict.fromkeys(actors, self._served)
        self._before = ""
        self.served = Served(dict.fromkeys(actors, 0))
        with self._change:
            self._next()

    def wait(self, actor: str | None) -> None:
        """Wait for the turn of whoever makes a request; others than the actors do not wait."""
        if actor not in self._actors:
            return
        latest = time.monotonic() + self._most_seconds
        with self._change:
            self._waiting[actor] = self._waiting.get(actor, 0) + 1
            try:
                while self._now != actor and time.monotonic() < latest:
                    idle = not self._waiting.get(self._now)
                    if idle and time.monotonic() > self._served + self._idle:
                        self._next([name for name, number in self._waiting.items() if number])
                    else:
                        self._change.wait(_IDLE_SECONDS / 2)
            finally:
                self._waiting[actor] -= 1
            self._note(actor)
            self._last[actor] = time.monotonic()
            if self._now == actor:  # else it is late, and the turn goes on
                self._served = self._last[actor]
                self._left -= 1
                if self._left <= 0:
                    self._next()
            self._change.notify_all()

    def answered(self, actor: str | None, status: int) -> None:
        """Count how the server answered an actor."""
        if actor in self._actors and status in _COLLISIONS:
            with self._change:
                self.served.collisions += 1

    def _note(self, actor: str) -> None:
        self.served.requests[actor] += 1
        self.served.switches += self._before not in ("", actor)
        self.served.late += self._now != actor
        self._before = actor

    def _next(self, among: Sequence[str] = ()) -> None:
        lately = time.monotonic() - _GONE_SECONDS
        here = [
            name for name in self._actors if self._waiting.get(name) or self._last[name] > lately
        ]
        self._now = self._random.choice(sorted(among) or here or self._actors or [""])
        self._left, self._idle = self._random.choice(_TURNS)
        self._served = time.monotonic()
        self._change.notify_all()
