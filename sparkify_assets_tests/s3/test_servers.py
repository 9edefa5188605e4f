"""The S3-compatible servers keep what the tests of the lake rely on, and the proxy is exact."""

from __future__ import annotations

import http.client
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import obstore
import pytest
from botocore.exceptions import ClientError, HTTPClientError
from obstore.exceptions import AlreadyExistsError, GenericError, PreconditionError
from obstore.store import S3Store

from sparkify_assets_tests.s3.proxy import Proxy, kind_of
from sparkify_assets_tests.s3.servers import (
    ACCESS_KEY,
    HOST,
    KINDS,
    REGION,
    SECRET_KEY,
    Server,
    client,
    delete,
    keys,
    make_bucket,
    put,
    start,
    upload,
)

WRITERS, ROUNDS = 16, 20


@pytest.fixture
def proxy(server: Server) -> Iterator[Proxy]:
    """A proxy in front of the server."""
    with Proxy.start(server) as proxy:
        yield proxy


def _store(endpoint: str, bucket: str, max_retries: int = 0) -> S3Store:
    return S3Store(
        bucket,
        endpoint=endpoint,
        region=REGION,
        access_key_id=ACCESS_KEY,
        secret_access_key=SECRET_KEY,
        virtual_hosted_style_request=False,
        client_options={"allow_http": True},
        retry_config={"max_retries": max_retries},
    )


# The servers.


def test_of_many_writers_of_a_new_key_one_wins(server: Server, bucket: str) -> None:
    stores = [_store(server.endpoint, bucket) for _ in range(WRITERS)]
    together = threading.Barrier(WRITERS)

    def write(number: int, key: str) -> bool:
        together.wait(timeout=60)
        try:
            obstore.put(stores[number], key, str(number).encode(), mode="create")
        except AlreadyExistsError:
            return False
        return True

    with ThreadPoolExecutor(WRITERS) as pool:
        for turn in range(ROUNDS):
            key = f"log/{turn:020}.json"
            won = list(pool.map(write, range(WRITERS), [key] * WRITERS))
            assert won.count(True) == 1
            assert bytes(obstore.get(stores[0], key).bytes()) == str(won.index(True)).encode()


def test_get_of_a_replaced_object_fails(server: Server, bucket: str) -> None:
    store = _store(server.endpoint, bucket)
    first = obstore.put(store, "a", b"one")["e_tag"]
    assert first is not None
    assert bytes(obstore.get(store, "a", options={"if_match": first}).bytes()) == b"one"
    obstore.put(store, "a", b"two")
    with pytest.raises(PreconditionError):
        obstore.get(store, "a", options={"if_match": first})


def test_listens_on_the_loopback_only(server: Server, bucket: str) -> None:
    port = int(server.endpoint.rsplit(":", 1)[1])
    put(server.endpoint, bucket, "a", b"")  # also with its S3 loaded
    assert _listening(server.pid) == {(HOST, port)}


def test_the_listeners_of_a_process_are_found() -> None:
    everywhere = "0.0.0.0"  # noqa: S104 - this is what must be found
    with socket.create_server((everywhere, 0)) as found:
        address = found.getsockname()
        assert address in _listening(os.getpgid(0))


def test_upload_list_and_delete(server: Server, bucket: str, tmp_path: Path) -> None:
    (tmp_path / "2018/11").mkdir(parents=True)
    (tmp_path / "2018/11/a b=1.json").write_bytes(b"one")
    (tmp_path / "c.json").write_bytes(b"two")
    made = upload(server.endpoint, tmp_path, bucket, "raw")
    assert made == ["raw/2018/11/a b=1.json", "raw/c.json"]
    put(server.endpoint, bucket, "other", b"")
    assert keys(server.endpoint, bucket) == ["other", *made]
    assert keys(server.endpoint, bucket, "raw/2") == made[:1]
    delete(server.endpoint, bucket, made[0])
    assert keys(server.endpoint, bucket, "raw/") == made[1:]


@pytest.mark.parametrize("kind", KINDS)
def test_stopped_server_is_gone(kind: str) -> None:
    with start(kind) as server:
        pid = server.pid
    assert not _group(pid)
    server.stop()


