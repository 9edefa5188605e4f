"""The sensor tells what lies in the landing zone: files and bytes, whenever they changed."""

from __future__ import annotations

from typing import Any

from dagster import AssetMaterialization

from sparkify_assets.ingest.landing import Listing
from sparkify_assets.sensors.landed import landed
from sparkify_assets_tests.jobs_in_process import numbers
from sparkify_assets_tests.refresh.world import World
from sparkify_assets_tests.sensors.station import Station
from sparkify_assets_tests.zone import event

NOVEMBER = "log_data/2018/11/2018-11-15-events.json"


def plain(told: list[AssetMaterialization]) -> dict[str, dict[str, Any]]:
    return {
        "/".join([*one.asset_key.path, *([one.partition] if one.partition else [])]): numbers(
            one.metadata
        )
        for one in told
    }


def versions(told: list[AssetMaterialization]) -> dict[str | None, str]:
    return {one.partition: (one.tags or {})["dagster/data_version"] for one in told}


def test_files_and_bytes_are_told_by_month_once(place: World, station: Station) -> None:
    place.zone.logs(NOVEMBER, event())
    place.zone.logs("log_data/2018/11/b.json", event(sessionId=2))
    place.zone.logs("log_data/2018/12/c.json", event("2018-12-15", sessionId=3))
    place.zone.song()
    station.tick()
    found = plain(station.told)
    assert {name: values["files"] for name, values in found.items()} == {
        "log_data/2018-11": 2,
        "log_data/2018-12": 1,
        "song_data": 1,
    }
    assert all(values["bytes"] > 100 for values in found.values())
    station.tick()
    assert station.told == []


def test_what_changes_is_told_again_with_another_data_version(
    place: World, station: Station
) -> None:
    place.zone.logs(NOVEMBER, event())
    station.tick()
    before = versions(station.told)
    place.zone.logs(NOVEMBER, event(), event(sessionId=2))
    station.tick()
    after = versions(station.told)
    assert before.keys() == after.keys() == {"2018-11"}
    assert before != after


def test_a_month_whose_files_are_gone_is_told_as_empty(place: World, station: Station) -> None:
    place.zone.logs(NOVEMBER, event())
    place.zone.song()
    station.tick()
    place.zone.delete(NOVEMBER)
    station.tick()
    assert plain(station.told) == {"log_data/2018-11": {"files": 0, "bytes": 0}}


def test_what_a_listing_does_not_cover_is_not_told() -> None:
    partial = Listing(complete=False)
    partial.place(NOVEMBER, "tag", 10, {"2018-11"})
    assert landed(partial, {"2018-12": "7"}) == ([], {"2018-12": "7"})


def test_a_cursor_from_before_there_was_telling_is_read(place: World, station: Station) -> None:
    place.zone.logs(NOVEMBER, event())
    station.tick()
    assert station.cursor is not None
    station.cursor = station.cursor.replace(', "told": {"2018-11"', ', "untold": {"2018-11"')
    assert [request.partition_key for request in station.tick()] == []  # the same run key
    assert plain(station.told).keys() == {"log_data/2018-11"}
