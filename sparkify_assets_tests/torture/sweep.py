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

from sparkify_assets_tests.torture.aftermath import Broken, afterwards, at_once
from sparkify_assets_tests.torture.operations import OPERATIONS, Operation
from sparkify_assets_tests.torture.scene import Scene
from sparkify_assets_tests.torture.tally import OTHER, Say, Tally
from sparkify_assets_tests.torture.zygote import Ended, Started

_GOLDEN = 0.6180339887498949
_SAY_SECONDS = 30

Of = TypeVar("Of", bound=Scene)
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

    def sprung(self, scene: _Place) -> bool:
        """Whether it happened; from now on it does not."""


@dataclass
class Lane(Generic[Of]):
    """The same thing at each of many points.

    Attributes:
        operation: its name.
        total: how many points there are.
        trap: makes what goes wrong at a point, from 0.
        weight: how many points are tried of it while others get one.
    """

    operation: str
    name: str
    total: int
    trap: Callable[[int], Trap[Of]]
    weight: float = 1.0
    points: Iterator[int] = field(init=False)
    tried: int = 0

    def __post_init__(self) -> None:
        self.points = iter(evenly(self.total))


def evenly(total: int) -> list[int]:
    """All numbers below `total`, in an order of which every beginning is spread evenly."""
    return sorted(range(total), key=lambda number: (number * _GOLDEN) % 1)


class Sweep(Generic[Of]):
    """Tries points of all lanes, in several scenes at once, until all were tried or time is over.

    Args:
        make_lanes: the lanes, found out in one scene with its operations.
        only: points to try alone, `lane number`, as a failure names them.
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
        self._errors: list[BaseException] = []

    def run(self, until: float) -> None:
        """Try points up to a moment of `time.monotonic()`, which a point begun before may pass.

        At least one point of each lane is tried, however late it is.
        """
        prepared = self._prepare()
        self._lanes = self._make_lanes(self._scenes[0], prepared[0])
        threads = [
            threading.Thread(target=self._guarded, args=(lambda s=s, o=o: self._work(s, o, until),))
            for s, o in zip(self._scenes, prepared, strict=True)
        ]
        self._join(threads)
        for lane in self._lanes:
            self._tally.shares[f"{lane.operation}: {lane.name}"] = (lane.tried, lane.total)

    def _prepare(self) -> list[dict[str, Operation]]:
        found: list[dict[str, Operation]] = [{} for _ in self._scenes]

        def prepare(number: int) -> None:
            for name, make in OPERATIONS.items():
                self._say(f"preparing: {name}")
                found[number][name] = make(self._scenes[number])

        self._join(
            [
                threading.Thread(target=self._guarded, args=(lambda n=n: prepare(n),))
                for n in range(len(self._scenes))
            ]
        )
        return found

    def _join(self, threads: Sequence[threading.Thread]) -> None:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if self._errors:
            raise self._errors[0]

    def _guarded(self, work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 -- raised by whoever joins
            self._errors.append(error)

    def _work(self, scene: Of, operations: Mapping[str, Operation], until: float) -> None:
        while (found := self._next(until)) is not None and not self._errors:
            lane, point = found
            self._try(scene, operations[lane.operation], lane, point)

    def _next(self, until: float) -> tuple[Lane[Of], int] | None:
        with self._lock:
            late = time.monotonic() > until
            open_lanes = [
                lane
                for lane in self._lanes
                if lane.tried < lane.total and not (late and lane.tried)
            ]
            while open_lanes:
                lane = min(open_lanes, key=lambda one: one.tried / one.weight)
                point = next(lane.points, None)
                if point is None:
                    open_lanes.remove(lane)
                    continue
                lane.tried += 1
                if self._only and f"{lane.operation}/{lane.name}/{point}" != self._only:
                    continue
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
        if tried.ended is not None:
            self._count(trap.name, tried.ended, tried.sprung)
        self._note(f"{lane.operation}/{lane.name}/{point}", tried.broken)

    def _count(self, name: str, ended: Ended, sprung: bool) -> None:
        with self._lock:
            counts = self._tally.counts
            counts["points"] += 1
            counts[name if sprung else "points that were not reached"] += 1
            if sprung and not ended.killed:
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
        return Tried(None, trap.sprung(scene), [(OTHER, str(error))])
    sprung = trap.sprung(scene)
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
