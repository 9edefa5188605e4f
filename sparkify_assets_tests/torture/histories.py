"""Processes interleaved at random on one lake, and whether some serial order explains it all.

The landing zone changes meanwhile in three independent ways (a file of November, one of December,
a song), so it has eight states. Whatever a version of a table says must be what a clean load of
one of them says, month by month; and from version to version only a later state may follow. A
release must be one state as a whole.
"""

from __future__ import annotations

import itertools
import json
import random
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from deltalake import DeltaTable

from sparkify_assets.tables import PUBLIC, TABLES
from sparkify_assets_tests.s3.zone import BucketZone
from sparkify_assets_tests.torture.operations import base, events, run
from sparkify_assets_tests.torture.plain import Rows, Tables
from sparkify_assets_tests.torture.scene import (
    MONTHS,
    BucketScene,
    Scene,
    bucket_scene,
    folder_scene,
)
from sparkify_assets_tests.torture.tally import DOUBLED, HALF_SEEN, LOST, OTHER, Say, Tally
from sparkify_assets_tests.torture.verdict import unequal
from sparkify_assets_tests.torture.zygote import Started
from sparkify_assets_tests.zone import Zone, event

# How much of each of the three changes has happened: November, December, songs.
State = tuple[int, int, int]
STATES: list[State] = list(itertools.product((0, 1), repeat=3))  # type: ignore[arg-type]
_SMALL_FILES = 9  # one more than a maintenance leaves alone
_ACTORS: dict[str, tuple[str, ...]] = {
    "run": ("run",),
    "rebuild": ("run", "--rebuild"),
    "maintenance": ("maintain",),
    "sensor": ("sparkify_assets_tests.torture.actors:sensor",),
    "backfill": ("sparkify_assets_tests.torture.actors:backfill", ""),
    "backfill again": ("sparkify_assets_tests.torture.actors:backfill", "rebuild"),
}
_WORLD = "AKIAWORLD"
_SAY_EVERY = 10
_READ_SECONDS = 0.5  # between two looks of a reader


@dataclass
class Known:
    """What a clean load of each state of the landing zone says."""

    tables: Mapping[State, Tables]
    account: Tables

    def states(self, name: str, rows: Rows, month: str | None = None) -> set[State]:
        """The states in which a table (or its month) has these rows."""
        return {s for s, tables in self.tables.items() if _of(tables[name], name, month) == rows}


def _of(rows: Rows, name: str, month: str | None) -> Rows:
    """The rows of a month, by the table's columns year and month; all where it is None."""
    if month is None:
        return rows
    columns = TABLES[name].names
    year_at, month_at = columns.index("year"), columns.index("month")
    return [row for row in rows if f"{row[year_at]}-{row[month_at]:02d}" == month]


