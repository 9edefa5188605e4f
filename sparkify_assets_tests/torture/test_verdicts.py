"""What the exercises stand on sees what is wrong: verdicts, evenly spread points, a power loss."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from sparkify_assets_tests.torture.disk import Change
from sparkify_assets_tests.torture.mutants import MUTANTS
from sparkify_assets_tests.torture.mutations import CAUGHT_BY, Shown
from sparkify_assets_tests.torture.power import lost_with_the_power
from sparkify_assets_tests.torture.results import shares, table
from sparkify_assets_tests.torture.scene import Scene
from sparkify_assets_tests.torture.sweep import Lane, Trap, UnknownPoint, evenly, the_point
from sparkify_assets_tests.torture.tally import DOUBLED, HALF_SEEN, LOST, OTHER, Tally
from sparkify_assets_tests.torture.verdict import neither, torn, unequal

_BEFORE = {"songs": [("a",)], "users": [("x",)]}
_AFTER = {"songs": [("a",), ("b",)], "users": [("y",)]}


def test_before_and_after_are_fine_table_by_table() -> None:
    assert not neither(_BEFORE, _BEFORE, _AFTER)
    assert not neither({**_BEFORE, "users": _AFTER["users"]}, _BEFORE, _AFTER)


@pytest.mark.parametrize(
    ("rows", "kind"),
    [
        ([("b",)], LOST),
        ([("a",), ("b",), ("b",)], DOUBLED),
        ([("a",), ("c",)], HALF_SEEN),
    ],
)
def test_anything_else_is_told_by_its_kind(rows: list[tuple[str]], kind: str) -> None:
    [(found, words)] = neither({**_AFTER, "songs": rows}, _BEFORE, _AFTER)
    assert found == kind
    assert words.startswith("songs is as neither before nor after")
    [(found, _)] = unequal({**_AFTER, "songs": rows}, _AFTER)
    assert found == kind


def test_a_release_is_one_side_as_a_whole() -> None:
    assert not torn(_BEFORE, _BEFORE, _AFTER)
    assert not torn(_AFTER, _BEFORE, _AFTER)
    [(kind, words)] = torn({**_BEFORE, "users": _AFTER["users"]}, _BEFORE, _AFTER)
    assert kind == HALF_SEEN
    assert "users" in words


def test_points_are_all_and_evenly_spread() -> None:
    found = evenly(100)
    assert sorted(found) == list(range(100))
    for first in (10, 20, 50):
        beginning = sorted(found[:first])
        gaps = [b - a for a, b in itertools.pairwise(beginning)]
        assert max(gaps) <= 3 * 100 / first


def test_a_table_that_is_not_there_is_lost() -> None:
    [(kind, words)] = unequal({"users": _AFTER["users"]}, _AFTER)
    assert kind == LOST
    assert words.startswith("songs: 0 rows, expected 2")
    assert neither({"users": _AFTER["users"]}, _BEFORE, _AFTER)


def _lane(operation: str, total: int) -> Lane[Scene]:
    def no_trap(_point: int) -> Trap[Scene]:
        raise AssertionError

    return Lane(operation, "kills", total, no_trap)


def test_a_point_is_found_by_its_name_or_told_to_be_unknown() -> None:
    lanes = [_lane("change", 7), _lane("rebuild", 3)]
    lane = the_point(lanes, "rebuild/kills/2")
    assert lane.operation == "rebuild"
    assert list(lane.points) == [2]
    for unknown in ("rebuild/kills/3", "rebuild/kills/-1", "change/cuts/1", "2", "change/kills/x"):
        with pytest.raises(UnknownPoint, match="change/kills/0 to 6"):
            the_point(lanes, unknown)


def _commit(lake: Path) -> tuple[str, str, str]:
    log = lake / "time/_delta_log"
    log.mkdir(parents=True)
    commit = log / f"{1:020d}.json"
    commit.write_text('{"add": {"path": "year=2018/p.parquet"}}\n')
    return str(log / ".a.tmp"), str(commit), str(lake / "time/year=2018/p.parquet")


def test_what_is_synced_before_its_commit_is_not_lost(tmp_path: Path) -> None:
    aside, commit, part = _commit(tmp_path)
    made = [
        Change("mkdir", str(Path(part).parent), ""),
        Change("open", part, ""),
        Change("write", part, ""),
        *[Change("sync", str(p), "") for p in (part, Path(part).parent, tmp_path / "time")],
        Change("open", aside, ""),
        Change("write", aside, ""),
        Change("sync", aside, ""),
        Change("link", aside, commit),
        Change("sync", str(Path(commit).parent), ""),
    ]
    assert not list(lost_with_the_power(made))
    for number, one in enumerate(made):
        if one.name == "sync":
            assert list(lost_with_the_power([*made[:number], *made[number + 1 :]]))
    twice = [*made[:-1], Change("link", aside, commit)]
    assert any("when the next commits" in one for one in lost_with_the_power(twice))


def test_every_variant_is_to_be_found() -> None:
    assert CAUGHT_BY.keys() == MUTANTS.keys()


def test_a_variant_is_found_by_the_promise_that_it_is_to_break_alone() -> None:
    shown = Shown(frozenset({LOST}), "rows are .* gone")
    told = (LOST, "rows are\n  all gone")
    assert shown.by([(OTHER, "a traceback"), told]) == told
    assert shown.by([(OTHER, "rows are all gone"), (LOST, "something else")]) is None


def test_results_have_counts_and_kinds() -> None:
    tally = Tally("bucket")
    tally.counts["kills"] = 7
    tally.shares["change: kills"] = (7, 14)
    tally.fail(LOST, "a row", "again")
    assert "| bucket | kills 7 | 1 | 0 | 0 | 0 |" in table([tally])
    assert "| bucket: change: kills | 7 | 14 | 50% |" in shares([tally])
