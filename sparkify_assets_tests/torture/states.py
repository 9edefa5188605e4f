"""The states of the landing zone in a history, and which of them may follow which.

The zone changes in three independent ways (a file of November, one of December, a song), each of
which happens once; so it has eight states.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence

from sparkify_assets_tests.torture.operations import base, events
from sparkify_assets_tests.zone import Zone, event

# How much of each of the changes has happened, in the order of `CHANGES`.
State = tuple[int, int, int]
STATES: list[State] = list(itertools.product((0, 1), repeat=3))  # type: ignore[arg-type]
_SMALL_FILES = 9  # one more than a maintenance leaves alone


def land(zone: Zone, state: State = STATES[0]) -> None:
    """The files of a state."""
    for _ in land_by_pieces(zone):
        pass
    for change, done in zip(CHANGES, state, strict=True):
        if done:
            change(zone)


def land_by_pieces(zone: Zone) -> Iterator[None]:
    """The files of the first state, in pieces: a run after each leaves many small batches."""
    base(zone)
    for number in range(_SMALL_FILES):
        zone.logs(f"log_data/2018-12-{10 + number}-events.json", *events("2018-12", 10 + number))
        yield


def after_any(states: Iterable[State], before: Iterable[State]) -> set[State]:
    """Those of some states in which nothing is undone of at least one earlier state."""
    earlier = list(before)
    return {
        state
        for state in states
        if any(all(n >= t for n, t in zip(state, then, strict=True)) for then in earlier)
    }


def _november(zone: Zone) -> None:
    more = event("2018-11-30 23:59:00", sessionId=77, itemInSession=1, userId="77", level="free")
    late = event("2018-12-01 00:20:00", sessionId=77, itemInSession=2, userId="77", level="paid")
    zone.logs("log_data/2018-11-30-events.json", *events("2018-11", 30), more, late)


def _december(zone: Zone) -> None:
    zone.logs("log_data/2018-12-20-events.json", *events("2018-12", 20))


def _songs(zone: Zone) -> None:
    zone.song("SO3", title="Three", duration=300.0)


CHANGES: Sequence[Callable[[Zone], None]] = (_november, _december, _songs)
