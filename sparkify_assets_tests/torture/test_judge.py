"""What a history stands on sees what is wrong: states, versions, releases, ends, turns taken."""

from __future__ import annotations

import threading
import time
from collections import Counter
from http import HTTPStatus
from pathlib import Path

import pytest

from sparkify_assets.errors import LakeError, PlanChanged
from sparkify_assets.ingest.raw import _not_as_many
from sparkify_assets.lake.commit import Stamp, _too_busy, replace
from sparkify_assets.lake.lake import Lake
from sparkify_assets.tables import SONGS, TABLES, TIME
from sparkify_assets_tests.s3.order import Order
from sparkify_assets_tests.torture.endings import ERROR, broken_by
from sparkify_assets_tests.torture.histories import not_interleaved
from sparkify_assets_tests.torture.judge import Known, Release
from sparkify_assets_tests.torture.plain import Rows, Tables
from sparkify_assets_tests.torture.states import BETWEEN, STATES, State, after_any
from sparkify_assets_tests.torture.tally import DOUBLED, HALF_SEEN, LOST
from sparkify_assets_tests.torture.zygote import Ended


def _time(year: int, month: int, hour: int) -> tuple[int, ...]:
    given = {"year": year, "month": month, "hour": hour}
    return tuple(given.get(name, 0) for name in TABLES["time"].names)


def _times(november: int, december: int) -> Rows:
    return [_time(2018, 11, november), _time(2018, 12, december)]


def _tables(state: State) -> Tables:
    november, late, december, song = state
    return {"songs": [(song,)], "users": [(november + late,)], "time": _times(november, december)}


_KNOWN = Known({state: _tables(state) for state in (*STATES, *BETWEEN)}, {})


def test_a_later_state_is_one_in_which_nothing_is_undone() -> None:
    some: set[State] = {(1, 1, 0, 0), (0, 0, 1, 1)}
    assert after_any(some, {(0, 0, 0, 0)}) == some
    assert after_any({(0, 0, 1, 1)}, {(1, 0, 0, 0)}) == set()
    assert _KNOWN.states("songs", [(1,)]) == {state for state in STATES if state[3] == 1}
    assert _KNOWN.states("songs", [(2,)]) == set()


def test_a_reader_may_see_months_of_different_states() -> None:
    assert not _KNOWN.seen("time", _times(1, 0))
    [(kind, words)] = _KNOWN.seen("time", _times(1, 2))
    assert (kind, words[:12]) == (HALF_SEEN, "time 2018-12")
    [(kind, _)] = _KNOWN.seen("songs", [(1,), (1,)])
    assert kind == DOUBLED


@pytest.mark.parametrize("row", [_time(2019, 1, 0), _time(2018, 10, 0)])
def test_a_row_of_a_month_that_no_state_has_is_seen(row: tuple[int, ...]) -> None:
    rows = [*_times(0, 0), row]
    assert len(_KNOWN.seen("time", rows)) == 1
    [(_, words)] = _KNOWN.versions("time", {3: _times(0, 0), 4: rows})
    assert words.startswith("version 4 of time 20")


def test_versions_follow_one_another_month_by_month() -> None:
    fine = {1: _times(0, 0), 2: _times(1, 0), 3: _times(1, 1)}
    assert not list(_KNOWN.versions("time", fine))
    [(kind, words)] = _KNOWN.versions("time", {**fine, 4: _times(0, 1), 5: _times(1, 1)})
    assert (kind, words) == (LOST, "version 4 of time 2018-11 is older than before")


def test_a_release_is_a_state_as_a_whole_and_no_month_is_pending() -> None:
    none, song, both = (_tables(state) for state in ((0, 0, 0, 0), (0, 0, 0, 1), (1, 1, 0, 1)))
    in_turn = [Release(number, (), tables) for number, tables in enumerate((none, song, both))]
    assert not list(_KNOWN.releases(in_turn))
    [(kind, _)] = _KNOWN.releases(reversed(in_turn))
    assert kind == LOST
    between = _tables(BETWEEN[0])
    [(kind, _)] = _KNOWN.releases([Release(1, (), between)])
    assert kind == HALF_SEEN
    [(kind, words)] = _KNOWN.releases([Release(1, ("2018-12",), none)])
    assert (kind, words) == (HALF_SEEN, "release 1 names 2018-12 as pending")


