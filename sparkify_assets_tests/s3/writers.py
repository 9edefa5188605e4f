"""What each of several writers of one lake does, in a process that loads little besides."""

from __future__ import annotations

import multiprocessing
import os
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from multiprocessing.synchronize import Barrier
from typing import Any

import pyarrow as pa

from sparkify_assets.errors import PlanChanged
from sparkify_assets.lake.commit import Stamp, append, replace
from sparkify_assets.lake.lake import Lake
from sparkify_assets.lake.part import Part
from sparkify_assets.lake.parts import write_parts
from sparkify_assets.tables import TABLES, TIME
from sparkify_assets_tests.lake.helpers import parts, rows

WRITERS, ROUNDS = 8, 10
_SECONDS = 180


def in_processes(work: Callable[..., None], arguments: Sequence[tuple[Any, ...]]) -> None:
    """Do this once for each of the arguments, at once; all must end well."""
    context = multiprocessing.get_context("spawn")  # forking after delta-rs was used hangs
    start = context.Barrier(len(arguments))
    processes = [context.Process(target=_ended, args=(start, work, *a)) for a in arguments]
    for process in processes:
        process.start()
    try:
        for process in processes:
            process.join(_SECONDS)
        assert [process.exitcode for process in processes] == [0] * len(processes)
    finally:
        for process in processes:
            process.kill()


def _ended(start: Barrier, work: Callable[..., None], *arguments: Any) -> None:
    try:
        start.wait(60)
        work(*arguments)
    except BaseException:  # noqa: BLE001 -- whatever it is, the process must not end well
        traceback.print_exc()
        os._exit(1)
    # Not by returning: pyarrow's threads may abort a process at its end (apache/arrow#34314).
    os._exit(0)


def create(uri: str) -> None:
    """Make a lake, and see that it is there."""
    lake = Lake.at(uri)
    lake.create_missing()
    assert {lake.snapshot(table).version for table in TABLES.values()} == {0}


def add_days(uri: str, month: str) -> None:
    """Append one day after the other."""
    lake = Lake.at(uri)
    for day in range(1, ROUNDS + 1):
        append(lake, TIME, parts(lake, month, day))


def count_up(uri: str, month: str) -> None:
    """Ten times, read the numbers of a month and put them and the next one in their place."""
    lake = Lake.at(uri)
    for _ in range(ROUNDS):
        while not _count_once(lake, month):
            pass  # plan again


def _count_once(lake: Lake, month: str) -> bool:
    base = lake.snapshot(TIME)
    numbers = base.read(["day"], keys=[month])["day"].to_pylist()
    new = _written(lake, month, [*numbers, len(numbers) + 1])
    with suppress(PlanChanged):
        replace(lake, base, new, {month: Stamp((base.stamp(month) or 0) + 1)})
        return True
    return False


def _written(lake: Lake, month: str, numbers: list[int]) -> list[Part]:
    """As `parts`, with any numbers for days."""
    found = pa.concat_tables([rows(month, 1)] * len(numbers))
    at = found.schema.get_field_index("day")
    column = pa.array(numbers, found.schema.field(at).type)
    found = found.set_column(at, found.schema.field(at), column)
    return write_parts(found.to_batches(), TIME, lake.table_location(TIME)).parts
