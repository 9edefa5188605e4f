"""Work that the clock or Ctrl-C can stop."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet
from contextlib import suppress
from typing import TypeVar

_LOOK_SECONDS = 0.05
Result = TypeVar("Result")


class TookTooLong(Exception):  # noqa: N818 -- what happened; the caller finds words for it
    """The deadline passed, and the work was stopped."""


class Stoppable:
    """Does one thing after another in a thread of its own, so that this one can listen to Ctrl-C.

    Args:
        stop: makes the work under way end soon, with whatever error.
    """

    def __init__(self, stop: Callable[[], None]) -> None:
        self._stop = stop
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="query")

    def run(self, work: Callable[[], Result], deadline: float) -> Result:
        """The result of `work`.

        Args:
            deadline: as of `time.monotonic`.

        Raises:
            TookTooLong: the deadline passed.
            KeyboardInterrupt: Ctrl-C; the work has ended.
        """
        future = self._thread.submit(work)
        try:
            while True:
                left = deadline - time.monotonic()
                try:
                    return future.result(timeout=max(0.0, min(left, _LOOK_SECONDS)))
                except NotYet:
                    if future.done():  # just now, or with such an error of its own
                        return future.result()
                    if left <= 0:
                        raise TookTooLong from None
        except (KeyboardInterrupt, TookTooLong):
            self._end(future)
            raise

    def close(self) -> None:
        """No more work."""
        self._thread.shutdown()

    def _end(self, future: Future[Result]) -> None:
        while not future.done():
            self._stop()
            with suppress(KeyboardInterrupt):  # pressed again: it is being stopped
                time.sleep(_LOOK_SECONDS)
