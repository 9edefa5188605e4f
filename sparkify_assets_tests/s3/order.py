"""Whose request is served next, drawn from a seed: processes interleaved on purpose.

Everybody waits at the proxy until it is their turn. A turn is a number of requests, mostly few and
sometimes many, so that one process stands still anywhere while others run to their end. Who makes
no request for a while, as it computes or has ended, is passed over; so the same seed gives nearly
the same order and not exactly.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Sequence

_TURNS = (1, 1, 1, 2, 2, 3, 5, 8, 13, 30, 80)
_IDLE_SECONDS = 0.04
_GONE_SECONDS = 1.0  # without a request, it does not get a turn before it makes one
_MOST_SECONDS = 20.0  # before a client takes its server for dead


class Order:
    """The turns of some actors, who are known by their access keys."""

    def __init__(self, seed: int, actors: Sequence[str]) -> None:
        self._random = random.Random(seed)
        self._actors = list(actors)
        self._change = threading.Condition()
        self._waiting: dict[str, int] = {}
        self._now = ""
        self._left = 0
        self._served = time.monotonic()
        self._last = dict.fromkeys(actors, self._served)
        self.turns: list[str] = []
        with self._change:
            self._next()

    def wait(self, actor: str | None) -> None:
        """Wait for the turn of whoever makes a request; others than the actors do not wait."""
        if actor not in self._actors:
            return
        latest = time.monotonic() + _MOST_SECONDS
        with self._change:
            self._waiting[actor] = self._waiting.get(actor, 0) + 1
            try:
                while self._now != actor and time.monotonic() < latest:
                    idle = not self._waiting.get(self._now)
                    if idle and time.monotonic() > self._served + _IDLE_SECONDS:
                        self._next([name for name, number in self._waiting.items() if number])
                    else:
                        self._change.wait(_IDLE_SECONDS / 2)
            finally:
                self._waiting[actor] -= 1
            self._served = self._last[actor] = time.monotonic()
            self._left -= 1
            if self._left <= 0:
                self._next()
            self._change.notify_all()

    def _next(self, among: Sequence[str] = ()) -> None:
        lately = time.monotonic() - _GONE_SECONDS
        here = [
            name for name in self._actors if self._waiting.get(name) or self._last[name] > lately
        ]
        self._now = self._random.choice(sorted(among) or here or self._actors or [""])
        self._left = self._random.choice(_TURNS)
        self._served = time.monotonic()
        self.turns.append(f"{self._now}*{self._left}")
        self._change.notify_all()