def histories(
    folder: Path, seed: int, number: int, until: float, say: Say, *, workers: int = 2
) -> Tally:
    """So many histories, or as many as there is time for up to a moment of `time.monotonic()`."""
    tally = Tally("histories")
    lock, seeds = threading.Lock(), iter(range(seed, seed + number))
    errors: list[BaseException] = []
    say("loading every state of the landing zone")
    known = _known(folder / "known")

    def work(place: Path) -> None:
        try:
            with bucket_scene(place) as scene:
                stage = _Stage(scene, known)
                while True:
                    with lock:
                        late = time.monotonic() > until and tally.counts["histories"]
                        one = None if late or errors else next(seeds, None)
                    if one is None:
                        return
                    found = _History(stage, one)
                    found.play()
                    with lock:
                        found.report(tally, say)
                        if tally.counts["histories"] % _SAY_EVERY == 0:
                            say(f"{tally.counts['histories']} of {number} histories")
        except BaseException as error:  # noqa: BLE001 -- raised below
            errors.append(error)

    threads = [threading.Thread(target=work, args=(folder / str(n),)) for n in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    tally.shares["histories"] = (tally.counts["histories"], number)
    return tally


class _Stage:
    """Where histories are played: the lake to begin with, and what is known of every state."""

    def __init__(self, scene: BucketScene, tables: Mapping[State, Tables]) -> None:
        self.scene = scene
        # Tags, and with them the ledger, are others in a folder.
        self.known = Known(tables, scene.reader.account(_loaded(scene, STATES[-1])))
        zone, landing = scene.zone()
        self.lake = scene.new_lake()
        for _ in _land(zone, by_pieces=True):
            run(scene, landing, self.lake)


def _known(folder: Path) -> dict[State, Tables]:
    """The tables of every state of the landing zone."""
    with folder_scene(folder) as scene:
        return {state: scene.reader.tables(_loaded(scene, state)) for state in STATES}


def _loaded(scene: Scene, state: State) -> str:
    """A lake with a clean load of one state of the landing zone."""
    zone, landing = scene.zone()
    _land(zone)
    for change, done in zip(_CHANGES, state, strict=True):
        if done:
            change(zone)
    lake = scene.new_lake()
    run(scene, landing, lake)
    return lake


def _land(zone: Zone, *, by_pieces: bool = False) -> Iterable[None]:
    base(zone)

    def rest() -> Iterable[None]:
        for number in range(_SMALL_FILES):
            zone.logs(
                f"log_data/2018-12-{10 + number}-events.json", *events("2018-12", 10 + number)
            )
            yield

    return rest() if by_pieces else list(rest())


def _november(zone: Zone) -> None:
    more = event("2018-11-30 23:59:00", sessionId=77, itemInSession=1, userId="77", level="free")
    late = event("2018-12-01 00:20:00", sessionId=77, itemInSession=2, userId="77", level="paid")
    zone.logs("log_data/2018-11-30-events.json", *events("2018-11", 30), more, late)


def _december(zone: Zone) -> None:
    zone.logs("log_data/2018-12-20-events.json", *events("2018-12", 20))


def _songs(zone: Zone) -> None:
    zone.song("SO3", title="Three", duration=300.0)


_CHANGES: Sequence[Callable[[Zone], None]] = (_november, _december, _songs)


class _History:
    """One seed: some processes, the changes of the landing zone, and what came of it."""

    def __init__(self, stage: _Stage, seed: int) -> None:
        self._stage, self._scene, self.seed = stage, stage.scene, seed
        self._random = random.Random(seed)
        self.broken: list[tuple[str, str]] = []
        self.counts: dict[str, int] = {}

    def play(self) -> None:
        """Everything from the landing zone to the verdict."""
        scene, proxy = self._scene, self._scene.proxy
        zone, landing = scene.zone()
        _land(zone)
        lake = scene.new_lake(self._stage.lake)
        begun = {table.name: _version(scene, lake, table.name) for table in PUBLIC}
        names = self._random.sample(sorted(_ACTORS), self._random.randint(2, 4))
        keys = [f"AKIA{number}" for number in range(len(names))]
        proxy.interleave(self.seed, [*keys, _WORLD])
        # Through the proxy, as one of the actors.
        world = BucketZone(proxy.endpoint, landing, _WORLD)
        over = threading.Event()
        reader = threading.Thread(target=self._read, args=(lake, over))
        changes = threading.Thread(target=self._change, args=(world,))
        processes: list[Started] = []
        for name, key in zip(names, keys, strict=True):
            env = {
                **scene.env(landing, lake),
                "AWS_ACCESS_KEY_ID": key,
                "SPARKIFY_GRACE_HOURS": "1",
            }
            processes.append(scene.zygote.start(*_ACTORS[name], env=env))
        for process in processes:
            process.go()
        for thread in (reader, changes):
            thread.start()
        self._wait(names, processes)
        changes.join()
        over.set()
        reader.join()
        self.counts["turns"] = len(proxy.turns())
        self._judge(landing, lake, begun)
        if not self.broken:
            scene.drop(lake)

    def report(self, tally: Tally, say: Say) -> None:
        """Put what was found into a tally."""
        tally.counts["histories"] += 1
        tally.counts.update(self.counts)
        for kind, what in self.broken:
            say(f"{kind}: history {self.seed}: {what}")
            again = f"make torture ONLY=histories MORE='--seed {self.seed} --number 1'"
            tally.fail(kind, what, again)

    def _count(self, what: str, number: int = 1) -> None:
        self.counts[what] = self.counts.get(what, 0) + number

    def _wait(self, names: Sequence[str], processes: Sequence[Started]) -> None:
        for name, process in zip(names, processes, strict=True):
            self._count(f"of {name}")
            try:
                ended = process.wait(240)
            except TimeoutError as error:
                self.broken.append((OTHER, f"{name}: {error}"))
                continue
            if ended.code < 0 or (ended.code and "Traceback" in ended.err):
                self.broken.append((OTHER, f"{name} ended with {ended.code}: {ended.err[-2000:]}"))
            elif ended.code:
                # So many collisions in a row that it gave up; what it did not do the next one does.
                self._count("processes that gave up")

    def _change(self, world: BucketZone) -> None:
        order = list(range(len(_CHANGES)))
        self._random.shuffle(order)
        for number in order:
            _CHANGES[number](world)
            time.sleep(self._random.random() * 0.5)

    def _read(self, lake: str, over: threading.Event) -> None:
        """Anybody, at any moment: what is read is a state, and there is nothing that fails."""
        while not over.wait(_READ_SECONDS):
            name = self._random.choice([table.name for table in PUBLIC])
            try:
                rows = self._scene.reader.rows(lake, name)
            except Exception as error:  # noqa: BLE001 -- whatever it is, no reader is to see it
                self.broken.append((OTHER, f"{name} could not be read: {error}"))
                continue
            self._count("reads")
            if not self._possible(name, rows):
                self.broken.append((HALF_SEEN, f"a reader saw {name} as no state has it: {rows}"))

    def _possible(self, name: str, rows: Rows) -> bool:
        months = MONTHS if TABLES[name].monthly else (None,)
        return all(self._stage.known.states(name, _of(rows, name, m), m) for m in months)

    def _judge(self, landing: str, lake: str, begun: dict[str, int]) -> None:
        for table in PUBLIC:
            last = _version(self._scene, lake, table.name)
            versions = range(begun[table.name], last + 1)
            self._count("commits", last - begun[table.name])
            found = {v: self._scene.reader.rows(lake, table.name, v) for v in versions}
            for month in MONTHS if table.monthly else (None,):
                self._explain(
                    table.name, month, {v: _of(r, table.name, month) for v, r in found.items()}
                )
        self._releases(lake)
        run(self._scene, landing, lake)
        last_state = self._stage.known.tables[STATES[-1]]
        release = json.loads(self._scene.releases(lake)[-1])["versions"]
        newest, released = self._scene.reader.with_release(lake, release)
        self.broken += unequal(newest, last_state)
        self.broken += unequal(released, last_state)
        self.broken += unequal(self._scene.reader.account(lake), self._stage.known.account)

    def _explain(self, name: str, month: str | None, versions: dict[int, Rows]) -> None:
        """Whether the versions of a table follow from states one after another."""
        reached: set[State] = set(STATES)
        for version, rows in versions.items():
            possible = self._stage.known.states(name, rows, month)
            where = f"version {version} of {name} {month or ''}"
            if not possible:
                kind = DOUBLED if len({map(repr, rows)}) < len(rows) else HALF_SEEN
                self.broken.append((kind, f"{where} is as no state has it: {rows}"))
                return
            following = after_any(possible, reached)
            if not following:
                self.broken.append((LOST, f"{where} is older than what it replaced"))
                return
            reached = following

    def _releases(self, lake: str) -> None:
        reached: set[State] = set(STATES)
        for content in self._scene.releases(lake):
            release = json.loads(content)
            _, tables = self._scene.reader.with_release(lake, release["versions"])
            self._count("releases")
            if release.get("pending"):
                self._count("releases with a month as it was before")
                continue
            states = {s for s, known in self._stage.known.tables.items() if known == tables}
            following = after_any(states, reached)
            if not following:
                self.broken.append(
                    (HALF_SEEN, f"release {release['number']} is no state as a whole")
                )
                return
            reached = following


def after_any(states: Iterable[State], before: Iterable[State]) -> set[State]:
    """Those of some states in which nothing is undone of at least one earlier state."""
    earlier = list(before)
    return {
        state
        for state in states
        if any(all(n >= t for n, t in zip(state, then, strict=True)) for then in earlier)
    }


def _version(scene: BucketScene, lake: str, name: str) -> int:
    return DeltaTable(f"{lake}/{name}", storage_options=dict(scene.reader.options)).version()
