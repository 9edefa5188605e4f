"""The same events in any order, by any files: the tables are those of one clean load."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from sparkify_assets_tests.torture import reference
from sparkify_assets_tests.torture.deliveries import (
    Delivery,
    clean,
    disorder,
    draw_lines,
    draw_songs,
)
from sparkify_assets_tests.torture.reference import Row
from sparkify_assets_tests.torture.tally import DOUBLED, LOST, OTHER, Say, Tally
from sparkify_assets_tests.torture.worlds import own_world

_RUNS = 3


def orders(seed: int, rounds: int, say: Say) -> Tally:
    """Deliver drawn events in some order in several runs, and at once; `rounds` times.

    Args:
        seed: of the first round; each further one has the next number.
    """
    tally = Tally("orders")
    for number in range(seed, seed + rounds):
        one_order(number, tally)
        say(f"order {number}: {tally.counts['runs']} runs so far, {len(tally.failures)} failures")
    return tally


def one_order(seed: int, tally: Tally) -> None:
    """One round."""
    draw = random.Random(seed)
    lines, songs = draw_lines(draw), draw_songs(draw)
    repeat = f"make torture ONLY=orders MORE='--seed {seed} --number 1'"
    tally.counts["orders"] += 1
    tally.counts["lines"] += len(lines)
    found = _loaded(disorder(draw, lines, songs, _RUNS), tally)
    right = _loaded([clean(lines, songs)], tally)
    for name, rows in right.tables.items():
        _compare(f"{name}, against one clean load", found.tables[name], rows, tally, repeat)
    events = reference.counted(lines)
    for name, told, wanted in (
        ("songplays", found.plays, reference.songplays(events, songs)),
        ("users", found.tables["users"], reference.users(events)),
        ("time", found.tables["time"], reference.times(events)),
    ):
        _compare(f"{name}, against the rules", told, wanted, tally, repeat)
    tally.counts["rows"] += len(found.plays)
    different = len(set(found.ids))
    if different != len(found.plays):
        tally.fail(DOUBLED, f"{len(found.plays)} plays have {different} ids", repeat)


class _Loaded(NamedTuple):
    tables: dict[str, list[Row]]
    plays: list[Row]  # without their ids
    ids: list[int]


def _loaded(deliveries: Sequence[Delivery], tally: Tally) -> _Loaded:
    """All public tables after these deliveries, with a run after each."""
    with own_world() as world:
        for delivery in deliveries:
            for key, content in delivery.put.items():
                world.zone.write(key, content)
            for key in delivery.deleted:
                world.zone.delete(key)
            tally.counts["files"] += len(delivery.put)
            world.run(on_delete="remove", confirm_remove=True)
            tally.counts["runs"] += 1
        plays = world.rows("songplays", *reference.PLAY_COLUMNS)
        return _Loaded(world.tables(), plays, world.rows("songplays", "songplay_id"))


def _compare(
    about: str, found: Sequence[Row], right: Sequence[Row], tally: Tally, repeat: str
) -> None:
    more, less = Counter(found) - Counter(right), Counter(right) - Counter(found)
    if more or less:
        kind = LOST if less and not more else DOUBLED if more and not less else OTHER
        what = f"{about}: too many {list(more)[:3]}, too few {list(less)[:3]}"
        tally.fail(kind, f"{what} (of {len(found)} and {len(right)} rows)", repeat)
