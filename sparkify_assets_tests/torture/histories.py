"""Processes interleaved at random on one lake, each history drawn from a seed.

The landing zone changes meanwhile (see `states`), a reader looks all the time, and `judge` says
whether a serial order explains what is found. One commit is held back for as long as the others
need to plan and commit something newer. In the end one more run makes everything current.

Histories are played in buckets only: there a proxy serves the requests in an order, so that each
process stands still anywhere while others go on. A folder has nothing in between that could make
processes wait; the sweeps over folders have one process at a time.
"""

from __future__ import annotations

import json
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from deltalake import DeltaTable

from sparkify_assets.tables import LANDED_FILES, PUBLIC, USERS
from sparkify_assets_tests.s3.order import MOST_SECONDS, Served
from sparkify_assets_tests.s3.zone import BucketZone
from sparkify_assets_tests.torture.endings import broken_by
from sparkify_assets_tests.torture.judge import Known, Release
from sparkify_assets_tests.torture.operations import Failed, run
from sparkify_assets_tests.torture.plain import Tables
from sparkify_assets_tests.torture.scene import (
    BucketScene,
    Scene,
    bucket_scenes,
    folder_scene,
    in_each,
)
from sparkify_assets_tests.torture.states import (
    BETWEEN,
    CHANGES,
    STATES,
    State,
    land,
    land_by_pieces,
)
from sparkify_assets_tests.torture.tally import OTHER, Broken, Say, Tally
from sparkify_assets_tests.torture.verdict import unequal
from sparkify_assets_tests.torture.zygote import Started

ACTORS: Mapping[str, tuple[str, ...]] = {
    "run": ("run",),
    "rebuild": ("run", "--rebuild"),
    "maintenance": ("maintain",),
    "sensor": ("sparkify_assets_tests.torture.actors:sensor",),
    "backfill": ("sparkify_assets_tests.torture.actors:backfill", ""),
    "backfill again": ("sparkify_assets_tests.torture.actors:backfill", "rebuild"),
}
_WORLD = "AKIAWORLD"
_SAY_EVERY = 10
_READ_SECONDS = 1.0  # between two looks of a reader
# At most before a change of the landing zone: all come early, or while processes work.
_PAUSE_SECONDS = (0.5, 2.0, 4.0)
# A commit of one of these is held back. Who did the work for it planned it from a state that is an
# old one by then.
_HELD = (LANDED_FILES, *(table for table in PUBLIC if table.monthly), USERS)
_HELD_SECONDS = 12.0
_SECONDS = 240  # that a process may take
_ENOUGH = 6  # histories, without any collision in which something is wrong with them


def histories(
    folder: Path, seed: int, number: int, until: float, say: Say, *, workers: int = 2
) -> Tally:
    """So many histories, or as many as there is time for up to a moment of `time.monotonic()`."""
    tally = Tally("histories")
    lock, seeds = threading.Lock(), iter(range(seed, seed + number))

    def take() -> int | None:
        with lock:
            late = time.monotonic() > until and tally.counts["histories"]
            return None if late else next(seeds, None)

    with bucket_scenes(folder / "buckets", workers) as scenes:
        say("loading every state of the landing zone")
        stage = set_stage(scenes[0], folder / "known")

        def work(scene: BucketScene, stop: threading.Event) -> None:
            while not stop.is_set() and (one := take()) is not None:
                found = play(stage, scene, one)
                with lock:
                    _report(one, found, tally, say)
                    if tally.counts["histories"] % _SAY_EVERY == 0:
                        say(f"{tally.counts['histories']} of {number} histories")

        in_each(scenes, work)
    for what in not_interleaved(tally.counts):
        again = f"make torture ONLY=histories MORE='--seed {seed} --number {number}'"
        tally.fail(OTHER, what, again)
    tally.shares["histories"] = (tally.counts["histories"], number)
    return tally


def _report(seed: int, found: Found, tally: Tally, say: Say) -> None:
    tally.counts["histories"] += 1
    tally.counts.update(found.counts)
    for kind, what in found.broken:
        say(f"{kind}: history {seed}: {what}")
        again = f"make torture ONLY=histories MORE='--seed {seed} --number 1'"
        tally.fail(kind, f"history {seed}: {what}", again)


