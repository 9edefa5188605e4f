"""A landing zone in a bucket: everything in it is listed once and read as it was listed."""

from __future__ import annotations

import gzip
import json
import threading
import unicodedata
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import Any

import pytest

from sparkify_assets.errors import LandingError
from sparkify_assets.ingest.files import LandingFile
from sparkify_assets.ingest.landing import ContentChanged, Listing, landing_at
from sparkify_assets.ingest.landing_bucket import RANGE, BucketLanding
from sparkify_assets.storage import listing as storage_listing
from sparkify_assets.storage.requests import REQUESTS, Requests
from sparkify_assets_tests.dagster_dev import until
from sparkify_assets_tests.s3.fixtures import new_bucket
from sparkify_assets_tests.s3.proxy import Proxy
from sparkify_assets_tests.s3.servers import Server
from sparkify_assets_tests.s3.zone import BucketZone
from sparkify_assets_tests.zone import event

MONTHS = {"2018-11", "2018-12"}
LOG = "log_data/2018/11/2018-11-01-events.json"


class Place:
    """A landing zone behind a proxy."""

    def __init__(self, server: Server, proxy: Proxy, uri: str) -> None:
        self.zone = BucketZone(server.endpoint, uri)  # past the proxy, which counts
        self.proxy = proxy
        found = landing_at(uri)
        assert isinstance(found, BucketLanding)
        self.landing = found

    def listing(self) -> Listing:
        return self.landing.list(MONTHS)

    def keys(self) -> list[str]:
        return [file.key for file in self.listing().files]

    def read(self, files: Iterable[LandingFile]) -> dict[str, bytes | type[Exception]]:
        """The content of each file, or the error that it raised."""
        found: dict[str, bytes | type[Exception]] = {}
        for file, blocks in self.landing.read(files, Requests()):
            try:
                found[file.key] = b"".join(blocks)
            except (ContentChanged, OSError) as error:
                found[file.key] = type(error)
        return found


