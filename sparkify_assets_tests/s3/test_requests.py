"""How many requests a run takes: as many for a lake of two years as for one of a month."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from sparkify_assets.settings import Settings
from sparkify_assets.storage.requests import REQUESTS
from sparkify_assets.tables import TABLES
from sparkify_assets_tests import processes
from sparkify_assets_tests.refresh.world import World
from sparkify_assets_tests.s3.faults import Request
from sparkify_assets_tests.s3.fixtures import new_bucket
from sparkify_assets_tests.s3.proxy import Proxy
from sparkify_assets_tests.s3.servers import Server
from sparkify_assets_tests.s3.zone import BucketZone
from sparkify_assets_tests.zone import event

MOST_MORE = 1.1
NEWEST = "2018-12"
_MONTHS = [f"{year}-{month:02d}" for year in (2017, 2018) for month in range(1, 13)]


def families(requests: list[Request]) -> Counter[str]:
    """Requests by kind and what they are about: `GET log of time`, `PUT parts`, `LIST landing`."""
    return Counter(f"{request.kind} {_family(request)}" for request in requests)


def _family(request: Request) -> str:
    about = f"{request.path}/{request.query.get('prefix', '')}"
    if "/in/" in f"{about}/":
        return "landing"
    table = next((name for name in TABLES if re.search(rf"/{name}(/|$)", about)), "?")
    if "_delta_log" in about:
        return f"log of {table}"
    return f"parts of {table}"


def _build(server: Server, months: list[str]) -> tuple[str, str, BucketZone]:
    landing = f"s3://{new_bucket(server)}/in"
    lake = f"s3://{new_bucket(server)}/lake"
    zone = BucketZone(server.endpoint, landing)
    for number in range(5):
        zone.song(f"SO{number}", title=f"Song {number}")
    for month in months:
        events = [
            event(f"{month}-{day:02d} 12:00:00", song=f"Song {day % 5}", userId=str(day))
            for day in range(1, 6)
        ]
        zone.logs(f"log_data/{month.replace('-', '/')}/{month}-01-events.json", *events)
    processes.run(landing, lake)
    return landing, lake, zone


def _land(zone: BucketZone) -> None:
    events = [
        event(f"{NEWEST}-20 {n // 60:02d}:{n % 60:02d}:00", userId=str(n % 9), sessionId=n)
        for n in range(500)
    ]
    zone.logs("log_data/2018/12/2018-12-20-events.json", *events)


def _run(proxy: Proxy, landing: str, lake: str) -> tuple[Counter[str], Counter[str]]:
    """Requests of one `sparkify run` in a new process: by kind, and by kind and family."""
    proxy.requests()
    processes.run(landing, lake)
    made = proxy.requests()
    return Counter(request.kind for request in made), families(made)


@pytest.fixture
def _two_years(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPARKIFY_FIRST_MONTH", _MONTHS[0])
    monkeypatch.setenv("SPARKIFY_LAST_MONTH", _MONTHS[-1])


@pytest.mark.usefixtures("_two_years")
def test_a_run_takes_as_many_requests_however_many_months_there_are(
    moto_server: Server, on_moto: Proxy, record_property: Callable[[str, object], None]
) -> None:
    kinds: dict[int, Counter[str]] = {}
    quiet: dict[int, Counter[str]] = {}
    about: dict[int, Counter[str]] = {}
    for months in ([NEWEST], _MONTHS):
        landing, lake, zone = _build(moto_server, months)
        quiet[len(months)], _ = _run(on_moto, landing, lake)
        _land(zone)
        kinds[len(months)], about[len(months)] = _run(on_moto, landing, lake)
    figures = json.dumps(
        {
            "one new file, by months in the lake": kinds,
            "nothing new": quiet,
            "one new file, by family": {n: dict(sorted(c.items())) for n, c in about.items()},
        },
        indent=1,
    )
    record_property("requests", figures)
    print(figures)  # noqa: T201 -- the figures of docs/s3.md
    few, many = kinds[1], kinds[len(_MONTHS)]
    assert "HEAD" not in few | many, figures
    assert many.total() <= few.total() * MOST_MORE, figures
    assert quiet[len(_MONTHS)].total() <= quiet[1].total() * MOST_MORE, figures
    assert set(quiet[1]) == {"LIST", "GET"}, figures


def test_what_a_process_counts_is_what_the_server_sees(s3_world: World, on_moto: Proxy) -> None:
    zone = s3_world.zone
    zone.song()
    zone.logs("log_data/2018/11/2018-11-01-events.json", event(), event(page="Home"))
    s3_world.lake.create_missing()
    for more in (1, 2, 3):
        _same_count(s3_world, on_moto)
        zone.logs(f"log_data/2018-12-{more:02d}-events.json", event(f"2018-12-{more:02d} 12:00:00"))
        zone.song(f"SOCZTXZ12AB018236{more}")
    zone.write("log_data/2018-12-09-events.json", "no json\n")
    _same_count(s3_world, on_moto)
    _same_count(s3_world, on_moto)
    _same_count(s3_world, on_moto, rebuild=True)


def _same_count(world: World, proxy: Proxy, rebuild: bool = False) -> None:
    before = REQUESTS.made()
    proxy.requests()
    world.run(rebuild=rebuild)
    counted = REQUESTS.since(before)
    requests = proxy.requests()
    assert counted == dict(Counter(r.kind for r in requests)), families(requests)


def test_many_keys_are_counted_page_by_page(
    s3_settings: Callable[..., Settings], on_moto: Proxy, tmp_path: Path
) -> None:
    from sparkify_assets.storage.location import Location
    from sparkify_assets.storage.objects import objects

    target = objects(Location(s3_settings().lake))
    for number in range(3):
        target.put(f"a/{number}", b"x")
    before = REQUESTS.made()
    on_moto.requests()
    assert len(target.list("a/")) == 3
    assert [entry.key for entry in target.list("a/", after="a/0")] == ["a/1", "a/2"]
    assert target.list("b/") == []
    with pytest.raises(FileNotFoundError):
        target.get("b")
    target.put_new("b", b"x")
    with pytest.raises(FileExistsError):
        target.put_new("b", b"x")
    target.delete([f"a/{number}" for number in range(1001)])
    target.delete([])
    assert REQUESTS.since(before) == on_moto.counts()