def not_interleaved(counts: Mapping[str, int]) -> Iterator[str]:
    """What many histories must have and these do not, so that they show nothing."""
    if counts["histories"] >= _ENOUGH:
        for what in ("switches", "collisions", "commits held back"):
            if not counts[what]:
                yield f"no {what} in {counts['histories']} histories: nothing was interleaved"


class Found:
    """What came of a history: counts and broken promises, which several threads add."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.counts: Counter[str] = Counter()
        self.broken: list[Broken] = []

    def count(self, what: str, number: int = 1) -> None:
        """So many more of something."""
        with self._lock:
            self.counts[what] += number

    def breaks(self, *broken: Broken) -> None:
        """Promises that were broken."""
        with self._lock:
            self.broken += broken


@dataclass(frozen=True)
class Stage:
    """What histories are played with: a lake to begin with, and what is known of every state."""

    known: Known
    lake: str


def set_stage(scene: BucketScene, folder: Path, *, by_pieces: bool = True) -> Stage:
    """Load what histories on this scene's server need, and every state in a folder beside it.

    Args:
        by_pieces: whether the lake has small batches, so that a maintenance has something to do.
    """
    with ThreadPoolExecutor(1) as pool:
        tables = pool.submit(_tables_of_states, folder)
        # Tags, and with them the ledger, are others in a folder.
        account = scene.reader.account(_loaded(scene, STATES[-1]))
        lake = _loaded_by_pieces(scene) if by_pieces else _loaded(scene, STATES[0])
        return Stage(Known(tables.result(), account), lake)


def _tables_of_states(folder: Path) -> dict[State, Tables]:
    """What a clean load of every state of the landing zone says, and of those in between."""
    with folder_scene(folder) as scene:
        return {s: scene.reader.tables(_loaded(scene, s)) for s in (*STATES, *BETWEEN)}


def _loaded(scene: Scene, state: State) -> str:
    """A lake with a clean load of one state of the landing zone."""
    zone, landing = scene.zone()
    land(zone, state)
    lake = scene.new_lake()
    run(scene, landing, lake)
    return lake


def _loaded_by_pieces(scene: Scene) -> str:
    """A lake in the first state, after one run for each piece of it."""
    zone, landing = scene.zone()
    lake = scene.new_lake()
    for _ in land_by_pieces(zone):
        run(scene, landing, lake)
    return lake


def play(stage: Stage, scene: BucketScene, seed: int, names: Sequence[str] = ()) -> Found:
    """One history, and what came of it.

    Args:
        names: of `ACTORS`; drawn where there are none.
    """
    history = _History(stage, scene, seed, names)
    history.play()
    return history.found


class _History:
    """One seed: some processes, the changes of the landing zone, and the verdict."""

    def __init__(self, stage: Stage, scene: BucketScene, seed: int, names: Sequence[str]) -> None:
        self._stage, self._scene, self._seed = stage, scene, seed
        drawn = random.Random(seed)
        self._names = names or drawn.sample(sorted(ACTORS), drawn.randint(2, 4))
        self._held = drawn.choice(_HELD)
        self.found = Found()

    def play(self) -> None:
        """Everything from the landing zone to the verdict."""
        scene, proxy = self._scene, self._scene.proxy
        zone, landing = scene.zone()
        land(zone)
        lake = scene.new_lake(self._stage.lake)
        begun = {table.name: self._version(lake, table.name) for table in PUBLIC}
        keys = [f"AKIA{number}" for number in range(len(self._names))]
        proxy.interleave(self._seed, [*keys, _WORLD])
        proxy.delay(rf"^PUT .*/{self._held.name}/_delta_log/\d{{20}}\.json", _HELD_SECONDS, times=1)
        processes: list[Started] = []
        for name, key in zip(self._names, keys, strict=True):
            env = {**scene.env(landing, lake), "AWS_ACCESS_KEY_ID": key}
            env |= {"SPARKIFY_GRACE_HOURS": "1"}
            processes.append(scene.zygote.start(*ACTORS[name], env=env))
        for process in processes:
            process.go()
        over = threading.Event()
        with ThreadPoolExecutor(2) as pool:
            reader = pool.submit(self._read, lake, over)
            # Through the proxy, as one of the actors.
            world = pool.submit(self._change, BucketZone(proxy.endpoint, landing, _WORLD))
            try:
                self._wait(processes)
                world.result()
            finally:
                over.set()
            reader.result()
        self.found.count("commits held back", proxy.clear())
        self._count(proxy.served(), dict(zip(self._names, keys, strict=True)))
        self._judge(lake, begun)
        self._next_run(landing, lake)
        if not self.found.broken:
            scene.drop(lake)

    def _wait(self, processes: Sequence[Started]) -> None:
        for name, process in zip(self._names, processes, strict=True):
            self.found.count(f"of {name}")
            try:
                ended = process.wait(_SECONDS)
            except TimeoutError as error:
                self.found.breaks((OTHER, f"{name}: {error}"))
                continue
            if what := broken_by(ended):
                self.found.breaks((OTHER, f"{name} {what}"))
            elif ended.code:
                # What it did not do the next one does.
                self.found.count("processes that gave up")

    def _change(self, world: BucketZone) -> None:
        drawn = random.Random(f"{self._seed} world")
        longest = drawn.choice(_PAUSE_SECONDS)
        for change in drawn.sample(CHANGES, len(CHANGES)):
            time.sleep(drawn.uniform(0, longest))
            change(world)

    def _read(self, lake: str, over: threading.Event) -> None:
        """Anybody, at any moment: what is read is a state, and there is nothing that fails."""
        drawn = random.Random(f"{self._seed} reader")
        while not over.wait(_READ_SECONDS):
            name = drawn.choice([table.name for table in PUBLIC])
            try:
                rows = self._scene.reader.rows(lake, name)
            except Exception as error:  # noqa: BLE001 -- whatever it is, no reader is to see it
                self.found.breaks((OTHER, f"{name} could not be read: {error}"))
                continue
            self.found.count("reads")
            for kind, what in self._stage.known.seen(name, rows):
                self.found.breaks((kind, f"a reader saw it: {what}"))

    def _count(self, served: Served, keys: Mapping[str, str]) -> None:
        self.found.count("requests", sum(served.requests.values()))
        self.found.count("switches", served.switches)
        self.found.count("collisions", served.collisions)
        if served.late:
            what = f"a turn did not come within {MOST_SECONDS:.0f} s, {served.late} times"
            self.found.breaks((OTHER, what))
        for name, key in keys.items():
            if not served.requests[key]:
                self.found.breaks((OTHER, f"{name} made no request that waited for its turn"))

    def _judge(self, lake: str, begun: Mapping[str, int]) -> None:
        known = self._stage.known
        for table in PUBLIC:
            first, last = begun[table.name], self._version(lake, table.name)
            self.found.count("commits", last - first)
            rows = self._scene.reader.rows
            versions = {v: rows(lake, table.name, v) for v in range(first, last + 1)}
            self.found.breaks(*known.versions(table.name, versions))
        self.found.breaks(*known.releases(self._releases(lake)))

    def _releases(self, lake: str) -> Iterator[Release]:
        for content in self._scene.releases(lake):
            release = json.loads(content)
            _, tables = self._scene.reader.with_release(lake, release["versions"])
            pending = release["pending"]
            self.found.count("releases")
            yield Release(release["number"], pending, tables)

    def _next_run(self, landing: str, lake: str) -> None:
        """One more run makes everything as of the last state."""
        known, scene = self._stage.known, self._scene
        try:
            run(scene, landing, lake)
        except Failed as error:
            self.found.breaks((OTHER, f"the next {error}"))
            return
        release = json.loads(scene.releases(lake)[-1])["versions"]
        newest, released = scene.reader.with_release(lake, release)
        self.found.breaks(
            *unequal(newest, known.tables[STATES[-1]]),
            *unequal(released, known.tables[STATES[-1]]),
            *unequal(scene.reader.account(lake), known.account),
        )

    def _version(self, lake: str, name: str) -> int:
        options = dict(self._scene.reader.options)
        return DeltaTable(f"{lake}/{name}", storage_options=options).version()
