"""Ctrl-C and SIGTERM: a run ends at once, and Dagster is told."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import TypeVar

Result = TypeVar("Result")


class Interrupted(BaseException):
    """The run was interrupted; its thread is still at work, so the process has to be ended.

    The message, if there is one, says what becomes of the rest.
    """


def interruptible(work: Callable[[], Result]) -> Result:
    """Do the work in a thread, so that the main one is free to hear signals.

    A commit lands whole or not at all and the next run completes what is missing, so there is no
    need to wait for anything; an engine in the middle of a query would take its time.

    Raises:
        Interrupted: on Ctrl-C or SIGTERM. Leave the process with `os._exit`.
    """
    results: list[Result] = []
    failures: list[BaseException] = []

    def target() -> None:
        try:
            results.append(work())
        except BaseException as error:  # noqa: BLE001 -- raised again below
            failures.append(error)

    before = signal.signal(signal.SIGTERM, _as_ctrl_c)
    thread = threading.Thread(target=target, name="run", daemon=True)
    try:
        thread.start()
        while thread.is_alive():
            thread.join(0.2)
    except KeyboardInterrupt:
        _tell_dagster()
        raise Interrupted from None
    finally:
        signal.signal(signal.SIGTERM, before)
    if failures:
        raise failures[0]
    return results[0]


def _as_ctrl_c(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _tell_dagster() -> None:
    from sparkify_assets.refresh.instance import close_dead_runs, open_instance

    with open_instance() as instance:
        close_dead_runs(instance, own=True)
