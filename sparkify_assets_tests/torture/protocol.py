"""The protocol of `docs/protocol.md`, in every order of its steps: the model and its mutations."""

from __future__ import annotations

from sparkify_assets_tests.model.explore import explore
from sparkify_assets_tests.model.mutations import MUTATIONS
from sparkify_assets_tests.model.promises import (
    FORWARD,
    LATER,
    LOST,
    RECOVERED,
    STAYS,
    TOGETHER,
    TWICE,
)
from sparkify_assets_tests.model.worlds import worlds
from sparkify_assets_tests.torture import tally as kinds
from sparkify_assets_tests.torture.tally import Say, Tally

_NAME = "protocol"
_KINDS = {
    LOST: kinds.LOST,
    STAYS: kinds.LOST,
    RECOVERED: kinds.LOST,
    TWICE: kinds.DOUBLED,
    FORWARD: kinds.HALF_SEEN,
    TOGETHER: kinds.HALF_SEEN,
    LATER: kinds.HALF_SEEN,
}
_REPEAT = "python -m pytest sparkify_assets_tests/model"


def explore_protocol(long: bool, say: Say) -> Tally:
    """Explore the model of the protocol, then show that each of its mutations is found out.

    Args:
        long: more worlds, with a fault and a change of the landing zone at once: some 50 s on one
            core; the short form takes some 6 s.
    """
    tally = Tally(_NAME)
    for name, begin in worlds(long=long).items():
        found = explore(begin)
        tally.counts["states"] += found.states
        tally.counts["transitions"] += found.transitions
        say(f"{name}: {found.states:,} states, {found.transitions:,} transitions")
        if found.promise:
            told = "\n".join([f"{name}: {found.promise}", *found.trace])
            tally.fail(_KINDS.get(found.promise, kinds.OTHER), told, _REPEAT)
    for mutation in MUTATIONS:
        found = mutation.explore()
        say(f"{mutation.name}: {found.promise or 'not found out'}, {len(found.trace)} steps")
        if found.promise == mutation.breaks:
            tally.counts["mutations caught"] += 1
        else:
            what = f"{mutation.name}: expected {mutation.breaks}, found {found.promise or 'none'}"
            tally.fail(kinds.OTHER, what, _REPEAT)
    return tally
