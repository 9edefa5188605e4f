"""The sensor: every change of the landing zone leads to the right runs, none is swallowed."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from dagster import DagsterInstance, RunRequest

from sparkify_assets.errors import LandingError
from sparkify_assets.ingest.landing_folder import FolderLanding
from sparkify_assets.lake import commit, log
from sparkify_assets.lake.release import last_release, releases
from sparkify_assets.sensors import attempts
from sparkify_assets.sensors.new_files import new_files_sensor
from sparkify_assets.settings import Settings
from sparkify_assets.tables import SONGPLAYS, TIME, USERS
from sparkify_assets_tests.refresh.world import World
from sparkify_assets_tests.s3.proxy import Proxy
from sparkify_assets_tests.sensors.station import Station
from sparkify_assets_tests.zone import Zone, event

NOVEMBER = "log_data/2018/11/2018-11-15-events.json"
DECEMBER = "log_data/2018/12/2018-12-15-events.json"


@pytest.fixture
def loaded(place: World, station: Station) -> World:
    """Two months and a song, taken in by the sensor's runs."""
    place.zone.logs(NOVEMBER, event(), event(itemInSession=1, song="x"))
    place.zone.logs(DECEMBER, event("2018-12-15 12:00:00", sessionId=2))
    place.zone.song()
    station.settle()
    return place


def test_files_that_land_are_taken_in_and_then_it_is_quiet(loaded: World, station: Station) -> None:
    assert len(loaded.rows("songplays")) == 3
    assert loaded.rows("songplays", "song_id").count("SOZCTXZ12AB0182364") == 2
    assert len(loaded.rows("songs")) == len(loaded.rows("users")) == 1
    assert station.tick() == []
    assert "3 data files listed" in station.skipped


def test_one_request_a_month_with_tags_that_say_why(place: World, station: Station) -> None:
    place.zone.logs(NOVEMBER, event())
    place.zone.logs(DECEMBER, event("2018-12-15 12:00:00"))
    place.zone.song()
    requests = station.tick()
    assert station.groups() == ["songs", "2018-12", "2018-11"]
    assert [request.partition_key for request in requests] == [None, "2018-12", "2018-11"]
    assert {request.tags["sparkify/why"] for request in requests} == {"1 new file"}
    assert station.tick() == []  # the daemon knows these run keys already


@pytest.mark.parametrize(("seconds", "told"), [(1, 1), (5, 4), (7, 7), (10, 9)])
def test_no_look_of_dagsters_daemon_is_missed_by_a_moment(seconds: int, told: int) -> None:
    # It asks every five seconds: one that is due after exactly five would at times be due in ten.
    assert new_files_sensor("refresh", None, seconds).minimum_interval_seconds == told


def test_an_overwritten_file_replaces_its_rows(loaded: World, station: Station) -> None:
    loaded.zone.logs(NOVEMBER, event(song="other"))
    (request,) = station.tick()
    assert request.tags["sparkify/why"] == "1 changed file"
    assert all(station.run([request]))
    assert sorted(loaded.rows("songplays", "song")) == ["Setanta matins", "other"]
    assert station.settle() == 0


def test_a_late_file_makes_only_its_month(loaded: World, station: Station) -> None:
    loaded.zone.logs("log_data/2018/11/late.json", event(sessionId=9))
    assert station.settle() == 1
    assert station.skipped
    assert len(loaded.rows("songplays")) == 4


def test_a_file_with_events_of_another_month_makes_that_one_too(
    loaded: World, station: Station
) -> None:
    loaded.zone.logs("log_data/2018/11/30.json", event("2018-12-01 00:00:01", sessionId=9))
    assert station.settle() == 2
    assert loaded.rows("songplays", "month").count(12) == 2


def test_a_month_whose_run_waits_is_not_told_as_pending(loaded: World, station: Station) -> None:
    """The run for songs comes first, makes that month's plays, and not what users are made from."""
    loaded.zone.logs("log_data/2018/11/30.json", event("2018-12-01 00:00:01", sessionId=9))
    assert all(station.run(station.tick()))
    loaded.zone.song("SOX", title="x")
    requests = station.tick()
    assert station.groups() == ["songs", "2018-12"]
    assert all(station.run(requests))
    found = releases(loaded.lake)
    assert [one.pending for one in found] == [()] * len(found)
    assert last_release(loaded.lake).versions["users"] == loaded.lake.snapshot(USERS).version


def test_new_songs_are_one_run_which_matches_every_month_again(
    loaded: World, station: Station
) -> None:
    loaded.zone.song("SOX", title="x")
    loaded.zone.song("SOY", title="y")
    (request,) = station.tick()
    assert request.tags["sparkify/group"] == "songs"
    assert request.tags["sparkify/why"] == "2 new files"
    assert all(station.run([request]))
    assert loaded.rows("songplays", "song_id").count("SOX") == 1
    assert station.settle() == 0