def test_server_ends_with_the_process_that_started_it() -> None:
    code = (
        "from sparkify_assets_tests.s3.proxy import Proxy\n"
        "from sparkify_assets_tests.s3.servers import start\n"
        "server = start('moto')\n"
        "print(server.pid, Proxy.start(server).pid, flush=True)\n"
        "input()\n"
    )
    root = Path(__file__).parents[2]
    with subprocess.Popen(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(root)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        pids = [int(pid) for pid in process.stdout.readline().split()]
        assert len(pids) == 2
        assert all(_group(pid) for pid in pids)
        process.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 10
    while any(_group(pid) for pid in pids):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_unknown_server_says_what_is_wrong() -> None:
    with pytest.raises(Exception, match="KeyError: 'minio'"):
        start("minio")


def _group(leader: int) -> set[int]:
    """The processes of a process group that have not ended."""
    found = set()
    for entry in Path("/proc").iterdir():
        if not entry.name.isdecimal():
            continue
        try:
            stat = (entry / "stat").read_text()
        except OSError:
            continue  # has just ended
        state, _, group = stat.rpartition(")")[2].split()[:3]
        if int(group) == leader and state != "Z":
            found.add(int(entry.name))
    return found


def _listening(leader: int) -> set[tuple[str, int]]:
    """Where a process group takes TCP connections and UDP packets."""
    inodes = set()
    for pid in _group(leader):
        for file in Path(f"/proc/{pid}/fd").iterdir():
            try:
                target = str(file.readlink())
            except OSError:
                continue  # closed by now
            inodes.update(re.findall(r"^socket:\[(\d+)\]$", target))
    found = set()
    # The state of a socket that waits: LISTEN of TCP, unconnected of UDP.
    for table, waiting in (("tcp", "0A"), ("tcp6", "0A"), ("udp", "07"), ("udp6", "07")):
        path = Path(f"/proc/net/{table}")
        for line in path.read_text().splitlines()[1:] if path.exists() else ():
            fields = line.split()
            if fields[3] == waiting and fields[9] in inodes:
                address, port = fields[1].split(":")
                found.add((_address(address), int(port, 16)))
    return found


def _address(text: str) -> str:
    """An address as /proc/net writes it: in words of four bytes, each in the machine's order."""
    words = [int(text[at : at + 8], 16) for at in range(0, len(text), 8)]
    raw = b"".join(word.to_bytes(4, sys.byteorder) for word in words)
    return socket.inet_ntop(socket.AF_INET if len(raw) == 4 else socket.AF_INET6, raw)


# The proxy.


def test_counts_what_was_sent(proxy: Proxy, bucket: str) -> None:
    store = _store(proxy.endpoint, bucket)
    for name in ("a", "b", "c"):
        obstore.put(store, f"in/{name}=1", b"0123456789")
    obstore.head(store, "in/a=1")
    assert bytes(obstore.get_range(store, "in/a=1", start=2, end=5)) == b"234"
    obstore.list(store, prefix="in").collect()
    obstore.list_with_delimiter(store)
    obstore.delete(store, ["in/a=1", "in/b=1"])
    obstore.get(store, "in/c=1").bytes()
    sent = proxy.requests()
    assert [request.kind for request in sent] == (
        ["PUT"] * 3 + ["HEAD", "GET", "LIST", "LIST", "DELETE", "GET"]
    )
    assert sent[0].line == f"PUT /{bucket}/in/a=1"
    assert sent[4].range == "bytes=2-4"
    assert sent[5].query["prefix"] == "in/"
    assert "object_store" in sent[5].user_agent
    assert proxy.requests() == []


def test_counts_conditions(proxy: Proxy, bucket: str) -> None:
    store = _store(proxy.endpoint, bucket)
    tag = obstore.put(store, "a", b"", mode="create")["e_tag"]
    assert tag is not None
    obstore.get(store, "a", options={"if_match": tag})
    written, read = proxy.requests()
    assert (written.if_none_match, written.if_match) == ("*", None)
    assert (read.if_none_match, read.if_match) == (None, tag)


def test_multipart_upload_counts_as_puts(proxy: Proxy, bucket: str) -> None:
    store = _store(proxy.endpoint, bucket)
    content = os.urandom(11 * 2**20)
    obstore.put(store, "big", content, use_multipart=True, chunk_size=5 * 2**20)
    assert proxy.counts() == {"PUT": 5}  # create, three parts, complete
    assert bytes(obstore.get(store, "big").bytes()) == content
    assert proxy.counts() == {"GET": 1}


def test_boto3_through_the_proxy(proxy: Proxy, bucket: str, tmp_path: Path) -> None:
    # It asks for 100-continue, and sends a stream in chunks with a checksum at its end.
    s3 = client(proxy.endpoint)
    with (tmp_path / "body").open("w+b") as file:
        file.write(b"x" * 100_000)
        file.seek(0)
        s3.put_object(Bucket=bucket, Key="a b", Body=file, ChecksumAlgorithm="SHA256")
    assert s3.head_object(Bucket=bucket, Key="a b")["ContentLength"] == 100_000
    assert s3.get_object(Bucket=bucket, Key="a b")["Body"].read() == b"x" * 100_000
    s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "a b"}]})
    assert keys(proxy.endpoint, bucket) == []
    assert proxy.counts() == {"PUT": 1, "HEAD": 1, "GET": 1, "DELETE": 1, "LIST": 1}


