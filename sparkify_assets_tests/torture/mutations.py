"""That the suite would find it: variants that break a promise, and the point or seed that shows it.

For each variant it is written down which promise breaks and by which words this is told; another
broken promise is told too, but the variant is not found by it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from sparkify_assets_tests.torture import mutants
from sparkify_assets_tests.torture.bucket import Arm, RequestTrap, drop_reply, kill, requests_of
from sparkify_assets_tests.torture.histories import play, set_stage
from sparkify_assets_tests.torture.operations import change
from sparkify_assets_tests.torture.scene import bucket_scene
from sparkify_assets_tests.torture.sweep import evenly, try_point
from sparkify_assets_tests.torture.tally import HALF_SEEN, LOST, OTHER, Broken, Say, Tally

_COMMITS = r"PUT .*/_delta_log/\d{20}\.json"
_PARTS_AND_COMMITS = r"PUT .*(\.parquet|/_delta_log/\d{20}\.json)"
_MOST_HISTORIES = 12


@dataclass(frozen=True)
class Shown:
    """How a variant shows.

    Attributes:
        kinds: of the broken promise, one of them.
        words: a regular expression that finds something in what is told of it.
    """

    kinds: frozenset[str]
    words: str

    def by(self, broken: Iterable[Broken]) -> Broken | None:
        """The one of some broken promises that shows it."""
        return next((one for one in broken if self._is(*one)), None)

    def _is(self, kind: str, what: str) -> bool:
        return kind in self.kinds and re.search(self.words, " ".join(what.split())) is not None


@dataclass(frozen=True)
class BySweep(Shown):
    """A sweep over the requests of a change finds it.

    Attributes:
        sweep: its name, as `arm` does it.
        match: the requests at which it is looked for.
    """

    sweep: str
    arm: Arm
    match: str


@dataclass(frozen=True)
class ByHistories(Shown):
    """Histories find it.

    Attributes:
        actors: who works on the lake.
    """

    actors: tuple[str, ...]


CAUGHT_BY: Mapping[str, BySweep | ByHistories] = {
    "ledger before rows": BySweep(
        frozenset({OTHER}),
        "the next run ended with 1: .* have another number of rows than the ledger says",
        "kills",
        kill,
        _COMMITS,
    ),
    "parts deleted on an error": BySweep(
        frozenset({LOST, HALF_SEEN}),
        "songplays is as neither before nor after: .* [1-9][0-9]* missing",
        "replies dropped",
        drop_reply,
        _COMMITS,
    ),
    # After the next run: it thinks that the table is up to date.
    "stamped before rows": BySweep(
        frozenset({LOST, HALF_SEEN}),
        r"^\w+: \d+ rows, expected \d+; \d+ too many, [1-9]\d* missing",
        "kills",
        kill,
        _COMMITS,
    ),
    "month by month": BySweep(
        frozenset({HALF_SEEN}), "(time|songplays) is as neither before nor after", "kills", kill,
        _COMMITS,
    ),
    "replaced files removed at once": BySweep(
        frozenset({LOST}),
        r"a table cannot be read: .*/part-\S+\.parquet not found",
        "kills",
        kill,
        _PARTS_AND_COMMITS,
    ),
    # One process has all to itself: there is nobody who could be quicker.
    "nobody looks who was quicker": ByHistories(
        frozenset({LOST}),
        r"version \d+ of \w+ (2018-1[12] )?is older than before",
        ("rebuild", "run", "backfill"),
    ),
}  # fmt: skip


def mutations(folder: Path, say: Say) -> Tally:
    """Sweep each variant, or play histories with it, until the promise breaks that it is to break.

    One that does not break it is a failure.
    """
    tally = Tally("mutations")
    _look(_at_points(folder / "points"), tally, say)
    _look(_in_histories(folder / "histories", say), tally, say)
    return tally


# A place where a variant was looked for, in words, and the broken promises there.
_Tried = tuple[str, list[Broken]]


def _look(found: Iterator[tuple[str, Iterator[_Tried]]], tally: Tally, say: Say) -> None:
    for name, tries in found:
        for where, broken in tries:
            tally.counts["points and histories"] += 1
            shown = CAUGHT_BY[name].by(broken)
            if shown is not None:
                say(f"{name}: {where}: {_short(shown)}")
                tally.counts["mutations caught"] += 1
                break
            for other in broken:
                say(f"{name}: {where}, and not what it is to break: {_short(other)}")
                tally.counts["other broken promises"] += 1
        else:
            what = f"{name}: the promise that it is to break was kept"
            tally.fail(OTHER, what, "make torture ONLY=mutations")


def _short(broken: Broken) -> str:
    kind, what = broken
    text = " ".join(what.split())
    return f"{kind}: {text[:200]}"


def _at_points(folder: Path) -> Iterator[tuple[str, Iterator[_Tried]]]:
    with bucket_scene(folder) as scene:
        operation = change(scene)

        def tries(one: BySweep) -> Iterator[_Tried]:
            # Undisturbed it ends well, so that only what goes wrong can show it.
            lines = requests_of(scene, operation)
            total = sum(re.search(one.match, line) is not None for line in lines)
            for point in evenly(total):
                trap = RequestTrap(one.sweep, one.arm, one.match, point)
                where = f"{one.sweep}, at {point} of {total} requests"
                yield where, try_point(scene, operation, trap).broken

        for name, one in CAUGHT_BY.items():
            if isinstance(one, BySweep):
                scene.more = {mutants.MUTATION: name}
                yield name, tries(one)


def _in_histories(folder: Path, say: Say) -> Iterator[tuple[str, Iterator[_Tried]]]:
    with bucket_scene(folder / "bucket") as scene:
        say("loading every state of the landing zone")
        stage = set_stage(scene, folder / "known", by_pieces=False)

        def tries(one: ByHistories) -> Iterator[_Tried]:
            for seed in range(1, 1 + _MOST_HISTORIES):
                where = f"histories, seed {seed} of at most {_MOST_HISTORIES}"
                yield where, play(stage, scene, seed, one.actors).broken

        for name, one in CAUGHT_BY.items():
            if isinstance(one, ByHistories):
                scene.more = {mutants.MUTATION: name}
                yield name, tries(one)
