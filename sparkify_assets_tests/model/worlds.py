"""What explorations begin with: a lake, the landing zone at it, and two processes."""

from __future__ import annotations

from sparkify_assets_tests.model.builds import RUN, RUN_BY_STEPS
from sparkify_assets_tests.model.explore import State
from sparkify_assets_tests.model.ingest import BEGIN
from sparkify_assets_tests.model.process import Process
from sparkify_assets_tests.model.state import (
    Built,
    Landed,
    Ledger,
    Raw,
    RawPart,
    Release,
    Scope,
    Shared,
)
from sparkify_assets_tests.model.upkeep import COMPACT, DEAD

FIRST_STEPS = {
    RUN: BEGIN,
    RUN_BY_STEPS: BEGIN,
    COMPACT: "compact: read_ledger",
    DEAD: "dead: find_batches",
}


def process(kind: str, times: int = 1) -> Process:
    """A process that begins, and does all of it so often."""
    return Process(kind, FIRST_STEPS[kind], times - 1)


def pairs(kinds: tuple[str, ...]) -> list[tuple[str, str]]:
    """Every two of these, also two of one kind."""
    return [(a, b) for i, a in enumerate(kinds) for b in kinds[i:]]


def nothing(changes: int, faults: int, *kinds: str) -> State:
    """An empty lake, and no file yet."""
    return State(Shared((0,), (0,), changes, faults), tuple(process(kind) for kind in kinds))


def empty(files: int, changes: int, faults: int, *kinds: str) -> State:
    """An empty lake, and files that nobody took in yet."""
    landing = tuple(range(1, files + 1))
    shared = Shared(landing, (0,) * files, changes, faults)
    return State(shared, tuple(process(kind) for kind in kinds))


def loaded(
    changes: int, faults: int, *kinds: str, scopes: tuple[int, ...] = (0, 0), new: bool = True
) -> State:
    """Two files taken in one by one, of which all is made; an interrupted run left a dead batch.

    Args:
        new: whether the second file was replaced since.
    """
    landed = (Landed("a", 1, 1), Landed("b", 2, 2))
    parts = [RawPart(f.batch, scopes[n], ((f.file, f.content),)) for n, f in enumerate(landed)]
    dead = RawPart(3, scopes[1], (("b", 3),))
    raw = Raw(3, (*parts, dead))
    found = [tuple(f for n, f in enumerate(landed) if scopes[n] == s) for s in sorted({*scopes})]
    ledger = Ledger(2, tuple(Scope(len(files), files) for files in found))
    plays = Built(1, (("a", 1), ("b", 2)), (("a", 1), ("b", 2)), 1, 2)
    totals = Built(1, plays.stamp, plays.rows, 1, 1)
    release = Release(1, totals, plays, ledger, raw)
    shared = Shared(
        (1, 3 if new else 2), scopes, changes, faults, raw, ledger, plays, totals, release
    )
    return State(shared, tuple(process(kind) for kind in kinds))


def together(*kinds: str) -> State:
    """Two files taken in as one batch, of which one was replaced and taken in anew."""
    landed = (Landed("a", 1, 1), Landed("b", 3, 2))
    raw = Raw(2, (RawPart(1, 0, (("a", 1), ("b", 2))), RawPart(2, 0, (("b", 3),))))
    plays = Built(2, (("a", 1), ("b", 3)), (("a", 1), ("b", 3)), 2, 2)
    totals = plays._replace(version=2)
    ledger = Ledger(2, (Scope(2, landed),))
    release = Release(1, totals, plays, ledger, raw)
    shared = Shared((1, 3), (0, 0), 0, 1, raw, ledger, plays, totals, release)
    return State(shared, tuple(process(kind) for kind in kinds))


def emptied() -> State:
    """A file at an empty lake whose tables were made when there was none; it is removed once.

    One process does a whole run while the other does two.
    """
    made = Built(1, (), ())
    shared = Shared((1,), (0,), 1, 0, plays=made, totals=made)
    return State(shared, (process(RUN), process(RUN, times=2)))


def worlds(*, long: bool) -> dict[str, State]:
    """What the exploration goes through, by name; the short form takes seconds."""
    found = {"a table that becomes empty again": emptied()}
    few = {(RUN, RUN): (1, 0), (RUN, COMPACT): (0, 1), (RUN, DEAD): (0, 1)}
    for pair in pairs((RUN, COMPACT, DEAD)):
        changes, faults = (1, 1) if long else few.get(pair, (1, 1))
        found[" beside ".join(pair)] = loaded(changes, faults, *pair)
    found["run beside run, a fault"] = loaded(0, 1, RUN, RUN)
    found["compaction of a batch that counts in part"] = together(COMPACT, DEAD)
    if long:
        for pair in ((RUN, RUN), (RUN, COMPACT), (RUN, DEAD)):
            changes, faults = (1, 0) if pair == (RUN, RUN) else (1, 1)
            name = f"{' beside '.join(pair)}, two scopes"
            found[name] = loaded(changes, faults, *pair, scopes=(0, 1))
        found["run beside run, an empty lake"] = empty(1, 1, 1, RUN, RUN)
        found["run beside run, two files of an empty lake"] = empty(2, 1, 0, RUN, RUN)
        found["run by steps beside run"] = loaded(1, 0, RUN_BY_STEPS, RUN)
        found["run, compaction and removal"] = loaded(0, 0, RUN, COMPACT, DEAD)
    return found