def test_sqs_through_the_proxy(proxy: Proxy) -> None:
    sqs = client(proxy.endpoint, "sqs")
    queue = sqs.create_queue(QueueName=f"queue-{uuid.uuid4().hex[:8]}")["QueueUrl"]
    sqs.send_message(QueueUrl=queue, MessageBody="hello")
    [message] = sqs.receive_message(QueueUrl=queue)["Messages"]
    assert message["Body"] == "hello"
    assert proxy.counts() == {"SQS": 3}


def test_bodies_in_chunks_and_kept_connections(proxy: Proxy, bucket: str) -> None:
    host, port = proxy.endpoint.removeprefix("http://").split(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=30)
    # Without any, moto refuses; neither server checks the signature.
    signed = f"AWS4-HMAC-SHA256 Credential={ACCESS_KEY}/20181101/{REGION}/s3/aws4_request"
    headers = {"Authorization": f"{signed}, SignedHeaders=host, Signature=0"}
    try:
        for _ in range(3):
            body = iter([b"one", b"two"])
            connection.request(
                "PUT",
                f"/{bucket}/a",
                body,
                {**headers, "Transfer-Encoding": "chunked"},
                encode_chunked=True,
            )
            connection.getresponse().read()
            socket_of_first = connection.sock
            connection.request("GET", f"/{bucket}/a", headers=headers)
            assert connection.getresponse().read() == b"onetwo"
            assert connection.sock is socket_of_first
    finally:
        connection.close()
    assert proxy.counts() == {"PUT": 3, "GET": 3}


def test_many_clients_at_once(proxy: Proxy, bucket: str) -> None:
    put(proxy.endpoint, bucket, "a", b"here")
    proxy.requests()
    stores = [_store(proxy.endpoint, bucket) for _ in range(32)]
    with ThreadPoolExecutor(len(stores)) as pool:
        assert set(pool.map(lambda store: bytes(obstore.get(store, "a").bytes()), stores)) == {
            b"here"
        }
    assert proxy.counts() == {"GET": 32}


def test_fails_as_often_as_told(proxy: Proxy, bucket: str) -> None:
    store = _store(proxy.endpoint, bucket)
    proxy.fail(r"^PUT /[^/]+/log/", times=2)
    for _ in range(2):
        with pytest.raises(GenericError, match=r"503(?s:.)*SlowDown"):
            obstore.put(store, "log/1", b"")
    obstore.put(store, "log/1", b"")
    assert proxy.counts() == {"PUT": 3}