def test_users_may_lack_what_november_has_for_december_and_not_lose_it_again() -> None:
    fine = {1: [(0,)], 2: [(1,)], 3: [(2,)]}
    assert not list(_KNOWN.versions("users", fine))
    [(kind, _)] = _KNOWN.versions("users", {**fine, 4: [(1,)]})
    assert kind == LOST


def _collision(folder: Path) -> PlanChanged:
    lake = Lake.at(str(folder))
    lake.create_missing()
    base = lake.snapshot(TIME)
    replace(lake, base, [], {"2018-11": Stamp(1)})
    with pytest.raises(PlanChanged) as found:
        replace(lake, base, [], {"2018-11": Stamp(2)})
    return found.value


def _failed(*errors: LakeError) -> Ended:
    reasons = "\n".join(f"time: {error}" for error in errors)
    return Ended(1, "", f"✗ time failed\n{ERROR}{reasons}\n")


def test_who_gives_up_says_that_others_were_quicker(tmp_path: Path) -> None:
    collision, busy = _collision(tmp_path), _too_busy(TIME)
    assert not broken_by(Ended(0, "", "a warning"))
    assert not broken_by(_failed(collision))
    assert not broken_by(_failed(busy, collision))
    assert not broken_by(_failed(PlanChanged(f"given up after 8 attempts: {collision}")))


def test_every_other_end_is_a_broken_promise(tmp_path: Path) -> None:
    collision = _collision(tmp_path)
    fewer = _not_as_many(Lake.at(str(tmp_path)).snapshot(SONGS), 1, 2)
    assert broken_by(_failed(fewer))
    assert broken_by(_failed(collision, LakeError("time: the commit failed: denied")))
    assert broken_by(Ended(1, "", ""))
    assert broken_by(Ended(1, "", ERROR))
    assert broken_by(Ended(1, "", f"{ERROR}time: {collision}\nTraceback (most recent call last):"))
    assert broken_by(Ended(-6, "", f"{ERROR}time: {collision}\n"))


def test_what_is_served_is_counted() -> None:
    order = Order(1, ["A", "B"])
    for actor in ("A", "A", "B", None, "C", "A"):
        order.wait(actor)
    for actor, status in (("A", 412), ("B", 409), ("B", 404), ("A", 200), (None, 412)):
        order.answered(actor, HTTPStatus(status))
    served = order.served
    assert served.requests == {"A": 3, "B": 1}
    assert (served.switches, served.collisions, served.late) == (2, 2, 0)


def test_a_turn_that_does_not_come_is_counted() -> None:
    order = Order(1, ["A", "B"], most_seconds=0.0)
    for _ in range(20):
        order.wait("A")
        order.wait("B")
    assert order.served.late
    assert order.served.requests == {"A": 20, "B": 20}


def test_an_actor_that_computes_is_passed_over_in_time() -> None:
    for seed in range(5):
        order = Order(seed, ["A", "B"])
        begun = time.monotonic()
        threads = [threading.Thread(target=order.wait, args=("A",)) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert time.monotonic() < begun + 10
        assert not order.served.late


def test_many_histories_without_any_collision_show_nothing() -> None:
    fine = {"switches": 1, "collisions": 1, "commits held back": 1}
    assert not list(not_interleaved(Counter(histories=6, **fine)))
    assert not list(not_interleaved(Counter(histories=5)))
    assert len(list(not_interleaved(Counter(histories=6)))) == 3
    [told] = not_interleaved(Counter(histories=6, **{**fine, "collisions": 0}))
    assert told.startswith("no collisions in 6 histories")
