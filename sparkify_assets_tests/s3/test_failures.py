"""What goes wrong with S3 is one message in half a minute: the bucket, the operation, the way out.

Each `sparkify run` here is a process, and the faults are S3's own replies.
"""

from __future__ import annotations

import json
import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import NamedTuple

import pytest
from _pytest.mark.structures import ParameterSet  # what pytest.param makes

from sparkify_assets_tests import processes
from sparkify_assets_tests.s3.fixtures import new_bucket
from sparkify_assets_tests.s3.proxy import Proxy
from sparkify_assets_tests.s3.servers import HOST
from sparkify_assets_tests.s3.zone import BucketZone
from sparkify_assets_tests.zone import event

# Of the whole process, Java's start and a busy machine included: that it does not hang.
SECONDS = 60
KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")


class Done(NamedTuple):
    """How a run ended, and how long after it first met the fault (if it did, else its start)."""

    code: int
    out: str
    err: str
    seconds: float

    def message(self) -> str:
        """Its one message, of a run that failed as it should."""
        assert self.code == 1, self.err
        assert "Traceback" not in self.out + self.err
        [message] = [line for line in self.err.splitlines() if line.startswith("error:")]
        assert self.seconds < SECONDS
        return message


class Fault(NamedTuple):
    """A reply of S3, and what the message about it has to say."""

    status: int
    code: str
    said: tuple[str, ...]
    message: str = "Injected fault"
    more: dict[str, str] | None = None


_RENEW = ("the credentials have expired", "AWS_SESSION_TOKEN", "AWS_PROFILE")
_CORRECT = ("are not accepted", *KEYS, "AWS_PROFILE")
_MALFORMED = (
    "The authorization header is malformed; the region 'us-east-1' is wrong; expecting 'eu-west-1'"
)
FAULTS = [
    Fault(403, "AccessDenied", ("access denied", "Allow s3:", "AWS_PROFILE")),
    Fault(400, "ExpiredToken", _RENEW),
    Fault(403, "ExpiredToken", _RENEW),
    Fault(301, "PermanentRedirect", ("is in another region", "Set AWS_REGION")),
    Fault(
        400,
        "AuthorizationHeaderMalformed",
        ("is in eu-west-1", "Set AWS_REGION to eu-west-1"),
        _MALFORMED,
        {"Region": "eu-west-1"},
    ),
    Fault(403, "InvalidAccessKeyId", _CORRECT),
    Fault(403, "SignatureDoesNotMatch", _CORRECT),
    Fault(503, "SlowDown", ("the server is busy", "run again later")),
    Fault(500, "InternalError", ("the server is busy", "run again later")),
]
DENIED, EXPIRED, BUSY = FAULTS[0], FAULTS[1], FAULTS[7]


def _name(value: object) -> str:
    return f"{value.code}-{value.status}" if isinstance(value, Fault) else str(value)


def _first_on_every_engine(*numbers: int) -> list[ParameterSet]:
    first, *others = [FAULTS[number] for number in numbers]
    return [pytest.param(first, marks=pytest.mark.engines), *map(pytest.param, others)]


class Place:
    """A landing zone with three files and a lake, each in a bucket."""

    def __init__(self, proxy: Proxy, engine: str) -> None:
        self.proxy, self.engine = proxy, engine
        self._match: re.Pattern[str] | None = None
        self.landing, self.lake = new_bucket(proxy), new_bucket(proxy)
        self.zone = BucketZone(proxy.endpoint, f"s3://{self.landing}/in")
        for day in (15, 16):
            when = f"2018-11-{day} 12:00:00.796"
            self.zone.logs(f"log_data/2018-11-{day}-events.json", event(when, sessionId=day))
        self.zone.song()
        proxy.requests()

    def fail(self, match: str, fault: Fault) -> None:
        """From now on requests that match are answered so."""
        match = match.format(landing=self.landing, lake=self.lake)
        self._match = re.compile(match)
        self.proxy.fail(match, fault.status, fault.code, message=fault.message, more=fault.more)

    def run(self, **environment: str) -> Done:
        """`sparkify run`."""
        settings = {
            "SPARKIFY_LANDING": f"s3://{self.landing}/in",
            "SPARKIFY_LAKE": f"s3://{self.lake}/the/lake",
            "SPARKIFY_ENGINE": self.engine,
            "SPARKIFY_FIRST_MONTH": "2018-10",
            "SPARKIFY_LAST_MONTH": "2019-03",
        }
        started = time.time()
        process = processes.start("run", "--format", "json", **{**settings, **environment})
        out, err = process.communicate(timeout=300)
        ended = time.time()
        found = (r.at for r in self.proxy.requests() if self._match and self._match.search(r.line))
        return Done(process.returncode, out, err, ended - next(found, started))