def test_client_retries_a_failure(proxy: Proxy, bucket: str) -> None:
    proxy.fail("^PUT", times=2)
    obstore.put(_store(proxy.endpoint, bucket, max_retries=5), "a", b"one")
    assert proxy.counts() == {"PUT": 3}
    assert keys(proxy.endpoint, bucket) == ["a"]


def test_failure_is_an_error_of_s3_and_never_reaches_the_server(
    server: Server, proxy: Proxy, bucket: str
) -> None:
    proxy.fail("list-type=2&prefix=in/", status=403, code="AccessDenied")
    put(proxy.endpoint, bucket, "in/a", b"")
    assert keys(proxy.endpoint, bucket, "out/") == []
    with pytest.raises(ClientError) as caught:
        keys(proxy.endpoint, bucket, "in/")
    assert caught.value.response["Error"]["Code"] == "AccessDenied"
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403
    proxy.fail("^DELETE|^HEAD")
    with pytest.raises(ClientError):
        delete(proxy.endpoint, bucket, "in/a")
    with pytest.raises(ClientError, match="503"):
        client(proxy.endpoint).head_object(Bucket=bucket, Key="in/a")
    assert keys(server.endpoint, bucket) == ["in/a"]
    proxy.clear()
    assert keys(proxy.endpoint, bucket, "in/") == ["in/a"]


def test_fails_as_long_as_told(proxy: Proxy, bucket: str) -> None:
    proxy.fail("^PUT", seconds=0.5)
    began = time.monotonic()
    with pytest.raises(ClientError):
        put(proxy.endpoint, bucket, "a", b"")
    time.sleep(max(0, began + 0.7 - time.monotonic()))
    put(proxy.endpoint, bucket, "a", b"")


def test_reply_is_lost_but_the_write_is_done(server: Server, proxy: Proxy, bucket: str) -> None:
    proxy.drop_reply("^PUT", times=1)
    with pytest.raises(HTTPClientError):
        put(proxy.endpoint, bucket, "a", b"")
    assert keys(server.endpoint, bucket) == ["a"]
    put(proxy.endpoint, bucket, "b", b"")
    assert proxy.counts() == {"PUT": 2}


def test_request_is_lost_and_nothing_is_done(server: Server, proxy: Proxy, bucket: str) -> None:
    proxy.drop_request("^PUT", skip=1)
    put(proxy.endpoint, bucket, "a", b"")
    with pytest.raises(HTTPClientError):
        put(proxy.endpoint, bucket, "b", b"")
    put(proxy.endpoint, bucket, "c", b"")
    assert keys(server.endpoint, bucket) == ["a", "c"]
    assert proxy.clear() == 1


def test_half_of_a_body_is_no_body(proxy: Proxy, bucket: str) -> None:
    put(proxy.endpoint, bucket, "a", b"0123456789")
    proxy.cut("^GET .*/a$")
    with pytest.raises(HTTPClientError):
        client(proxy.endpoint).get_object(Bucket=bucket, Key="a")["Body"].read()
    assert client(proxy.endpoint).get_object(Bucket=bucket, Key="a")["Body"].read() == b"0123456789"
    assert proxy.clear() == 1


def test_a_fault_without_effect_does_not_count(proxy: Proxy, bucket: str) -> None:
    put(proxy.endpoint, bucket, "empty", b"")
    proxy.cut("^GET", times=None)
    assert client(proxy.endpoint).get_object(Bucket=bucket, Key="empty")["Body"].read() == b""
    with pytest.raises(ClientError):
        client(proxy.endpoint).get_object(Bucket=bucket, Key="nothing")
    proxy.drop_reply("^PUT", skip=1)
    put(proxy.endpoint, bucket, "one", b"")
    assert proxy.clear() == 0


def test_a_process_is_killed_when_its_request_was_served(
    server: Server, proxy: Proxy, bucket: str
) -> None:
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    proxy.kill("^PUT", process.pid, skip=1)
    put(proxy.endpoint, bucket, "a", b"")
    assert process.poll() is None
    with pytest.raises(HTTPClientError):
        put(proxy.endpoint, bucket, "b", b"")
    assert process.wait(10) == -signal.SIGKILL
    assert keys(server.endpoint, bucket) == ["a", "b"]


