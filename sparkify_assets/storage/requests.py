"""Counting requests to S3, by kind: LIST, GET, PUT, DELETE, SQS.

What the engine asks for by itself (Apache Spark through S3A) is not seen here.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping

LIST, GET, PUT, DELETE, SQS = "LIST", "GET", "PUT", "DELETE", "SQS"
PAGE_KEYS = 1000  # S3 lists so many keys with one request


class Requests:
    """A count of requests by kind, for any number of threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._made: Counter[str] = Counter()

    def add(self, kind: str, number: int = 1) -> None:
        """Count requests of one kind."""
        if number:
            with self._lock:
                self._made[kind] += number

    def add_all(self, made: Mapping[str, int]) -> None:
        """Count what a task of the engine reports."""
        for kind, number in made.items():
            self.add(kind, number)

    def made(self) -> dict[str, int]:
        """All so far."""
        with self._lock:
            return dict(sorted(self._made.items()))

    def since(self, before: Mapping[str, int]) -> dict[str, int]:
        """Those made since `before`, an earlier value of `made()`."""
        now = self.made()
        return {kind: n - before.get(kind, 0) for kind, n in now.items() if n > before.get(kind, 0)}


# Of this process.
REQUESTS = Requests()


def together(one: Mapping[str, int], other: Mapping[str, int]) -> dict[str, int]:
    """Two counts as one."""
    return dict(Counter(one) + Counter(other))


def listed(keys: int) -> int:
    """How many requests it takes to list so many keys."""
    return max(1, -(-keys // PAGE_KEYS))