def test_songs_after_months_with_a_gap_are_a_run_for_each_range(
    loaded: World, station: Station
) -> None:
    loaded.zone.logs("log_data/2019/02/a.json", event("2019-02-01 10:00", sessionId=7, song="x"))
    station.settle()
    loaded.zone.song("SOX", title="x")
    requests = station.tick()
    assert station.groups() == ["songs 2018-11..2018-12", "songs 2019-02..2019-02"]
    assert all(station.run(requests))
    assert station.settle() == 0
    assert loaded.rows("songplays", "song_id").count("SOX") == 2
    assert loaded.lake.snapshot(SONGPLAYS).partitions == ["2018-11", "2018-12", "2019-02"]
    assert loaded.lake.snapshot(SONGPLAYS).stamp("2019-01") is None


def test_a_file_that_is_deleted_and_comes_back_is_not_swallowed(
    loaded: World, station: Station
) -> None:
    station.given = {"on_delete": "remove", "confirm_remove": True}
    for _ in range(2):
        loaded.zone.delete(NOVEMBER)
        assert station.settle() == 1
        assert len(loaded.rows("songplays")) == 1
        loaded.zone.logs(NOVEMBER, event(), event(itemInSession=1, song="x"))
        assert station.settle() == 1
        assert len(loaded.rows("songplays")) == 3


def test_too_much_gone_is_told_and_does_not_stop_the_others(
    loaded: World, station: Station
) -> None:
    station.given = {"on_delete": "remove"}
    loaded.zone.delete(NOVEMBER)
    loaded.zone.logs("log_data/2018/12/more.json", event("2018-12-16 10:00", sessionId=5))
    assert station.settle() == 1
    assert "1 of the 1 landed files of 2018-11 are gone" in station.skipped
    assert len(loaded.rows("songplays")) == 4


def test_a_bad_key_and_a_bad_file_do_not_stop_the_others(loaded: World, station: Station) -> None:
    loaded.zone.write("log_data/no-month.json", "{}")
    loaded.zone.write("log_data/2018/11/bad.json", "{not json")
    loaded.zone.logs("log_data/2018/12/good.json", event("2018-12-16 10:00", sessionId=5))
    assert station.settle() == 2
    assert "1 not loaded: log_data/no-month.json: its key shows no month" in station.skipped
    assert loaded.rows("rejects", "source_file") == ["log_data/2018/11/bad.json"]