@pytest.fixture
def place(on_moto: Proxy, engine: str) -> Place:
    return Place(on_moto, engine)


# Before there is anything to do.


def test_there_is_no_such_landing_bucket(place: Place) -> None:
    message = place.run(SPARKIFY_LANDING="s3://no-such-landing/in").message()
    assert "SPARKIFY_LANDING: ListObjectsV2 on the bucket no-such-landing failed" in message
    assert "there is no such bucket" in message
    assert "Correct SPARKIFY_LANDING, or create the bucket" in message


def test_there_is_no_such_lake_bucket(place: Place) -> None:
    message = place.run(SPARKIFY_LAKE="s3://no-such-lake/the/lake").message()
    assert "SPARKIFY_LAKE: " in message
    assert " on the bucket no-such-lake failed: there is no such bucket" in message
    assert "Correct SPARKIFY_LAKE, or create the bucket" in message


@pytest.mark.parametrize("fault", FAULTS, ids=_name)
@pytest.mark.parametrize("which", ["landing", "lake"])
def test_a_bucket_that_cannot_be_listed(place: Place, which: str, fault: Fault) -> None:
    place.fail(rf"GET /{{{which}}}/?\?", fault)
    message = place.run().message()
    bucket = getattr(place, which)
    assert f"SPARKIFY_{which.upper()}: ListObjectsV2 on the bucket {bucket} failed" in message
    for words in fault.said:
        assert words in message
    assert "s3:ListBucket" in message or fault is not DENIED


def test_a_lake_that_may_not_be_written(place: Place) -> None:
    place.fail("PUT /{lake}/", DENIED)
    message = place.run().message()
    assert f"SPARKIFY_LAKE: PutObject on the bucket {place.lake} failed: access" in message
    assert "Allow s3:PutObject" in message


@pytest.mark.parametrize("match", ["", "GET /{landing}/?[?]"])
def test_a_server_that_is_always_busy(place: Place, match: str) -> None:
    place.fail(match, BUSY)
    message = place.run().message()
    assert "the server is busy" in message
    assert (place.landing if match else place.lake) in message


# Who we are.


