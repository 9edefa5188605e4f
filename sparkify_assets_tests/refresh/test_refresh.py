"""Whole runs: what is made again, what is left alone, and that everything comes out right."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sparkify_assets.composition import REFRESH, build_defs
from sparkify_assets.errors import PlanChanged
from sparkify_assets.ingest.landing_folder import FolderLanding
from sparkify_assets.ingest.ledger import Ledger
from sparkify_assets.lake import checkpoint, commit, log
from sparkify_assets.refresh import build, plan, run
from sparkify_assets.refresh.freshness import THROUGH
from sparkify_assets.refresh.report import get_status
from sparkify_assets.refresh.run import RunFailed
from sparkify_assets.tables import LANDED_FILES, SONGPLAYS, TABLES, TIME, USER_HISTORY, WHOLE_TABLE
from sparkify_assets_tests.refresh.world import World, parts_of
from sparkify_assets_tests.zone import event, song

NOVEMBER = "log_data/2018/11/2018-11-15-events.json"
DECEMBER = "log_data/2018/12/2018-12-15-events.json"
LOG_TABLES = {"user_months", "users", "heard_songs", "songplays", "time"}


@pytest.fixture
def loaded(world: World) -> World:
    """Two months and a song, loaded."""
    world.zone.logs(NOVEMBER, event(), event(userId="16", itemInSession=1))
    world.zone.logs(DECEMBER, event("2018-12-15 10:00", sessionId=2, song="x"))
    world.zone.song()
    world.run()
    return world


def test_the_first_run_makes_everything(loaded: World) -> None:
    assert len(loaded.rows("songplays")) == 3
    assert loaded.rows("songplays", "song_id").count("SOZCTXZ12AB0182364") == 2
    assert loaded.rows("users", "user_id") == ["15", "16"]
    assert loaded.rows("songs", "title") == ["Setanta matins"]
    assert loaded.rows("artists", "name") == ["Elena"]
    assert len(loaded.rows("time")) == 2


def test_a_second_run_changes_no_version(loaded: World) -> None:
    assert loaded.changed_by() == set()
    assert loaded.run().run_ids == []


def test_a_changed_line_makes_its_months_again_and_no_others(loaded: World) -> None:
    before = parts_of(loaded, "songplays", "2018-12")
    loaded.zone.logs(NOVEMBER, event(song="other"), event(userId="16", itemInSession=1))
    assert loaded.changed_by() == {*LOG_TABLES, "song_matches"}
    assert parts_of(loaded, "songplays", "2018-12") == before
    assert "other" in loaded.rows("songplays", "song")


def test_a_new_day_is_added(loaded: World) -> None:
    loaded.zone.logs("log_data/2018/11/2018-11-16-events.json", event("2018-11-16 10:00"))
    loaded.run()
    assert len(loaded.rows("songplays")) == 4


def test_a_late_file_for_an_old_month(loaded: World) -> None:
    loaded.zone.logs("log_data/2018/10/late.json", event("2018-10-01 10:00", level="free"))
    loaded.run()
    assert len(loaded.rows("songplays")) == 4
    # An older event changes no user's last state.
    assert set(loaded.rows("users", "level")) == {"paid"}


def test_a_song_that_nobody_heard_makes_no_play_again(loaded: World) -> None:
    loaded.zone.song("SONEW", title="never heard", artist_id="AR2")
    assert loaded.changed_by() == {"songs", "artists", "song_matches"}


def test_a_song_that_was_heard_makes_only_its_months_again(loaded: World) -> None:
    before = parts_of(loaded, "songplays", "2018-11")
    loaded.zone.song("SONEW", title="x", artist_id="AR2")
    assert loaded.changed_by() == {"songs", "artists", "song_matches", "songplays", "time"}
    assert parts_of(loaded, "songplays", "2018-11") == before
    assert loaded.rows("songplays", "song_id").count("SONEW") == 1


def test_a_better_match_takes_over(loaded: World) -> None:
    loaded.zone.song(duration=100.0)
    loaded.zone.song("SOAAA", duration=269.0)
    loaded.run()
    assert loaded.rows("songplays", "song_id").count("SOAAA") == 2


@pytest.mark.parametrize("november_first", [True, False])
def test_plays_after_midnight_stand_in_the_next_month_whichever_file_comes_first(
    world: World, november_first: bool
) -> None:
    files = {
        "log_data/2018/11/2018-11-30-events.json": [
            event("2018-11-30 23:58:00.796", sessionId=1),
            event("2018-12-01 00:02:00.796", sessionId=1, itemInSession=1),
        ],
        "log_data/2018/12/2018-12-01-events.json": [event("2018-12-01 09:00", sessionId=2)],
    }
    for key in sorted(files, reverse=not november_first):
        world.zone.logs(key, *files[key])
        world.run()
    months = world.rows("songplays", "month", "session_id")
    assert months == [(11, 1), (12, 1), (12, 2)]
    assert [month for month, _ in world.rows("time", "month", "day")] == [11, 12, 12]
    parts = world.lake.snapshot(SONGPLAYS).parts_of(["2018-12"])
    assert sum(part.rows for part in parts) == 2


def test_a_month_that_loses_its_events_becomes_empty(loaded: World) -> None:
    loaded.zone.logs(DECEMBER, event("2018-11-20 10:00", sessionId=2))
    loaded.run()
    assert set(loaded.rows("songplays", "month")) == {11}
    assert loaded.lake.snapshot(TIME).partitions == ["2018-11"]
    assert loaded.run().run_ids == []


def test_only_the_wanted_months_are_made(world: World) -> None:
    world.zone.logs(NOVEMBER, event())
    world.zone.logs(DECEMBER, event("2018-12-15 10:00"))
    world.run(only=["2018-12"])
    assert world.lake.snapshot(SONGPLAYS).partitions == ["2018-12"]
    world.run()
    assert world.lake.snapshot(SONGPLAYS).partitions == ["2018-11", "2018-12"]


def test_rebuild_reads_and_makes_everything_again_with_the_same_rows(loaded: World) -> None:
    tables = loaded.tables()
    batches = set(loaded.rows("landed_files", "batch"))
    assert loaded.changed_by(rebuild=True) == {
        *LOG_TABLES,
        "user_history",
        "song_matches",
        "songs",
        "artists",
    }
    assert loaded.tables() == tables
    assert not batches & set(loaded.rows("landed_files", "batch"))
    assert loaded.run().run_ids == []


def test_rebuild_of_some_months_leaves_the_month_between_alone(world: World) -> None:
    for month in (10, 11, 12):
        world.zone.logs(f"log_data/2018/{month}/a.json", event(f"2018-{month}-02 10:00"))
    world.run()
    before = parts_of(world, "songplays", "2018-11")
    world.run(only=["2018-10", "2018-12"], rebuild=True)
    assert parts_of(world, "songplays", "2018-11") == before


def test_songs_without_any_log_and_logs_without_any_song(world: World) -> None:
    world.zone.song()
    world.run()
    assert world.rows("songs", "title") == ["Setanta matins"]
    assert world.run().run_ids == []
    world.zone.delete("song_data/A/B/C/TRSOZCTXZ12AB0182364.json")
    world.zone.logs(NOVEMBER, event())
    world.run()
    assert len(world.rows("songplays")) == 1


def test_events_outside_the_configured_months_are_shown(world: World) -> None:
    world.zone.logs(NOVEMBER, event(), event("2019-04-01 10:00", sessionId=2))
    outcome = world.run()
    assert not outcome.left.needed
    assert len(world.rows("songplays")) == 1
    assert get_status(world.settings()).months_outside == ["2019-04"]
    world.run(last_month="2019-04")
    assert len(world.rows("songplays")) == 2


def test_a_changed_transform_makes_its_table_again(
    loaded: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Frozen, and shared by every module: the version is changed in place for a moment.
    object.__setattr__(TABLES["songs"], "code_version", 99)
    try:
        assert loaded.changed_by() == {"songs"}
    finally:
        object.__setattr__(TABLES["songs"], "code_version", 1)


@pytest.mark.parametrize("table", ["heard_songs", "song_matches", "songplays", "time", "users"])
def test_after_a_crash_between_ledger_and_tables_the_next_run_completes(
    loaded: World, monkeypatch: pytest.MonkeyPatch, table: str
) -> None:
    before = loaded.rows(table)
    loaded.zone.logs(NOVEMBER, event(song="x"), event(userId="17", itemInSession=1))
    original = build.Build.commit

    def crash(self: build.Build, frame: Any) -> Any:
        if self.table.name == table:
            raise RuntimeError("killed")
        return original(self, frame)

    monkeypatch.setattr(build.Build, "commit", crash)
    with pytest.raises(RunFailed, match=rf"{table}: RuntimeError: killed"):
        loaded.run()
    assert loaded.rows(table) == before  # what a reader sees
    monkeypatch.undo()
    stale = {item["table"] for item in get_status(loaded.settings()).stale}
    assert table in stale
    loaded.run()
    assert "17" in loaded.rows("users", "user_id")
    assert len(loaded.rows("songplays")) == 3
    assert loaded.run().run_ids == []


def test_a_step_that_lost_a_race_is_tried_again(
    loaded: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded.zone.logs(NOVEMBER, event(song="y"))
    original = commit.replace
    failures = [PlanChanged("somebody was quicker")] * 2

    def lose_twice(*arguments: Any) -> Any:
        if arguments[1].table is SONGPLAYS and failures:
            raise failures.pop()
        return original(*arguments)

    monkeypatch.setattr(build, "replace", lose_twice)
    loaded.run()
    assert not failures
    assert "y" in loaded.rows("songplays", "song")


def test_a_table_made_from_what_changed_meanwhile_is_made_once_more(
    loaded: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another run takes a file in between this run's reading and its commit of songplays."""
    loaded.zone.logs(NOVEMBER, event(song="first"))
    original = build.Build.commit
    intruding = [True]

    def intrude(self: build.Build, frame: Any) -> Any:
        if self.table is SONGPLAYS and intruding:
            intruding.clear()
            loaded.zone.logs("log_data/2018/11/more.json", event(sessionId=77, song="second"))
            loaded.run()
        return original(self, frame)

    monkeypatch.setattr(build.Build, "commit", intrude)
    loaded.run()
    songs = loaded.rows("songplays", "song")
    assert sorted(songs) == ["first", "second", "x"]
    assert loaded.run().run_ids == []


