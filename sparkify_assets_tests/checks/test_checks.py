"""Each check passes on what is right; what it is for was broken on purpose, and it says so."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from dagster import (
    AssetCheckEvaluation,
    AssetCheckKey,
    AssetCheckSeverity,
    AssetKey,
    DagsterInstance,
)
from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812 -- the name everybody knows it by

from sparkify_assets.checks.specs import AFTERWARDS, BLOCKING, WARNINGS
from sparkify_assets.composition import build_defs
from sparkify_assets.errors import UsageError
from sparkify_assets.ingest.ledger import read_ledger
from sparkify_assets.ingest.raw import LandedLines
from sparkify_assets.lake.commit import Stamp, replace
from sparkify_assets.lake.parts import write_parts
from sparkify_assets.settings import Settings
from sparkify_assets.tables import BUILT, SONGPLAYS, TABLES, WHOLE_TABLE
from sparkify_assets.transforms import people
from sparkify_assets_tests.jobs_in_process import Ran, numbers, run
from sparkify_assets_tests.refresh.world import World
from sparkify_assets_tests.zone import event

NOVEMBER, DECEMBER = "log_data/2018/11/a.json", "log_data/2018/12/a.json"
Row = dict[str, Any]


@pytest.fixture
def loaded(world: World) -> World:
    """Two months with two plays each, one of them of a song in the catalogue."""
    for key, month in ((NOVEMBER, "2018-11"), (DECEMBER, "2018-12")):
        session = int(month[-2:])
        other = event(f"{month}-05 11:00", sessionId=session, itemInSession=1, song="another")
        world.zone.logs(key, event(f"{month}-05 10:00", sessionId=session), other)
    world.zone.song()
    assert run(world, "2018-11", "2018-12").success
    return world


def change(world: World, name: str, how: Callable[[list[Row]], list[Row]], key: str) -> None:
    """Put other rows in place of a partition, as if they had been made from the same sources."""
    table, lake = TABLES[name], world.lake
    base = lake.snapshot(table)
    rows = how(base.read(keys=[key]).to_pylist())
    batches = pa.Table.from_pylist(rows, schema=table.plain_schema).to_batches()
    written = write_parts(batches, table, lake.table_location(table))
    stamp = Stamp(base.stamp(key) or 0)
    replace(lake, base, written.parts, {key: stamp})


def afterwards(world: World, month: str = "2018-11", **settings: Any) -> Ran:
    """A run of a month in which nothing is new; the checks are made all the same."""
    return run(world, month, only=["raw_logs", "songplays"], **settings)


def one(ran: Ran, asset: str, check: str, key: str | None = "2018-11") -> AssetCheckEvaluation:
    return ran.checked(asset, check)[key]


def test_every_check_of_every_asset_has_a_result_for_every_month_and_passes(world: World) -> None:
    world.zone.logs(NOVEMBER, event())
    world.zone.logs(DECEMBER, event("2018-12-05 10:00"))
    world.zone.song()
    ran = run(world, "2018-11", "2018-12")
    assert ran.success
    graph = build_defs(world.settings()).resolve_asset_graph()
    assert len(graph.asset_check_keys) == 2 * len(BUILT) + 5 + 4
    for key in graph.asset_check_keys:
        asset = key.asset_key.to_user_string()
        results = ran.checked(asset, key.name)
        by_month = graph.get(key.asset_key).partitions_def is not None
        assert results.keys() == ({"2018-11", "2018-12"} if by_month else {None}), key
        assert all(result.passed for result in results.values()), key
        assert all(result.description for result in results.values()), key
        assert {result.blocking for result in results.values()} == {key.name in BLOCKING}
        severities = {result.severity for result in results.values()}
        warns = key.name in WARNINGS
        expected = AssetCheckSeverity.WARN if warns else AssetCheckSeverity.ERROR
        assert severities == {expected}, key


def test_up_to_date_partitions_have_results_too(loaded: World) -> None:
    ran = run(loaded, "2018-11")
    assert one(ran, "songplays", "key").passed
    assert "As published before" in (one(ran, "songplays", "key").description or "")
    assert one(ran, "users", "schema", None).passed


def test_a_play_too_many_is_found_apart_from_the_transform(loaded: World) -> None:
    def with_one_more(rows: list[Row]) -> list[Row]:
        return [*rows, {**rows[0], "songplay_id": 7}]

    change(loaded, "songplays", with_one_more, "2018-11")
    ran = afterwards(loaded)
    found = one(ran, "songplays", "plays_are_events")
    assert (found.passed, found.severity) == (False, AssetCheckSeverity.ERROR)
    assert (found.description or "").startswith("3 plays, but 2 distinct NextSong events")
    values = numbers(found.metadata)
    assert (values["plays"], values["events"]) == (3, 2)
    assert "| session_id | ts | user_id | events | plays |" in values["sample"]
    assert "| 11 | " in values["sample"]
    assert not ran.success
    text, metadata = ran.reason()
    assert text.startswith("songplays 2018-11: plays_are_events: 3 plays, but 2")
    assert metadata["months"] == ["2018-11"]


def test_a_play_too_few_is_found(loaded: World) -> None:
    change(loaded, "songplays", lambda rows: rows[:1], "2018-11")
    found = one(afterwards(loaded), "songplays", "plays_are_events")
    assert (found.description or "").startswith("1 plays, but 2")


def test_rows_of_a_replaced_file_are_no_events(loaded: World) -> None:
    replaced, late = "log_data/2018/11/c.json", "log_data/2018/11/late.json"
    loaded.zone.logs(replaced, *[event(sessionId=30, itemInSession=item) for item in range(5)])
    loaded.zone.logs("log_data/2018/11/b.json", event(sessionId=31))
    loaded.zone.logs(late, event("2018-12-01 00:00", sessionId=32))
    assert run(loaded, "2018-11", "2018-12").success  # all three in one batch
    loaded.zone.logs(replaced, event(sessionId=33))
    ran = run(loaded, "2018-11", "2018-12")
    for month, plays in (("2018-11", 4), ("2018-12", 3)):
        found = one(ran, "songplays", "plays_are_events", month)
        assert (found.passed, numbers(found.metadata)["events"]) == (True, plays)


def test_an_event_delivered_twice_counts_once(world: World) -> None:
    world.zone.logs(NOVEMBER, event(), event())
    world.zone.logs("log_data/2018/11/again.json", event())
    ran = run(world, "2018-11")
    assert one(ran, "songplays", "plays_are_events").passed
    assert numbers(ran.made("songplays")["2018-11"].metadata)["duplicates"] == 2


def test_an_event_delivered_as_a_play_and_as_something_else_is_one_or_the_other(
    world: World,
) -> None:
    world.zone.logs(NOVEMBER, event(), event(page="Home"))
    found = one(run(world, "2018-11"), "songplays", "plays_are_events")
    assert found.passed
    assert numbers(found.metadata)["ambiguous_events"] == 1


@pytest.mark.parametrize(
    ("column", "value", "refers"),
    [
        ("user_id", "nobody", "users.user_id"),
        ("song_id", "SOGONE", "songs.song_id"),
        ("artist_id", "ARGONE", "artists.artist_id"),
    ],
)
def test_a_play_that_refers_to_nothing_is_named(
    loaded: World, column: str, value: str, refers: str
) -> None:
    def pointing_nowhere(rows: list[Row]) -> list[Row]:
        return [{**rows[0], column: value}, *rows[1:]]

    change(loaded, "songplays", pointing_nowhere, "2018-11")
    ran = afterwards(loaded)
    found = one(ran, "songplays", "references")
    assert (found.passed, found.severity) == (False, AssetCheckSeverity.ERROR)
    assert numbers(found.metadata)["missing"] == 1
    sample = numbers(found.metadata)["sample"].replace("\\", "")
    assert f"| {column} | {value} | {refers} |" in sample
    assert not ran.success


def test_a_play_without_a_time_is_named(loaded: World) -> None:
    change(loaded, "time", lambda rows: rows[:1], "2018-11")
    found = one(afterwards(loaded), "songplays", "references")
    assert not found.passed
    assert "is not there: 1 times in time. Make 2018-11 again" in (found.description or "")


def test_a_table_that_was_only_not_made_yet_is_a_warning_with_the_way_out(loaded: World) -> None:
    more = event("2018-11-06 10:00", sessionId=12, userId="99")
    loaded.zone.logs("log_data/2018/11/b.json", more)
    only = ["raw_logs", "heard_songs", "song_matches", "songplays"]
    ran = run(loaded, "2018-11", only=only)
    assert ran.success
    found = one(ran, "songplays", "references")
    assert (found.passed, found.severity) == (False, AssetCheckSeverity.WARN)
    assert "users is out of date: materialize it" in (found.description or "")


def test_a_session_with_a_hole_is_named(world: World) -> None:
    world.zone.logs(
        NOVEMBER,
        event("2018-11-05 10:00", sessionId=5),
        event("2018-11-05 10:01", sessionId=5, itemInSession=2, page="Home"),
        event("2018-11-05 10:02", sessionId=6),
    )
    ran = run(world, "2018-11")
    assert ran.success  # a warning
    found = one(ran, "raw_logs", "sessions_without_holes")
    assert (found.passed, found.severity) == (False, AssetCheckSeverity.WARN)
    assert (found.description or "").startswith("1 of 2 sessions lack events: 5.")
    assert "| 5 | 0 | 2 | 2 | 1 |" in numbers(found.metadata)["sample"]


def test_a_session_may_begin_in_the_month_before_but_not_in_the_middle(world: World) -> None:
    world.zone.logs(
        NOVEMBER,
        event("2018-11-01 00:10", sessionId=5, itemInSession=7),
        event("2018-11-20 00:10", sessionId=6, itemInSession=7),
    )
    found = one(run(world, "2018-11"), "raw_logs", "sessions_without_holes")
    assert (found.description or "").startswith("1 of 2 sessions lack events: 6.")
    assert "| 6 | 7 | 7 | 1 | 7 |" in numbers(found.metadata)["sample"]


def test_the_largest_numbers_do_not_break_the_search_for_holes(world: World) -> None:
    largest = 2**63 - 1
    world.zone.logs(NOVEMBER, event(itemInSession=0), event(itemInSession=largest))
    found = one(run(world, "2018-11"), "raw_logs", "sessions_without_holes")
    assert not found.passed


def test_too_many_rejected_lines_are_shown(world: World) -> None:
    good = json.dumps(event())
    world.zone.write(NOVEMBER, f"{good}\ntorn | line\n")
    ran = run(world, "2018-11")
    assert ran.success
    found = one(ran, "raw_logs", "rejected_share")
    assert (found.passed, found.severity) == (False, AssetCheckSeverity.WARN)
    assert "1 of 2 lines rejected (50.00%; allowed 1.00%)" in (found.description or "")
    assert "torn \\| line" in numbers(found.metadata)["sample"]
    assert numbers(found.metadata)["share"] == 0.5
    assert one(ran, "raw_logs", "lines_accounted").passed


def test_how_many_may_be_rejected_is_a_setting(world: World) -> None:
    world.zone.write(NOVEMBER, f"{json.dumps(event())}\ntorn\n")
    found = one(run(world, "2018-11", rejected_share=0.5), "raw_logs", "rejected_share")
    assert found.passed


def test_events_outside_the_configured_months_are_told(world: World) -> None:
    world.zone.logs("log_data/2019/03/a.json", event("2019-04-01 00:00", sessionId=3))
    ran = run(world, "2019-03")
    found = one(ran, "raw_logs", "months_configured", "2019-03")
    assert not found.passed
    assert "events of 2019-04" in (found.description or "")
    assert "SPARKIFY_LAST_MONTH" in (found.description or "")
    assert "log\\_data/2019/03/a.json" in numbers(found.metadata)["sample"]


def test_a_ledger_that_counts_more_than_there_is_stops_what_comes_after(loaded: World) -> None:
    ledger = read_ledger(loaded.lake)
    files = [file._replace(rows=file.rows + 1) for file in ledger.of("2018-11")]
    ledger.commit(loaded.lake, {"2018-11": files})
    ran = afterwards(loaded)
    found = one(ran, "raw_logs", "lines_accounted")
    assert (found.passed, found.blocking) == (False, True)
    assert "sparkify run --rebuild --month 2018-11" in (found.description or "")
    assert "log\\_data/2018/11/a.json" in numbers(found.metadata)["sample"]
    assert not ran.success
    assert ran.reason()[0].startswith("raw_logs 2018-11: lines_accounted")
    assert not ran.made("songplays")


def many(month: str, matching: int) -> list[Row]:
    """A hundred plays, so many of the song in the catalogue."""
    return [
        event(
            f"{month}-05 10:00",
            sessionId=number,
            **({} if number < matching else {"song": f"unknown {number}"}),
        )
        for number in range(100)
    ]


def test_a_sudden_drop_of_the_match_rate_is_a_warning(world: World) -> None:
    for month, matching in (("2018-10", 60), ("2018-11", 50), ("2018-12", 20)):
        world.zone.logs(f"log_data/{month}-05-events.json", *many(month, matching))
    world.zone.song()
    ran = run(world, "2018-10", "2018-11", "2018-12")
    assert ran.success
    assert "too little to compare" in (
        one(ran, "songplays", "match_rate", "2018-10").description or ""
    )
    assert one(ran, "songplays", "match_rate", "2018-11").passed
    found = one(ran, "songplays", "match_rate", "2018-12")
    assert (found.passed, found.severity) == (False, AssetCheckSeverity.WARN)
    assert "20.0% of the plays match a song; 55.0% in the months before" in (
        found.description or ""
    )
    assert numbers(found.metadata)["match_rate"] == 0.2
    again = run(world, "2018-12", only=["songplays"], match_drop=0.9)
    assert one(again, "songplays", "match_rate", "2018-12").passed


def test_checks_can_be_run_by_themselves_for_one_asset(loaded: World) -> None:
    ran = run(loaded, "2018-11", only=["raw_logs"])
    assert ran.checked("raw_logs", "sessions_without_holes").keys() == {"2018-11"}
    assert not ran.checked("songplays", "references")
    assert set(AFTERWARDS) == {"raw_logs", "songplays"}


def test_a_month_in_which_nothing_changed_is_not_read_again(
    loaded: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[int] = []
    right = LandedLines.__iter__

    def counted(self: LandedLines) -> Iterator[pa.RecordBatch]:
        read.append(1)
        return right(self)

    monkeypatch.setattr(LandedLines, "__iter__", counted)
    with DagsterInstance.ephemeral() as instance:
        both = ("2018-11", "2018-12")
        first = run(loaded, *both, instance=instance)
        assert len(read) == 2
        again = run(loaded, *both, instance=instance)
        assert len(read) == 2
        for asset, checks in AFTERWARDS.items():
            for check in checks:
                before, after = first.checked(asset, check), again.checked(asset, check)
                assert {k: v.passed for k, v in before.items()} == dict.fromkeys(both, True)
                assert {k: v.passed for k, v in after.items()} == dict.fromkeys(both, True)
        loaded.zone.logs("log_data/2018/12/b.json", event("2018-12-06 10:00", sessionId=13))
        changed = run(loaded, *both, instance=instance)
        assert len(read) == 3
        assert (
            numbers(changed.checked("songplays", "plays_are_events")["2018-12"].metadata)["plays"]
            == 3
        )


def test_what_failed_is_examined_again_and_not_remembered(loaded: World) -> None:
    change(loaded, "songplays", lambda rows: rows[:1], "2018-11")
    with DagsterInstance.ephemeral() as instance:
        for _ in range(2):
            ran = afterwards(loaded, instance=instance)
            assert not one(ran, "songplays", "plays_are_events").passed
            assert not ran.success


def test_a_month_that_cannot_be_read_costs_the_others_no_result(loaded: World) -> None:
    lake = loaded.lake
    (path,) = [p.path for p in lake.snapshot(SONGPLAYS).parts_of(["2018-12"])]
    Path(lake.table_location(SONGPLAYS).uri, path).unlink()
    ran = run(loaded, "2018-11", "2018-12", only=["songplays"])
    found = ran.checked("songplays", "references")
    assert found["2018-11"].passed
    assert not found["2018-12"].passed
    assert "2018-12 cannot be examined" in (found["2018-12"].description or "")
    assert "the job `rebuild`" in (found["2018-12"].description or "")


def test_checks_alone_want_a_month_too(loaded: World) -> None:
    job = build_defs(loaded.settings()).resolve_implicit_global_asset_job_def()
    keys = [AssetCheckKey(AssetKey("songplays"), "references")]
    alone = job.get_subset(asset_selection=set(), asset_check_selection=set(keys))
    with pytest.raises(UsageError, match="no month was chosen"):
        alone.execute_in_process(instance=DagsterInstance.ephemeral())


@pytest.mark.engines
def test_a_transform_that_returns_something_else_is_not_published(
    loaded: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    right, before = people.users, loaded.rows("users")

    def users(user_history: DataFrame, user_months: DataFrame) -> DataFrame:
        frame = right(user_history, user_months)
        return frame.withColumns({"level": F.lit(1), "extra": F.lit("x")})

    monkeypatch.setattr(people, "users", users)
    ran = run(loaded, "2018-11", only=["users"], rebuild=["users"])
    found = one(ran, "users", "schema", None)
    assert not found.passed
    assert (found.description or "").startswith("level, extra: what the transform of users returns")
    assert "| level | int32 | string |" in numbers(found.metadata)["sample"]
    assert "| extra | string | nothing |" in numbers(found.metadata)["sample"]
    assert ran.reason()[0].startswith("users: schema: ")
    assert loaded.rows("users") == before


@pytest.mark.parametrize("share", ["-0.1", "1.1", "many"])
def test_settings_of_checks_are_shares(share: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from sparkify_assets.errors import SettingsError
    from sparkify_assets.settings import load_settings

    monkeypatch.setenv("SPARKIFY_REJECTED_SHARE", share)
    with pytest.raises(SettingsError, match="SPARKIFY_REJECTED_SHARE"):
        load_settings()


def test_whole_tables_have_results_without_a_month(settings: Callable[..., Settings]) -> None:
    graph = build_defs(settings()).resolve_asset_graph()
    for key in graph.asset_check_keys:
        node = graph.get(key)
        expected = graph.get(key.asset_key).partitions_def
        assert node.partitions_def == expected, key
    assert WHOLE_TABLE not in TABLES
