"""`make torture`: every exercise, within a time, with its counts; exit code 1 if a promise broke.

`make torture MINUTES=60` is the long form, `make torture-short` what CI runs. A failure names the
arguments with which it is seen again.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from sparkify_assets_tests.torture.bucket import bucket_sweep
from sparkify_assets_tests.torture.folder import folder_sweep
from sparkify_assets_tests.torture.histories import histories
from sparkify_assets_tests.torture.hostile import hostile
from sparkify_assets_tests.torture.mutations import mutations
from sparkify_assets_tests.torture.orders import orders
from sparkify_assets_tests.torture.power import power
from sparkify_assets_tests.torture.protocol import explore_protocol
from sparkify_assets_tests.torture.results import plot, table, write
from sparkify_assets_tests.torture.sweep import UnknownPoint
from sparkify_assets_tests.torture.tally import OTHER, Say, Tally
from sparkify_assets_tests.torture.unread import unread

_SHORT_MINUTES = 6.0
_SEED = 2018
_HISTORIES_AT_ONCE = 2  # for each point of a sweep: in a history mostly one process works
# Of these `make test` runs short forms.
_IN_TESTS = {"protocol", "hostile", "orders"}


@dataclass(frozen=True)
class Size:
    """How much is done.

    Attributes:
        minutes: for everything; sweeps and histories share what the others leave of it.
        point: of a sweep, to try it alone.
    """

    minutes: float
    seed: int
    number: int
    point: str
    workers: int
    folder: Path

    @property
    def short(self) -> bool:
        """Whether it is the form for CI."""
        return self.minutes <= _SHORT_MINUTES

    def share_of(self, each_minute: float, *, at_least: int) -> int:
        """How many of something there is time for."""
        return max(at_least, int(each_minute * self.minutes))

    def until(self, share: float) -> float:
        """When an exercise that gets this share of the time stops."""
        return time.monotonic() + 60 * self.minutes * share


def _bucket(size: Size, say: Say) -> Tally:
    return bucket_sweep(
        size.folder / "bucket", size.until(0.16), say, workers=size.workers, only=size.point
    )


def _folder(size: Size, say: Say) -> Tally:
    return folder_sweep(
        size.folder / "folder", size.until(0.05), say, workers=size.workers, only=size.point
    )


def _histories(size: Size, say: Say) -> Tally:
    number = size.number or size.share_of(4, at_least=6)
    return histories(
        size.folder / "histories",
        size.seed,
        number,
        size.until(0.52),
        say,
        workers=_HISTORIES_AT_ONCE * size.workers,
    )


def _hostile(size: Size, say: Say) -> Tally:
    return hostile(size.seed, size.number or size.share_of(16, at_least=40), say)


def _orders(size: Size, say: Say) -> Tally:
    return orders(size.seed, size.number or size.share_of(0.33, at_least=2), say)


def _protocol(size: Size, say: Say) -> Tally:
    return explore_protocol(not size.short, say)


def _power(size: Size, say: Say) -> Tally:
    return power(size.folder / "power", say)


def _mutations(size: Size, say: Say) -> Tally:
    return mutations(size.folder / "mutations", say)


EXERCISES: dict[str, Callable[[Size, Say], Tally]] = {
    "protocol": _protocol,
    "hostile": _hostile,
    "orders": _orders,
    "power": _power,
    "mutations": _mutations,
    "histories": _histories,
    "folder": _folder,
    "bucket": _bucket,
}


def main(arguments: list[str]) -> int:
    """Run what was asked for; the exit code."""
    given = _parse(arguments)
    begun = time.monotonic()
    tallies = []
    with ExitStack() as stack:
        # On disk, as bombs and lakes may take some hundred MB.
        # By its real name, as changes of a folder are told.
        place = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="torture-"))).resolve()
        size = Size(given.minutes, given.seed, given.number, given.point, given.workers, place)
        for name in given.only or _exercises(size):
            try:
                tallies.append(_exercise(name, size, begun))
            except UnknownPoint as error:
                print(f"error: {error}", file=sys.stderr)  # noqa: T201
                return 2
            print(table(tallies[-1:]), flush=True)  # noqa: T201
        kept = any(tally.failures for tally in tallies) and given.keep
        if kept:
            stack.pop_all()
            print(f"what broke is kept in {place}")  # noqa: T201
    print(table(tallies))  # noqa: T201
    for tally in tallies:
        for failure in tally.failures:
            print(failure)  # noqa: T201
    if given.results is not None:
        write(given.results, tallies, given.minutes, given.seed)
        plot(given.results.with_suffix(".svg"), tallies)
    return int(any(tally.failures for tally in tallies))


def _exercises(size: Size) -> list[str]:
    return [name for name in EXERCISES if not (size.short and name in _IN_TESTS)]


def _exercise(name: str, size: Size, begun: float) -> Tally:
    def say(text: str) -> None:
        print(f"{time.monotonic() - begun:6.0f} s  {name}: {text}", flush=True)  # noqa: T201

    started = time.monotonic()
    before = unread(size.folder).items()
    tally = EXERCISES[name](size, say)
    for name, error in unread(size.folder).items() - before:
        say(f"other: {name}: {error}")
        tally.fail(OTHER, f"an answer of the engine could not be read: {error}", str(name))
    tally.seconds = time.monotonic() - started
    return tally


def _parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser("make torture", description=__doc__)
    add = parser.add_argument
    add("--minutes", type=float, default=60.0, help="for all exercises (default: 60)")
    add("--short", dest="minutes", action="store_const", const=_SHORT_MINUTES, help="as in CI")
    add("--only", action="append", choices=list(EXERCISES), help="this exercise; several times")
    add("--seed", type=int, default=_SEED, help=f"of all that is drawn (default: {_SEED})")
    add("--number", type=int, default=0, help="of histories, sets of files or orders")
    add("--point", default="", help="of a sweep: operation/what/number, as a failure names it")
    add("--workers", type=int, default=3, help="points at once, half of histories (default: 3)")
    add("--keep", action="store_true", help="keep the lakes in which a promise broke")
    add("--results", type=Path, help="a Markdown file for the counts, with a plot beside it")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    code = main(sys.argv[1:])
    sys.stdout.flush()
    # Python's own end is passed over, as in `cli.command`.
    os._exit(code)