def test_a_failed_commit_fails_the_run_with_its_reason(
    loaded: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded.zone.logs(NOVEMBER, event(song="z"))

    def fail(*_: Any) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(commit, "write_log", fail)
    with pytest.raises(RunFailed, match="raw_logs: raw_logs: the commit failed: no space left"):
        loaded.run()
    monkeypatch.undo()
    loaded.run()
    assert "z" in loaded.rows("songplays", "song")


def test_a_plan_needs_neither_engine_nor_lake(world: World) -> None:
    world.zone.logs(NOVEMBER, event())
    world.zone.song()
    found = plan.make_plan(world.settings())
    assert [(scope.scope, len(scope.new)) for scope in found.scopes] == [
        ("2018-11", 1),
        ("songs", 1),
    ]
    assert not (world.zone.root.parent / "lake").exists()


def test_the_order_of_arrival_does_not_matter(world: World, tmp_path: Any) -> None:
    """Three ways to land the same lines, duplicates among them: one result."""
    events = [
        event(f"2018-11-{day:02d} {hour}:00:00.796", sessionId=day, itemInSession=hour - 10,
              userId=str(day % 3), level="free" if day % 2 else "paid")
        for day in (1, 2, 3) for hour in (10, 11)
    ]  # fmt: skip
    songs = [song(f"S{n}", duration=260.0 + n) for n in range(4)]
    results = []
    for way in range(3):
        one = World(type(world.zone)(tmp_path / f"in{way}"), world.settings)
        given = {"landing": str(tmp_path / f"in{way}"), "lake": str(tmp_path / f"lake{way}")}
        one._settings = lambda given=given, **more: world.settings(**{**given, **more})
        order = [events, events[::-1], events[3:] + events[:4]][way]
        for index, chunk in enumerate((order[:2], order[2:])):
            one.zone.logs(f"log_data/2018-11-0{index + 1 + way}-events.json", *chunk)
            for each in songs[index::2] if way else songs[:: 1 if index else 2]:
                one.zone.song(**each)
            one.run()
        results.append(one.tables())
    assert results[0] == results[1] == results[2]
    assert len(results[0]["songplays"]) == 6


def test_months_between_that_nobody_asked_for_are_not_made(world: World) -> None:
    world.zone.logs("log_data/2018/10/a.json", event("2018-10-02 10:00"))
    world.zone.logs("log_data/2019/01/a.json", event("2019-01-02 10:00", sessionId=2))
    assert len(world.run().run_ids) == 2
    snapshot = world.lake.snapshot(SONGPLAYS)
    assert snapshot.partitions == ["2018-10", "2019-01"]
    assert snapshot.stamp("2018-11") is None
    assert world.run().run_ids == []


def test_many_bytes_of_logs_are_taken_in_by_several_runs(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for month in range(1, 7):
        # The last event of each file belongs to the next month.
        day = f"log_data/2018/{month:02d}/2018-{month:02d}-28-events.json"
        late = event(f"2018-{month + 1:02d}-01 00:00", sessionId=month, itemInSession=1)
        world.zone.logs(day, event(f"2018-{month:02d}-28 23:00", sessionId=month), late)
    world.zone.song()
    size = (world.zone.root / "log_data/2018/01/2018-01-28-events.json").stat().st_size
    monkeypatch.setattr(run, "_RUN_BYTES", 2 * size + size // 2)
    found = world.run(first_month="2018-01")
    assert [len(months) for months in found.before.ranges(run._RUN_BYTES)] == [2, 2, 2]
    assert len(found.run_ids) >= 3
    assert len(world.rows("songplays")) == 12
    assert world.rows("users", "user_id") == ["15"]
    assert world.run(first_month="2018-01").run_ids == []


def test_one_month_is_never_cut(world: World) -> None:
    for month in ("10", "11", "12"):
        world.zone.logs(f"log_data/2018/{month}/a.json", event(f"2018-{month}-15 10:00"))
    found = plan.make_plan(world.settings())
    assert found.ranges(1) == [["2018-10"], ["2018-11"], ["2018-12"]]
    assert found.ranges(1 << 30) == [["2018-10", "2018-11", "2018-12"]]


def test_a_changed_file_is_all_that_is_read_however_often_it_changed(world: World) -> None:
    for number in range(3):
        world.zone.logs(NOVEMBER, *[event(itemInSession=i, song=str(number)) for i in range(5)])
        world.run()
    assert world.rows("songplays", "song") == ["2"] * 5
    assert get_status(world.settings()).rows == 5


def test_an_unreadable_file_is_told_whichever_range_it_belongs_to(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = world.zone.logs("log_data/2018/10/a.json", event("2018-10-02 10:00"))
    world.zone.logs("log_data/2019/01/a.json", event("2019-01-02 10:00", sessionId=2))
    blocks = FolderLanding.blocks

    def refuse(self: FolderLanding, file: Any) -> Any:
        if file.key == bad:
            raise PermissionError(13, "Permission denied")
        yield from blocks(self, file)

    monkeypatch.setattr(FolderLanding, "blocks", refuse)
    outcome = world.run()
    assert outcome.unreadable == {bad: "Permission denied"}
    assert outcome.left.files_to_read == 1
    assert world.rows("songplays", "month") == [1]
    monkeypatch.undo()
    assert world.run().unreadable == {}
    assert world.rows("songplays", "month") == [1, 10]


def test_users_are_of_all_months_whether_these_are_closed_or_open(world: World) -> None:
    """Month by month, then a late file in a closed month, then one that is gone again."""
    zone = world.zone
    for number, month in enumerate(("2018-10", "2018-11", "2018-12", "2019-01")):
        zone.logs(
            f"log_data/{month}-05-events.json",
            event(f"{month}-05 10:00", userId="all", level=f"level {number}"),
            event(f"{month}-05 10:00", userId=f"only {month}", sessionId=2),
        )
        world.run()
        assert dict(world.rows("users", "user_id", "level"))["all"] == f"level {number}"
    assert len(world.rows("users")) == 5
    history = world.lake.snapshot(USER_HISTORY)
    assert history.stamp(WHOLE_TABLE, THROUGH) == 201811
    assert sorted(world.rows("user_history", "user_id")) == ["all", "only 2018-10", "only 2018-11"]
    late = zone.logs(
        "log_data/2018-10-31-late.json",
        event("2018-10-31 10:00", userId="only 2018-10", level="late", sessionId=3),
        event("2018-10-31 10:00", userId="new", sessionId=4),
    )
    world.run()
    levels = dict(world.rows("users", "user_id", "level"))
    assert (levels["only 2018-10"], levels["all"], len(levels)) == ("late", "level 3", 6)
    zone.delete(late)
    world.run(on_delete="remove", confirm_remove=True)
    assert len(world.rows("users")) == 5
    assert world.run().run_ids == []


def test_a_day_of_the_newest_month_does_not_touch_the_history_of_users(world: World) -> None:
    for month in ("2018-10", "2018-11", "2018-12", "2019-01"):
        world.zone.logs(f"log_data/{month}-05-events.json", event(f"{month}-05 10:00"))
    world.run()
    world.zone.logs("log_data/2019-01-06-events.json", event("2019-01-06 10:00", sessionId=2))
    changed = world.changed_by()
    assert "users" in changed
    assert "user_history" not in changed


def test_a_ledger_without_numbers_is_counted_by_its_rows(
    loaded: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As versions before them wrote it: no number must not pass for no file."""
    plays = loaded.rows("songplays")
    state = loaded.lake.snapshot(LANDED_FILES).state
    stamps = {name: value for name, value in state.stamps.items() if name.count("/") == 1}
    location = loaded.lake.table_location(LANDED_FILES).uri
    monkeypatch.setitem(log._known, location, replace(state, stamps=stamps))
    old = Ledger(loaded.lake.seen(LANDED_FILES))
    assert old.event_months() == ["2018-11", "2018-12"]
    assert old.with_events_in("2018-11")
    assert loaded.run(rebuild=True).run_ids
    assert loaded.rows("songplays") == plays


def test_runs_of_every_kind_remove_what_was_replaced(loaded: World) -> None:
    """Here by the assets alone, as the sensor and backfills run them."""
    settings = loaded.settings(grace_hours=0)
    job = build_defs(settings).resolve_job_def(REFRESH)
    folder = Path(loaded.lake.table_location(TABLES["user_months"]).uri)
    for number in range(checkpoint.EVERY + 1):
        loaded.zone.logs(NOVEMBER, event(userId=str(number)))
        assert job.execute_in_process(partition_key="2018-11").success
    assert 2 <= len(list(folder.rglob("*.parquet"))) < checkpoint.EVERY