def test_no_credentials_at_all(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in KEYS:
        monkeypatch.delenv(name)
    message = place.run(AWS_EC2_METADATA_DISABLED="true").message()
    assert f"on the bucket {place.lake} failed: there are no AWS credentials" in message
    assert "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY" in message


def test_a_profile_that_does_not_exist(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in KEYS:
        monkeypatch.delenv(name)
    message = place.run(AWS_PROFILE="nobody").message()
    assert f"on the bucket {place.lake} failed: " in message
    assert "(nobody) could not be found" in message
    assert "Correct AWS_PROFILE" in message


# Nobody answers.


def test_an_endpoint_where_nobody_listens(place: Place) -> None:
    with socket.create_server((HOST, 0)) as server:
        port = server.getsockname()[1]
    _check_no_answer(place, port)


def test_an_endpoint_that_never_answers(place: Place) -> None:
    with _silent() as port:
        _check_no_answer(place, port)


def test_an_endpoint_that_drops_connections(place: Place) -> None:
    """Packets to a queue of connections that is full are dropped, as by a firewall."""
    with socket.socket() as server, _full(server):
        _check_no_answer(place, server.getsockname()[1])


def test_an_endpoint_with_an_unknown_name(place: Place) -> None:
    message = place.run(AWS_ENDPOINT_URL="http://nowhere.invalid:9000").message()
    assert "does not answer. Check AWS_ENDPOINT_URL" in message


def _check_no_answer(place: Place, port: int) -> None:
    message = place.run(AWS_ENDPOINT_URL=f"http://{HOST}:{port}").message()
    assert f"on the bucket {place.lake} failed: http" in message
    assert "does not answer" in message
    assert "Check AWS_ENDPOINT_URL" in message


@contextmanager
def _silent() -> Iterator[int]:
    held = []

    def accept() -> None:
        with suppress(OSError):
            while True:
                held.append(server.accept()[0])

    with socket.create_server((HOST, 0)) as server:
        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)
        thread.join()
    assert held, "nobody tried"
    for connection in held:
        connection.close()


@contextmanager
def _full(server: socket.socket) -> Iterator[None]:
    server.bind((HOST, 0))
    server.listen(0)
    waiting = [socket.socket() for _ in range(4)]
    for client in waiting:
        client.setblocking(False)
        with suppress(BlockingIOError):
            client.connect(server.getsockname())
    yield
    for client in waiting:
        client.close()


# In the middle of a run: what a task of the engine meets is told as plainly.


@pytest.mark.engines
def test_one_file_that_may_not_be_read_does_not_stop_the_others(place: Place) -> None:
    place.fail("GET /{landing}/in/log_data/2018-11-16", DENIED)
    done = place.run()
    assert done.code == 1
    found = json.loads(done.out)
    assert list(found["unreadable"]) == ["log_data/2018-11-16-events.json"]
    assert found["rows"]["songplays"] == 1
    [message] = [line for line in done.err.splitlines() if line.startswith("error:")]
    assert "1 landing file cannot be read, for example log_data/2018-11-16-events" in message
    assert f"GetObject on the bucket {place.landing} failed: access denied" in message
    assert "Allow s3:GetObject" in message
    place.proxy.clear()
    done = place.run()
    assert done.code == 0, done.err
    assert json.loads(done.out)["rows"]["songplays"] == 2


@pytest.mark.parametrize("fault", _first_on_every_engine(0, 1, 3, 4, 5, 7), ids=_name)
def test_parts_that_cannot_be_written(place: Place, fault: Fault) -> None:
    place.fail("PUT .*/raw_logs/.*[.]parquet", fault)
    message = place.run().message()
    assert f"raw_logs: SPARKIFY_LAKE: PutObject on the bucket {place.lake} failed" in message
    for words in fault.said:
        assert words in message
    assert "ExceptionName" not in message


@pytest.mark.parametrize("fault", _first_on_every_engine(1, 7), ids=_name)
def test_files_that_cannot_be_read(place: Place, fault: Fault) -> None:
    place.fail("GET /{landing}/in/log_data/", fault)
    message = place.run().message()
    assert f"SPARKIFY_LANDING: GetObject on the bucket {place.landing} failed" in message
    for words in fault.said:
        assert words in message


@pytest.mark.parametrize("fault", [DENIED, EXPIRED, BUSY], ids=_name)
def test_parts_that_cannot_be_read(place: Place, fault: Fault) -> None:
    place.fail("GET .*/raw_logs/.*[.]parquet", fault)
    message = place.run().message()
    assert f"SPARKIFY_LAKE: GetObject on the bucket {place.lake} failed" in message
    for words in fault.said:
        assert words in message


@pytest.mark.parametrize("fault", [DENIED, EXPIRED, BUSY], ids=_name)
def test_a_commit_that_fails(place: Place, fault: Fault) -> None:
    place.fail("PUT .*/songplays/_delta_log/0+1[.]json", fault)
    message = place.run().message()
    assert f"SPARKIFY_LAKE: PutObject on the bucket {place.lake} failed" in message
    for words in fault.said:
        assert words in message
    place.proxy.clear()
    done = place.run()
    assert done.code == 0, done.err
    assert json.loads(done.out)["rows"]["songplays"] == 2