def test_requests_of_actors_are_served_in_a_drawn_order(proxy: Proxy, bucket: str) -> None:
    def orders(seed: int) -> list[str]:
        proxy.interleave(seed, ["AKIAONE", "AKIATWO"])
        proxy.requests()

        def work(key: str) -> None:
            for number in range(12):
                put(proxy.endpoint, bucket, f"{key}{number}", b"", key)

        with ThreadPoolExecutor(2) as pool:
            list(pool.map(work, ["AKIAONE", "AKIATWO"]))
        served = proxy.served()
        assert served.requests == {"AKIAONE": 12, "AKIATWO": 12}
        assert served.switches
        assert not served.collisions
        assert not served.late
        return [str(request.access_key) for request in proxy.requests()]

    found = {tuple(orders(seed)) for seed in range(4)}
    assert all(sorted(one) == ["AKIAONE"] * 12 + ["AKIATWO"] * 12 for one in found)
    assert len(found) > 1


def test_retry_after_a_lost_reply_finds_its_own_object(proxy: Proxy, bucket: str) -> None:
    store = _store(proxy.endpoint, bucket, max_retries=3)
    proxy.drop_reply("^PUT")
    with pytest.raises(AlreadyExistsError):  # the one that its first try made
        obstore.put(store, "a", b"mine", mode="create")
    assert proxy.counts() == {"PUT": 2}
    assert bytes(obstore.get(store, "a").bytes()) == b"mine"


def test_delays_and_then_does_what_else_is_set(proxy: Proxy, bucket: str) -> None:
    proxy.delay("^PUT", seconds=0.5, times=2)
    proxy.fail("^PUT", times=1)
    began = time.monotonic()
    with pytest.raises(ClientError):
        put(proxy.endpoint, bucket, "a", b"")
    assert time.monotonic() - began >= 0.5
    put(proxy.endpoint, bucket, "a", b"")
    assert time.monotonic() - began >= 1
    began = time.monotonic()
    put(proxy.endpoint, bucket, "a", b"")
    assert time.monotonic() - began < 0.5


def test_dead_server_is_a_closed_connection() -> None:
    with start("moto") as server, Proxy.start(server) as proxy:
        make_bucket(proxy.endpoint, "here")
        server.stop()
        with pytest.raises(HTTPClientError):
            keys(proxy.endpoint, "here")


def test_wrong_pattern_is_refused(moto_server: Server) -> None:
    with Proxy.start(moto_server) as proxy, pytest.raises(re.error):
        proxy.fail("(")


def test_proxy_listens_on_the_loopback_only(moto_server: Server) -> None:
    with Proxy.start(moto_server) as proxy:
        assert _listening(proxy.pid) == {(HOST, int(proxy.endpoint.rsplit(":", 1)[1]))}


@pytest.mark.parametrize(
    ("method", "path", "query", "kind"),
    [
        ("GET", "/", {}, "LIST"),
        ("GET", "/bucket", {"list-type": "2", "prefix": "a/"}, "LIST"),
        ("GET", "/bucket/", {"prefix": "a/"}, "LIST"),
        ("GET", "/bucket", {"versions": ""}, "LIST"),
        ("GET", "/bucket", {"location": ""}, "GET"),
        ("GET", "/bucket/key", {}, "GET"),
        ("GET", "/bucket/key", {"uploadId": "1"}, "GET"),
        ("HEAD", "/bucket", {}, "HEAD"),
        ("PUT", "/bucket/key", {"partNumber": "1", "uploadId": "1"}, "PUT"),
        ("POST", "/bucket/key", {"uploads": ""}, "PUT"),
        ("POST", "/bucket/key", {"uploadId": "1"}, "PUT"),
        ("DELETE", "/bucket/key", {"uploadId": "1"}, "DELETE"),
        ("POST", "/bucket", {"delete": ""}, "DELETE"),
        ("POST", "/bucket/key", {"restore": ""}, "POST"),
    ],
)
def test_kinds(method: str, path: str, query: dict[str, str], kind: str) -> None:
    assert kind_of(method, path, query) == kind
