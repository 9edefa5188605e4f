"""Every order of the steps of some processes, breadth first, with landing changes and a fault.

Two states in which equal processes have changed places are one. From every end the recovery run
goes on, undisturbed; it is done once for each state of the lake.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from sparkify_assets_tests.model import builds, ingest, process, releases, upkeep
from sparkify_assets_tests.model.process import ENDED, Next, Process, Step
from sparkify_assets_tests.model.promises import (
    RECOVERED,
    broken,
    broken_after_recovery,
    broken_after_upkeep,
)
from sparkify_assets_tests.model.rules import KEPT, Rules
from sparkify_assets_tests.model.state import FILES, Shared, place

STEPS: dict[str, Step] = {
    **ingest.STEPS,
    **builds.STEPS,
    **releases.STEPS,
    **upkeep.STEPS,
    "look_up": process.look_up,
}
# What undisturbed runs take at most; far more than they need.
_MOST_STEPS = 100
# A content that no file had before, with so many changes to come.
_NEW_CONTENT = 100
_NAMES = "ABC"


class State(NamedTuple):
    """The lake and the processes at it."""

    shared: Shared
    processes: tuple[Process, ...]


class _Came(NamedTuple):
    """How a state was reached first: from which one, by whose step."""

    state: State | None
    process: int
    label: str


@dataclass
class Explored:
    """What an exploration found; the numbers are those up to a broken promise.

    Attributes:
        recoveries: states of the lake from which the recovery run was done.
        promise: the one that was broken, "" where none was.
        trace: the steps to it, one a line; the shortest there is.
    """

    states: int = 0
    transitions: int = 0
    recoveries: int = 0
    promise: str = ""
    trace: list[str] = field(default_factory=list)


def explore(begin: State, rules: Rules = KEPT) -> Explored:
    """Go through everything that can happen, until a promise is broken."""
    found = Explored()
    kept = _in_order(begin)
    came: dict[State, _Came] = {kept: _Came(None, 0, "")}
    recovered: set[Shared] = set()
    level = [(begin, kept)]  # each as it came, and as it is known
    while level:
        following: list[tuple[State, State]] = []
        for state, known in level:
            for number, label, after in _steps(state, rules):
                found.transitions += 1
                way = _Came(known, number, label)
                if promise := broken(state.shared, after.shared):
                    return _told(found, came, way, promise, [])
                kept = _in_order(after)
                if kept not in came:
                    came[kept] = way
                    following.append((after, kept))
            if _ended(state):
                ends_with, steps = _recover(state.shared, recovered, rules)
                if ends_with:
                    return _told(found, came, came[known], ends_with, steps)
        level = following
        found.states, found.recoveries = len(came), len(recovered)
    return found


def _ended(state: State) -> bool:
    return all(one.next == ENDED for one in state.processes)


def _steps(state: State, rules: Rules) -> Iterator[tuple[int, str, State]]:
    """Every step that can come next: whose (-1 of no process), what, and the state after it."""
    shared, processes = state
    for number, one in enumerate(processes):
        if one.next == ENDED:
            continue
        for label, after, moved in STEPS[one.next](shared, one, rules):
            yield number, label, State(_settled(after), _with(processes, number, moved))
        if shared.faults:
            dead = _with(processes, number, one.ends())
            yield number, "is killed", State(shared._replace(faults=shared.faults - 1), dead)
    # What happens to the landing zone at the end is as if it had happened a little before.
    if shared.changes and not _ended(state):
        for label, landing in _changes(shared):
            changed = shared._replace(landing=landing, changes=shared.changes - 1)
            yield -1, label, State(changed, processes)
    if shared.under_way is not None:
        log, new = shared.under_way
        landed = shared.with_log(log, new)._replace(under_way=None, landed=True)
        yield -1, f"what was under way lands in {log}", State(landed, processes)


def _changes(shared: Shared) -> Iterator[tuple[str, tuple[int, ...]]]:
    new = _NEW_CONTENT - shared.changes
    for number, content in enumerate(shared.landing):
        before, after = shared.landing[:number], shared.landing[number + 1 :]
        file = FILES[number]
        yield f"{file} {'is replaced' if content else 'comes'}: {file}{new}", (*before, new, *after)
        if content:
            yield f"{file} is removed", (*before, 0, *after)


def _settled(shared: Shared) -> Shared:
    """Without a put under way that can no longer land, as its version is taken."""
    put = shared.under_way
    if put is not None and place(shared.log(put.log)) != place(put.new) - 1:
        return shared._replace(under_way=None)
    return shared


def _with(processes: tuple[Process, ...], number: int, one: Process) -> tuple[Process, ...]:
    return (*processes[:number], one, *processes[number + 1 :])


def _in_order(state: State) -> State:
    """The same one of two states that differ by the places of equal processes."""
    if len(state.processes) == 2:
        first, second = state.processes
        if first.kind == second.kind and hash(first) > hash(second):
            return State(state.shared, (second, first))
    return state


def _recover(shared: Shared, known: set[Shared], rules: Rules) -> tuple[str | None, list[str]]:
    """One undisturbed run, then upkeep; what they break, and their steps."""
    begin = shared._replace(changes=0, faults=0, under_way=None, landed=False)
    if begin in known:
        return None, []
    known.add(begin)
    after, promise, steps = alone(begin, Process(builds.RUN, ingest.BEGIN), rules)
    promise = promise or broken_after_recovery(after)
    if promise:
        return promise, steps
    tidy, promise, more = alone(after, Process(upkeep.COMPACT, "compact: read_ledger"), rules)
    if promise is None:
        upkept = Process(upkeep.DEAD, "dead: find_batches")
        tidy, promise, last = alone(tidy, upkept, rules)
        more += last
    return promise or broken_after_upkeep(after, tidy), steps + more


def alone(shared: Shared, one: Process, rules: Rules) -> tuple[Shared, str | None, list[str]]:
    """One process to its end, with nothing beside it."""
    steps: list[str] = []
    for _ in range(_MOST_STEPS):
        if one.next == ENDED:
            return shared, None, steps
        (label, after, one) = _only(STEPS[one.next](shared, one, rules))
        steps.append(f"{one.kind}, alone: {label}")
        if promise := broken(shared, after):
            return after, promise, steps
        shared = after
    return shared, f"{RECOVERED}; it does not end", steps


def _only(found: list[Next]) -> Next:
    (one,) = found
    return one


def _told(
    found: Explored, came: dict[State, _Came], way: _Came, promise: str, more: list[str]
) -> Explored:
    ways = [way]
    while ways[-1].state is not None:
        ways.append(came[ways[-1].state])
    steps = [
        f"{'-' if one.process < 0 else _NAMES[one.process]}: {one.label}"
        for one in reversed(ways[:-1])
    ]
    found.states = len(came)
    found.promise, found.trace = promise, [*steps, *more]
    return found
