"""The states of the landing zone in a history, and which of them may follow which.

The zone changes in three independent ways (a file of November, one of December, a song), each of
which happens once; so it has eight states.

November's file has an event of December. Months are made one by one, and a run that takes in such a
file makes November first and December, of whose event it knew nothing, in another pass. `users` is
made of all months and has none of its own: in between it is of none of the eight states, and no
release may be of that moment.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence

from sparkify_assets_tests.torture.operations import base, events
from sparkify_assets_tests.zone import Zone, event

# Whether it is there: November's file, its event of December, December's file, the song.
State = tuple[int, int, int, int]
STATES: list[State] = [(n, n, d, s) for n, d, s in itertools.product((0, 1), repeat=3)]
# As `users` may be meanwhile; songs are nothing to it.
BETWEEN: list[State] = [(1, 0, december, 0) for december in (0, 1)]
_SMALL_FILES = 9  # one more than a maintenance leaves alone


def land(zone: Zone, state: State = STATES[0]) -> None:
    """The files of a state."""
    for _ in land_by_pieces(zone):
        pass
    november, late, december, songs = state
    if november:
        _november(zone, late=bool(late))
    if december:
        _december(zone)
    if songs:
        _songs(zone)


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


def _november(zone: Zone, *, late: bool = True) -> None:
    more = event("2018-11-30 23:59:00", sessionId=77, itemInSession=1, userId="77", level="free")
    paid = event("2018-12-01 00:20:00", sessionId=77, itemInSession=2, userId="77", level="paid")
    after_midnight = [paid] if late else []
    zone.logs("log_data/2018-11-30-events.json", *events("2018-11", 30), more, *after_midnight)


def _december(zone: Zone) -> None:
    zone.logs("log_data/2018-12-20-events.json", *events("2018-12", 20))


def _songs(zone: Zone) -> None:
    zone.song("SO3", title="Three", duration=300.0)


CHANGES: Sequence[Callable[[Zone], None]] = (_november, _december, _songs)