def test_tables_that_fell_behind_are_made_without_a_new_file(
    loaded: World, station: Station, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that died between the ledger and the facts."""
    loaded.zone.logs("log_data/2018/11/more.json", event(sessionId=9))
    (request,) = station.tick()
    write = log.write_log

    def die(location: Any, *arguments: Any) -> Any:
        if location.uri.endswith("/songplays"):
            raise KeyboardInterrupt
        return write(location, *arguments)

    with monkeypatch.context() as patch:
        patch.setattr(commit, "write_log", die)
        assert station.run([request]) == [False]
    assert len(loaded.rows("songplays")) == 3
    (again,) = station.tick()
    assert again.tags["sparkify/group"] == "2018-11"
    assert again.tags["sparkify/why"].startswith("out of date: songplays")
    assert all(station.run([again]))
    assert len(loaded.rows("songplays")) == 4
    assert station.settle() == 0


def of(group: str, requests: list[RunRequest]) -> RunRequest:
    """The one request of a group."""
    (found,) = [request for request in requests if request.tags["sparkify/group"] == group]
    return found


@pytest.fixture
def failing(folder_station: Station, world: World, monkeypatch: pytest.MonkeyPatch) -> Station:
    """A station whose runs all fail, with a file to take in."""
    world.zone.song()
    world.zone.logs("log_data/2018/10/a.json", event("2018-10-01 10:00", sessionId=8))
    folder_station.settle()
    world.zone.logs(NOVEMBER, event())

    def fail(*_: Any) -> Any:
        raise OSError("no space left on device")

    monkeypatch.setattr(commit, "write_log", fail)
    return folder_station


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Sets how many seconds after the present the sensor takes for now."""
    ahead = [0.0]
    real = time.time
    monkeypatch.setattr(attempts, "time", _Time(lambda: real() + ahead[0]))

    def move(seconds: float) -> None:
        ahead[0] = seconds

    return move


class _Time:
    def __init__(self, time: Callable[[], float]) -> None:
        self.time = time


def test_a_failed_run_is_tried_again_with_growing_pauses_and_then_given_up(
    failing: Station, clock: Callable[[float], None]
) -> None:
    for attempt in range(1, attempts.MOST_ATTEMPTS + 1):
        request = of("2018-11", failing.tick())
        assert request.tags["sparkify/attempt"] == str(attempt)
        assert failing.run([request]) == [False]
        if attempt < attempts.MOST_ATTEMPTS:
            clock(attempts.pause_after(attempt) - 5)
            failing.tick()
            assert "2018-11" not in failing.groups()
            assert f"2018-11: attempt {attempt} of 7 left something to do" in failing.skipped
            clock(attempts.pause_after(attempt) + 1)
    clock(1e6)
    failing.tick()
    assert "2018-11" not in failing.groups()
    assert "2018-11: given up after 7 attempts" in failing.skipped


def test_what_was_given_up_is_tried_afresh_when_more_lands(
    failing: Station, world: World, clock: Callable[[float], None]
) -> None:
    for _ in range(attempts.MOST_ATTEMPTS):
        failing.run(failing.tick())
        clock(1e4)
    failing.tick()
    assert "2018-11" not in failing.groups()
    world.zone.logs("log_data/2018/11/more.json", event(sessionId=2))
    request = of("2018-11", failing.tick())
    assert request.tags["sparkify/attempt"] == "1"


def test_tables_are_still_made_where_the_files_were_given_up(
    folder_station: Station,
    world: World,
    clock: Callable[[float], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world.zone.song()
    world.zone.logs(NOVEMBER, event())
    folder_station.settle()
    bad = world.zone.logs("log_data/2018/11/unreadable.json", event(sessionId=2))
    blocks = FolderLanding.blocks

    def refuse(self: FolderLanding, file: Any) -> Any:
        if file.key == bad:
            raise PermissionError(13, "Permission denied")
        yield from blocks(self, file)

    monkeypatch.setattr(FolderLanding, "blocks", refuse)
    for _ in range(attempts.MOST_ATTEMPTS):
        folder_station.run(folder_station.tick())
        clock(1e4)
    assert folder_station.tick() == []
    assert "given up after 7 attempts" in folder_station.skipped
    monkeypatch.setitem(vars(TIME), "code_version", 2)  # another version of the code
    folder_station.cursor = None
    (request,) = folder_station.tick()
    assert request.tags["sparkify/group"] == "2018-11"
    assert folder_station.run([request]) == [True]
    assert folder_station.tick() == []


def test_while_a_run_is_under_way_no_other_is_started_for_its_month(
    folder_station: Station, world: World, clock: Callable[[float], None]
) -> None:
    world.zone.logs(NOVEMBER, event())
    (request,) = folder_station.tick()
    folder_station.begin(request)
    world.zone.logs("log_data/2018/11/more.json", event(sessionId=2))
    assert folder_station.tick() == []
    assert "2018-11: a run is under way" in folder_station.skipped
    clock(attempts.PATIENCE_SECONDS + 1)  # it may be dead
    assert len(folder_station.tick()) == 1


def test_a_landing_zone_that_cannot_be_listed_fails_the_tick(
    folder_station: Station, tmp_path: Path
) -> None:
    (tmp_path / "landing").rename(tmp_path / "elsewhere")
    with pytest.raises(LandingError, match="there is no folder"):
        folder_station.tick()


def test_a_listing_that_takes_too_long_goes_on_at_the_next_tick(
    on_moto: Proxy, s3_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sparkify_assets.sensors import new_files
    from sparkify_assets.storage import listing

    zone: Zone = s3_world.zone
    for number in range(7):
        zone.logs(f"log_data/2018/11/{number}.json", event(sessionId=number))
    monkeypatch.setattr(listing, "PAGE_KEYS", 2)
    monkeypatch.setattr(new_files, "LISTING_SECONDS", -1)
    with DagsterInstance.ephemeral() as instance:
        station = Station(s3_world.settings, instance)
        ticks = 0
        for _ in range(12):
            station.run(station.tick())
            ticks += 1
            if (
                s3_world.lake.exists(SONGPLAYS)
                and len(s3_world.rows("songplays")) == 7
                and "prefixes are left" not in station.skipped
            ):
                break
    assert len(s3_world.rows("songplays")) == 7
    assert ticks > 1


def test_a_server_that_is_busy_for_a_while(
    on_moto: Proxy,
    s3_world: World,
    s3_settings: Callable[..., Settings],
    clock: Callable[[float], None],
) -> None:
    """A run fails while the server answers 503; the next attempt succeeds and nothing is left."""
    with DagsterInstance.ephemeral() as instance:
        station = Station(s3_settings, instance)
        s3_world.zone.logs(NOVEMBER, event())
        s3_world.lake.create_missing()
        request = of("2018-11", station.tick())
        on_moto.fail("GET .*2018-11-15", status=503, code="SlowDown")
        assert station.run([request]) == [False]
        on_moto.clear()
        station.tick()
        assert "2018-11" not in station.groups()
        clock(31)
        again = of("2018-11", station.tick())
        assert again.tags["sparkify/attempt"] == "2"
        assert station.run([again]) == [True]
        assert station.settle() == 0
    assert len(s3_world.rows("songplays")) == 1
