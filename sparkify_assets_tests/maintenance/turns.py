"""Two processes at one lake, step by step: in every order in which their steps can fall.

Each is a thread that knows of the lake only what it has seen itself, as a process would. A step
is one look at the lake or one commit; whose turn it is stands in a schedule.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, MutableMapping
from contextlib import contextmanager
from itertools import combinations
from typing import Any

import pytest

from sparkify_assets.ingest import ledger
from sparkify_assets.lake import log

_PATIENCE_SECONDS = 60


def schedules(one: str, ones: int, other: str, others: int) -> list[str]:
    """Every order of so many steps of two actors, each named by a letter."""
    total = ones + others
    return [
        "".join(one if place in places else other for place in range(total))
        for places in combinations(range(total), ones)
    ]


class Turns:
    """Lets threads take their steps in the order of a schedule.

    Who has ended is passed over; whoever needs more steps than the schedule has for it goes on
    at its end.
    """

    def __init__(self, schedule: str) -> None:
        self._left = list(schedule)
        self._ended: set[str] = set()
        self._within: dict[str, bool] = {}
        self._change = threading.Condition()
        self.taken: list[str] = []

    @contextmanager
    def step(self, what: str) -> Iterator[None]:
        """One step of the thread that asks; for others than the actors there are no turns."""
        actor = threading.current_thread().name
        if len(actor) > 1 or self._within.get(actor):
            yield  # also where one step is part of another
            return
        with self._change:
            assert self._change.wait_for(lambda: self._next() in (actor, ""), _PATIENCE_SECONDS)
            self.taken.append(f"{actor}:{what}")
            self._within[actor] = True
            try:
                yield  # nobody else moves meanwhile
            finally:
                self._within[actor] = False
                if self._left:
                    self._left.pop(0)
                self._change.notify_all()

    def _next(self) -> str:
        while self._left and self._left[0] in self._ended:
            self._left.pop(0)
        return self._left[0] if self._left else ""

    def run(self, **actors: Callable[[], Any]) -> dict[str, Any]:
        """Run the actors to their ends; what each returned. Raises what one of them raised."""
        results: dict[str, Any] = {}
        failures: list[BaseException] = []

        def work(name: str, actor: Callable[[], Any]) -> None:
            try:
                results[name] = actor()
            except BaseException as error:  # noqa: BLE001 -- raised again below
                failures.append(error)
            finally:
                with self._change:
                    self._ended.add(name)
                    self._change.notify_all()

        threads = [
            threading.Thread(target=work, name=name, args=(name, actor), daemon=True)
            for name, actor in actors.items()
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(_PATIENCE_SECONDS * 2)
            assert not thread.is_alive(), self.taken
        if failures:
            raise failures[0]
        return results


class _OfThread(MutableMapping[str, Any]):
    """A dictionary of which every thread has its own."""

    def __init__(self) -> None:
        self._local = threading.local()

    @property
    def _own(self) -> dict[str, Any]:
        if not hasattr(self._local, "values"):
            self._local.values = {}
        found: dict[str, Any] = self._local.values
        return found

    def __getitem__(self, key: str) -> Any:
        return self._own[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self._own[key] = value

    def __delitem__(self, key: str) -> None:
        del self._own[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._own)

    def __len__(self) -> int:
        return len(self._own)


def like_processes(patch: pytest.MonkeyPatch) -> None:
    """What a thread has seen of the lake is not known to the others."""
    patch.setattr(log, "_known", _OfThread())
    patch.setattr(ledger, "_latest", _OfThread())


def in_turns(patch: pytest.MonkeyPatch, turns: Turns, owner: Any, name: str) -> None:
    """Make a function one step."""
    original = getattr(owner, name)

    def stepping(*given: Any, **named: Any) -> Any:
        with turns.step(name):
            return original(*given, **named)

    patch.setattr(owner, name, stepping)
