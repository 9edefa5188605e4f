"""Eight processes at one lake in a bucket: what was committed is there, once and whole."""

from __future__ import annotations

import json
from typing import Any

import deltalake
import pytest

from sparkify_assets.lake import log
from sparkify_assets.lake.commit import append
from sparkify_assets.lake.lake import Lake
from sparkify_assets.lake.log import COMMIT_ID, LOG
from sparkify_assets.storage.location import Location
from sparkify_assets.storage.objects import objects
from sparkify_assets.tables import TABLES, TIME, Table
from sparkify_assets_tests.lake.helpers import content, parts, put
from sparkify_assets_tests.s3.fixtures import new_bucket
from sparkify_assets_tests.s3.proxy import Proxy
from sparkify_assets_tests.s3.writers import (
    ROUNDS,
    WRITERS,
    add_days,
    count_up,
    create,
    in_processes,
)


@pytest.fixture
def uri(on_ministack: Proxy) -> str:
    """Where a lake may be made."""
    return f"s3://{new_bucket(on_ministack)}/the/lake"


def test_eight_writers_of_eight_months(uri: str, on_ministack: Proxy) -> None:
    Lake.at(uri).create_missing()
    months = [f"2019-{number:02d}" for number in range(1, WRITERS + 1)]
    in_processes(count_up, [(uri, month) for month in months])
    _check_log(uri)
    days = list(range(1, ROUNDS + 1))
    assert _rows(uri) == [(number, day) for number in range(1, WRITERS + 1) for day in days]
    snapshot = _fresh(uri).snapshot(TIME)
    assert [snapshot.stamp(month) for month in months] == [ROUNDS] * WRITERS


def test_eight_writers_of_one_month(uri: str, on_ministack: Proxy) -> None:
    Lake.at(uri).create_missing()
    in_processes(count_up, [(uri, "2019-01")] * WRITERS)
    _check_log(uri)
    assert _rows(uri) == [(1, number) for number in range(1, WRITERS * ROUNDS + 1)]
    assert _fresh(uri).snapshot(TIME).stamp("2019-01") == WRITERS * ROUNDS


def test_eight_writers_that_append(uri: str, on_ministack: Proxy) -> None:
    Lake.at(uri).create_missing()
    in_processes(add_days, [(uri, f"2019-{number:02d}") for number in range(1, WRITERS + 1)])
    _check_log(uri)
    days = list(range(1, ROUNDS + 1))
    assert _rows(uri) == [(number, day) for number in range(1, WRITERS + 1) for day in days]


def test_eight_creators_of_one_lake(uri: str, on_ministack: Proxy) -> None:
    in_processes(create, [(uri,)] * WRITERS)
    for table in TABLES.values():
        assert [version for version, _ in _commits(uri, table)] == [0]
        assert _fresh(uri).snapshot(table).version == 0
    puts = [r for r in on_ministack.requests() if r.kind == "PUT" and LOG in r.path]
    assert len(puts) >= len(TABLES)  # how many more shows how close the race was
    assert all(request.if_none_match == "*" for request in puts)


@pytest.mark.parametrize("months", [1, 2], ids=["alone", "while another one commits"])
def test_a_commit_whose_reply_is_lost_lands_once(
    uri: str, on_ministack: Proxy, months: int
) -> None:
    lake = Lake.at(uri)
    lake.create_missing()
    base = lake.snapshot(TIME)
    if months == 2:
        put(lake, base, 1, "2018-12", [2])
    on_ministack.drop_reply(rf"PUT .*/time/{LOG}/")
    after = put(lake, base, 1, "2018-11", [1])
    assert after.version == months
    on_ministack.drop_reply(rf"PUT .*/time/{LOG}/")
    append(lake, TIME, parts(lake, "2018-12", 3))
    _check_log(uri, commits=months + 1)
    assert content(_fresh(uri)) == [(11, 1), *[(12, 2)] * (months - 1), (12, 3)]


def test_a_lake_is_made_though_a_reply_is_lost(uri: str, on_ministack: Proxy) -> None:
    on_ministack.drop_reply(rf"PUT .*/{LOG}/", times=5)
    assert Lake.at(uri).create_missing()
    assert {_fresh(uri).snapshot(table).version for table in TABLES.values()} == {0}


def test_a_part_whose_reply_is_lost_is_there_once(uri: str, on_ministack: Proxy) -> None:
    lake = Lake.at(uri)
    lake.create_missing()
    on_ministack.drop_reply(r"PUT .*\.parquet")
    put(lake, lake.snapshot(TIME), 1, "2018-11", [1])
    assert content(_fresh(uri)) == [(11, 1)]


def test_a_server_that_is_busy_for_a_while_costs_nothing(uri: str, on_ministack: Proxy) -> None:
    lake = Lake.at(uri)
    lake.create_missing()
    on_ministack.fail(r"PUT ", times=2)
    on_ministack.fail(r"GET ", times=2)
    put(lake, lake.snapshot(TIME), 1, "2018-11", [1])
    _check_log(uri, commits=1)


def _fresh(uri: str) -> Lake:
    """The lake as a process sees it that comes new."""
    log._known.clear()
    return Lake.at(uri)


def _commits(uri: str, table: Table = TIME) -> list[tuple[int, list[dict[str, Any]]]]:
    """Version and actions of each commit, from the objects themselves."""
    source = objects(Location(f"{uri}/{table.name}"))
    names = [e.key for e in source.list(f"{LOG}/") if e.key.endswith(".json")]
    return [
        (int(key[len(LOG) + 1 : -5]), [json.loads(line) for line in source.get(key).splitlines()])
        for key in names
    ]


def _check_log(uri: str, commits: int = WRITERS * ROUNDS) -> None:
    found = _commits(uri)
    assert [version for version, _ in found] == list(range(commits + 1))
    ids = [a["commitInfo"].get(COMMIT_ID) for _, actions in found for a in actions[:1]]
    assert ids[0] is None  # that of the making of the table
    assert len(set(ids[1:])) == commits
    # Each part is added once, and removed once at most, after it was added.
    there: set[str] = set()
    ever: set[str] = set()
    for _, actions in found:
        added = {a["add"]["path"] for a in actions if "add" in a}
        removed = {a["remove"]["path"] for a in actions if "remove" in a}
        assert removed <= there
        assert not added & ever
        there, ever = (there - removed) | added, ever | added
    for state in (_fresh(uri).snapshot(TIME).state, _from_first_commit(uri)):
        assert set(state.parts) == there
        assert state.version == commits


def _from_first_commit(uri: str) -> log.LogState:
    """The state without any checkpoint."""
    state = log.LogState()
    for version, actions in _commits(uri):
        state = state.after(actions, version, None)
    return state


def _rows(uri: str) -> list[tuple[int, int]]:
    """What readers see, the same for ours and delta-rs: (month, day) of every row, sorted."""
    ours = content(_fresh(uri))
    location = Location(f"{uri}/{TIME.name}")
    table = deltalake.DeltaTable(location.uri, storage_options=location.storage_options)
    assert table.version() == _fresh(uri).snapshot(TIME).version
    theirs = table.to_pyarrow_table(columns=["month", "day"]).to_pylist()
    assert sorted((row["month"], row["day"]) for row in theirs) == ours
    return ours