@pytest.fixture(params=["in", ""], ids=["below a prefix", "the whole bucket"])
def place(request: pytest.FixtureRequest, moto_server: Server, on_moto: Proxy) -> Place:
    """An empty landing zone."""
    return Place(moto_server, on_moto, f"s3://{new_bucket(moto_server)}/{request.param}".strip("/"))


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Makes the lister take pages of so many keys."""
    return lambda keys: monkeypatch.setattr(storage_listing, "PAGE_KEYS", keys)


def put_all(place: Place, keys: Iterable[str], body: str = "{}") -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda key: place.zone.write(key, body), keys))


def test_an_empty_zone(place: Place) -> None:
    assert len(place.listing()) == 0


def test_a_bucket_that_is_not_there(on_moto: Proxy) -> None:
    with pytest.raises(LandingError, match=r"SPARKIFY_LANDING: .* there is no such bucket"):
        landing_at("s3://test-not-there/in").list(MONTHS)


def test_a_file_that_is_replaced_between_listing_and_reading(place: Place) -> None:
    place.zone.logs(LOG, event())
    other = place.zone.logs("log_data/2018-11-02-events.json", event())
    files = place.listing().files
    place.zone.write(LOG, "{}")
    found = place.read(files)
    assert found[LOG] is ContentChanged
    assert found[other] == json.dumps(event()).encode()
    assert place.read(place.listing().files)[LOG] == b"{}"


def test_a_file_that_is_deleted_between_listing_and_reading(place: Place) -> None:
    place.zone.logs(LOG, event())
    other = place.zone.logs("log_data/2018-11-02-events.json", event())
    files = place.listing().files
    place.zone.delete(LOG)
    found = place.read(files)
    assert found[LOG] is ContentChanged
    assert found[other] == json.dumps(event()).encode()
    assert place.keys() == [other]


def test_packed_files(place: Place) -> None:
    lines = b'{"a": 1}\n' * 100_000
    whole = place.zone.write("log_data/2018-11-01.json.gz", gzip.compress(lines))
    twice = place.zone.write("log_data/2018-11-02.jsonl.GZ", gzip.compress(lines) * 2)
    torn = place.zone.write("log_data/2018-11-03.json.gz", gzip.compress(lines)[:-20])
    none = place.zone.write("log_data/2018-11-04.json.gz", b"no gzip at all")
    found = place.read(file for file in place.listing().files if file.key in (whole, twice))
    assert found == {whole: lines, twice: lines * 2}
    errors = []
    for file, blocks in place.landing.read(place.listing().files, Requests()):
        try:
            list(blocks)
        except (EOFError, gzip.BadGzipFile) as error:
            errors.append((file.key, type(error)))
    assert errors == [(torn, EOFError), (none, gzip.BadGzipFile)]


def _large(mark: bytes) -> bytes:
    return b"\n".join(mark + b"%020d" % number for number in range(0, 2 * RANGE + 1000, 22))


@pytest.mark.parametrize("place", ["in"], indirect=True)
def test_a_large_file_is_read_in_ranges_of_what_was_listed(place: Place) -> None:
    body = _large(b"a")
    place.zone.write(LOG, body)
    [file] = place.listing().files
    place.proxy.requests()
    requests = Requests()
    contents = place.landing.read([file], requests)
    assert b"".join(next(contents)[1]) == body
    made = place.proxy.requests()
    starts = range(0, len(body), RANGE)
    ends = [min(start + RANGE, len(body)) - 1 for start in starts]
    expected = [f"bytes={s}-{e}" for s, e in zip(starts, ends, strict=True)]
    assert [request.range for request in made] == expected
    assert {request.if_match for request in made} == {file.etag}
    assert requests.made() == {"GET": len(expected)}


@pytest.mark.parametrize("place", ["in"], indirect=True)
def test_a_large_file_that_is_replaced_in_the_middle_is_noticed(place: Place) -> None:
    place.zone.write(LOG, _large(b"a"))
    [file] = place.listing().files
    place.proxy.delay(r"GET .*events\.json", 0.3)
    contents = place.landing.read([file], Requests())
    blocks = next(contents)[1]
    assert next(blocks).startswith(b"a")
    place.zone.write(LOG, _large(b"b"))
    with pytest.raises(ContentChanged):
        list(blocks)


@pytest.mark.parametrize("place", ["in"], indirect=True)
def test_a_read_that_nobody_ends_is_closed_without_waiting_and_its_threads_end(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [f"log_data/2018-11-{day:02d}.json" for day in range(1, 10)]
    put_all(place, names)
    files, come = place.listing().files, threading.Event()
    get = BucketLanding._get

    def slow(self: BucketLanding, file: LandingFile, *rest: Any) -> bytes:
        assert file.key == names[0] or come.wait(60)
        return get(self, file, *rest)

    monkeypatch.setattr(BucketLanding, "_get", slow)
    threads = set(threading.enumerate())
    contents = place.landing.read(files, Requests())
    next(contents)
    closed = threading.Thread(target=contents.close)  # type: ignore[attr-defined]
    closed.start()
    closed.join(30)
    waited = closed.is_alive()
    come.set()
    assert not waited
    del contents, closed
    until(lambda: set(threading.enumerate()) <= threads, 30, 0.05)


@pytest.mark.parametrize("place", ["in"], indirect=True)
def test_a_large_file_among_small_ones(place: Place) -> None:
    names = [f"log_data/2018-11-{day:02d}.json" for day in range(1, 10)]
    bodies = {name: name.encode() for name in names}
    bodies[names[4]] = _large(b"a")
    packed = place.zone.write("log_data/2018-11-20.json.gz", gzip.compress(bodies[names[4]], 0))
    for name, body in bodies.items():
        place.zone.write(name, body)
    assert place.read(place.listing().files) == {**bodies, packed: bodies[names[4]]}


@pytest.mark.parametrize("place", ["in"], indirect=True)
def test_each_of_many_small_files_takes_one_request(place: Place) -> None:
    names = [f"song_data/A/{n % 7}/TR{n:05d}.json" for n in range(2_000)]
    put_all(place, names)
    place.proxy.requests()
    before = REQUESTS.made()
    files = place.listing().files
    assert [file.key for file in files] == sorted(names)
    listed = place.proxy.requests()
    assert {request.kind for request in listed} == {"LIST"}
    assert REQUESTS.since(before) == {"LIST": len(listed)}
    requests = Requests()
    assert sum(len(list(blocks)) for _, blocks in place.landing.read(files, requests)) == 2_000
    read = place.proxy.requests()
    assert {request.method for request in read} == {"GET"}
    assert len(read) == len({request.path for request in read}) == 2_000
    assert all(request.if_match for request in read)
    assert requests.made() == {"GET": 2_000}


ODD = [
    "with space.json", "a+b.json", "100%.json", "100%25.json", "%2F.json", "who?.json", "a&b.json",
    "it's.json", 'say "hi".json', "(round) [square] {curly}.json", "a#b.json", "a~b=c;d,e.json",
    "a@b:c!$.json", "back\\slash.json", "a<b>|c^`.json", "*.json", "…€😀.json", "a..b.json",
    "...json", "x.json.gz.json", unicodedata.normalize("NFC", "é.json"),
    unicodedata.normalize("NFD", "é.json"), "+ %20.json", "a/ /b.json",
]  # fmt: skip


@pytest.mark.parametrize("pages", [1000, 3, 2, 1])
def test_odd_names(place: Place, pages: int, small_pages: Callable[[int], None]) -> None:
    wanted = {f"song_data/A/{name}": name.encode() for name in ODD}
    wanted |= {f"song_data/A{name}/{n}.json": b"%d" % n for name in ODD for n in range(3)}
    hidden = {key for key in wanted if "/." in key}
    for key, body in wanted.items():
        place.zone.write(key, body)
    small_pages(pages)
    found = place.listing()
    assert found.unplaced == []
    assert [file.key for file in found.files] == sorted(set(wanted) - hidden)
    assert place.read(found.files) == {k: wanted[k] for k in sorted(set(wanted) - hidden)}


@pytest.mark.parametrize("pages", [1000, 3, 2, 1])
def test_keys_with_empty_parts_or_dots_never_stop_the_rest(
    place: Place, pages: int, small_pages: Callable[[int], None]
) -> None:
    good = {
        *(f"song_data/{a}/{b}/TR{n}.json" for a in "AB" for b in "CD" for n in range(4)),
        *(f"log_data/2018/11/2018-11-{day:02d}-events.json" for day in range(1, 9)),
        "log_data/2018/11/2018-11-09-events.json/part-0.json",
        "song_data/A/C/TR1!.json",
        "song_data/A/C/TR1/x.json",
    }
    bad = {
        "log_data//2018-11-01-events.json",
        "log_data/2018/11//2018-11-01-events.json",
        "log_data/2018/./2018-11-01-events.json",
        "song_data/A/../TR1.json",
        "song_data/../TR1.json",
        "song_data/B//TR1.json",
        "song_data/B/C/./TR1.json",
        "song_data//TR1.json",
        "song_data///TR1.json",
        "song_data/Z/..",
        "song_data/A/tab\there.json",
        "song_data/A/del\x7f.json",
    }
    folders = [
        *("song_data/", "song_data/A/", "song_data/A/C/", "song_data/E/", "log_data/2018/"),
        *("log_data/2018/11/2018-11-09-events.json/", "song_data/A/C/TR1/", "song_data/F.json/"),
    ]
    hidden = ["song_data/.DS_Store", "song_data/A/_SUCCESS", "log_data/.tmp/2018-11-01.json"]
    put_all(place, [*good, *bad, *hidden])
    put_all(place, folders, "")
    small_pages(pages)
    found = place.listing()
    assert [file.key for file in found.files] == sorted(good)
    assert {key for key, _ in found.unplaced} == bad
    assert len(found.unplaced) == len(bad)
    assert {reason for _, reason in found.unplaced} == {
        "its key has an empty part, one that is . or .., or a control character; rename it"
    }
    assert all(content == b"{}" for content in place.read(found.files).values())


@pytest.mark.parametrize("place", ["in"], indirect=True)
def test_more_keys_than_fit_on_a_page(place: Place) -> None:
    names = [f"song_data/{'ABC'[n % 3]}/TR{n:05d}.json" for n in range(2_500)]
    logs = [f"log_data/2018/11/2018-11-01-{n:05d}.json" for n in range(1_000)]
    put_all(place, [*names, *logs])
    before = REQUESTS.made()
    place.proxy.requests()
    found = place.listing()
    assert [file.key for file in found.files] == sorted([*names, *logs])
    made = place.proxy.counts()
    assert REQUESTS.since(before) == made
    assert made["LIST"] <= 12


@pytest.mark.parametrize("pages", [1, 2, 7])
def test_pages_of_any_size(place: Place, pages: int, small_pages: Callable[[int], None]) -> None:
    names = [f"song_data/{'AB'[n % 2]}/{'XYZ'[n % 3]}/TR{n}.json" for n in range(20)]
    names += ["song_data/TR1.json", "song_data/B.json", "song_data/A!.json", "song_data/A0.json"]
    put_all(place, [*names, LOG])
    small_pages(pages)
    assert place.keys() == sorted([*names, LOG])


def test_reading_may_stop_at_any_file(place: Place) -> None:
    names = [f"song_data/TR{n:05d}.json" for n in range(60)]
    put_all(place, names)
    files = place.listing().files
    for file, blocks in islice(place.landing.read(files, Requests()), 3):
        assert b"".join(blocks) == b"{}", file
