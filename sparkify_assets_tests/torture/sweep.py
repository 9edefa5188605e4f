"""Something goes wrong at each request, or at each change of a folder, one after another.

After each: readers see what was before or what is after, nothing else; the next run ends with
what an undisturbed one would have made. Where there is no time for all points, an even sample of
them is taken.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from sparkify_assets_tests.torture.aftermath import afterwards, at_once
from sparkify_assets_tests.torture.operations import OPERATIONS, Operation
from sparkify_assets_tests.torture.scene import Of, Scene, in_each
from sparkify_assets_tests.torture.tally import OTHER, Broken, Say, Tally
from sparkify_assets_tests.torture.zygote import Ended, Started

_GOLDEN = 0.6180339887498949
_SAY_SECONDS = 30
# Of a lane in which nothing has happened yet, when time is over.
_MOST_IN_VAIN = 8

_Place = TypeVar("_Place", bound=Scene, contravariant=True)


class Trap(Protocol[_Place]):
    """What goes wrong in one process; see `bucket` and `folder`."""

    @property
    def name(self) -> str:
        """What it counts as."""

    def env(self, lake: str) -> Mapping[str, str]:
        """What the process has to know."""

    def arm(self, scene: _Place, process: Started) -> None:
        """Before the process begins."""

    def sprung(self, scene: _Place, ended: Ended | None) -> bool:
        """Whether it took effect on a process that ended so; from now on it does not happen.

        Args:
            ended: None where it did not end by itself in time.
        """


@dataclass
class Lane(Generic[Of]):
    """The same thing at each of many points.

    Attributes:
        operation: its name.
        total: how many points there are.
        trap: makes what goes wrong at a point, from 0.
        weight: how many points are tried of it while others get one.
        tried, sprung: so many points were tried, and at so many what is to go wrong took effect.
    """

    operation: str
    name: str
    total: int
    trap: Callable[[int], Trap[Of]]
    weight: float = 1.0
    points: Iterator[int] = field(init=False)
    tried: int = 0
    sprung: int = 0

    def __post_init__(self) -> None:
        self.points = iter(evenly(self.total))


def evenly(total: int) -> list[int]:
    """All numbers below `total`, in an order of which every beginning is spread evenly."""
    return sorted(range(total), key=lambda number: (number * _GOLDEN) % 1)


class UnknownPoint(Exception):
    """No sweep has a point of this name."""


def the_point(lanes: Sequence[Lane[Of]], name: str) -> Lane[Of]:
    """A lane with one point alone, which is called `operation/lane/number`.

    Raises:
        UnknownPoint: there is no such lane, or it has fewer points.
    """
    called, _, number = name.rpartition("/")
    named = {f"{lane.operation}/{lane.name}": lane for lane in lanes}
    lane = named.get(called)
    if lane is None or not number.isdecimal() or int(number) >= lane.total:
        known = "\n".join(f"  {key}/0 to {one.total - 1}" for key, one in named.items())
        raise UnknownPoint(f"there is no point {name!r}; there are:\n{known}")
    lane.points = iter([int(number)])
    return lane


class Sweep(Generic[Of]):
    """Tries points of all lanes, in several scenes at once, until all were tried or time is over.

    Args:
        make_lanes: the lanes, found out in one scene with its operations.
        only: a point to try alone, `operation/lane/number`, as a failure names it.
    """

    def __init__(
        self,
        scenes: Sequence[Of],
        make_lanes: Callable[[Of, Mapping[str, Operation]], list[Lane[Of]]],
        tally: Tally,
        say: Say,
        *,
        repeat: str = "",
        only: str = "",
    ) -> None:
        self._scenes, self._make_lanes = scenes, make_lanes
        self._tally, self._say = tally, say
        self._repeat, self._only = repeat, only
        self._lanes: list[Lane[Of]] = []
        self._lock = threading.Lock()
        self._told = time.monotonic()

    def run(self, until: float) -> None:
        """Try points up to a moment of `time.monotonic()`, which a point begun before may pass.

        However late it is, each lane is tried until what is to go wrong there took effect once.

        Raises:
            UnknownPoint: there is none as it is to be tried alone.
        """
        operations = self._prepare()
        self._lanes = self._make_lanes(self._scenes[0], operations)
        if self._only:
            self._lanes = [the_point(self._lanes, self._only)]
        in_each(self._scenes, lambda scene, stop: self._work(scene, operations, until, stop))
        for lane in self._lanes:
            self._tally.shares[f"{lane.operation}: {lane.name}"] = (lane.tried, lane.total)
            if not lane.sprung:
                what = f"nothing went wrong at {lane.tried} of {lane.total} points"
                self._tally.fail(OTHER, f"{lane.operation}/{lane.name}: {what}", self._repeat)

    def _prepare(self) -> dict[str, Operation]:
        waiting = list(OPERATIONS)[::-1]  # the longest first
        found: dict[str, Operation] = {}

        def prepare(scene: Of, stop: threading.Event) -> None:
            while not stop.is_set():
                with self._lock:
                    if not waiting:
                        return
                    name = waiting.pop(0)
                self._say(f"preparing: {name}")
                found[name] = OPERATIONS[name](scene)

        in_each(self._scenes, prepare)
        return {name: found[name] for name in OPERATIONS}

    def _work(
        self,
        scene: Of,
        operations: Mapping[str, Operation],
        until: float,
        stop: threading.Event,
    ) -> None:
        while not stop.is_set() and (found := self._next(until)) is not None:
            lane, point = found
            self._try(scene, operations[lane.operation], lane, point)

    def _next(self, until: float) -> tuple[Lane[Of], int] | None:
        with self._lock:
            late = time.monotonic() > until
            open_lanes = [
                lane
                for lane in self._lanes
                if lane.tried < lane.total
                and not (late and (lane.sprung or lane.tried >= _MOST_IN_VAIN))
            ]
            while open_lanes:
                lane = min(open_lanes, key=lambda one: one.tried / one.weight)
                point = next(lane.points, None)
                if point is None:
                    open_lanes.remove(lane)
                    continue
                lane.tried += 1
                self._tell()
                return lane, point
            return None

    def _tell(self) -> None:
        if time.monotonic() > self._told + _SAY_SECONDS:
            self._told = time.monotonic()
            tried, total = (sum(getattr(o, n) for o in self._lanes) for n in ("tried", "total"))
            self._say(f"{tried:,} of {total:,} points, {len(self._tally.failures)} broken promises")

    def _try(self, scene: Of, operation: Operation, lane: Lane[Of], point: int) -> None:
        trap = lane.trap(point)
        tried = try_point(scene, operation, trap)
        self._count(lane, trap.name, tried)
        self._note(f"{lane.operation}/{lane.name}/{point}", tried.broken)

    def _count(self, lane: Lane[Of], name: str, tried: Tried) -> None:
        with self._lock:
            lane.sprung += tried.sprung
            counts, ended = self._tally.counts, tried.ended
            counts["points"] += 1
            counts[name if tried.sprung else "points without effect"] += 1
            if tried.sprung and ended is not None and not ended.killed:
                counts["runs that ended well all the same"] += not ended.code
                counts["runs that ended with an error"] += bool(ended.code)

    def _note(self, point: str, broken: Sequence[Broken]) -> None:
        with self._lock:
            for kind, what in broken:
                self._say(f"{kind}: {point}: {what}")
                self._tally.fail(
                    kind, f"{point}: {what}", f"{self._repeat} MORE=\"--point '{point}'\""
                )


@dataclass
class Tried:
    """What came of one point: how the process ended, if it did, and the promises that broke."""

    ended: Ended | None
    sprung: bool
    broken: list[Broken]


def try_point(scene: Of, operation: Operation, trap: Trap[Of]) -> Tried:
    """Let something go wrong in one operation, look at once, and once more after the next run.

    A lake that keeps all promises is removed, another one stays to be looked at.
    """
    lake = scene.new_lake(operation.before)
    env = {**scene.env(operation.landing, lake), **trap.env(lake)}
    process = scene.zygote.start(*operation.arguments, env=env)
    trap.arm(scene, process)
    process.go()
    try:
        ended = process.wait()
    except TimeoutError as error:
        return Tried(None, trap.sprung(scene, None), [(OTHER, str(error))])
    sprung = trap.sprung(scene, ended)
    broken = [*_told(ended), *at_once(scene, operation, lake, done=not ended.code)]
    broken += afterwards(scene, operation, lake)
    if not broken:
        scene.drop(lake)
    return Tried(ended, sprung, broken)


def _told(ended: Ended) -> Iterator[Broken]:
    """A run that cannot do its work says so, in words for people."""
    if "Traceback" in ended.err:
        yield OTHER, f"a traceback instead of an error: {ended.err[-3000:]}"
    elif ended.code < 0 and not ended.killed:
        yield OTHER, f"ended by signal {-ended.code}: {ended.out}{ended.err}"
    elif ended.code > 0 and "error:" not in ended.err.lower():
        yield OTHER, f"ended with {ended.code} and no error: {ended.out}{ended.err}"
