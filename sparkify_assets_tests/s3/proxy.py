"""A proxy in front of an S3-compatible server that counts requests and injects faults.

`Proxy` is the side of the tests. The proxy itself is a process of its own, for the reason that
the servers are: `python -m sparkify_assets_tests.s3.proxy TARGET_HOST:PORT` prints its port.
"""

from __future__ import annotations

import collections
import dataclasses
import http.client
import json
import os
import re
import signal
import sys
import time
from collections.abc import Iterable, Sequence
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol, Self
from urllib.parse import parse_qs, parse_qsl, unquote
from xml.sax.saxutils import escape

from sparkify_assets_tests.s3.faults import (
    CUT,
    DELAY,
    DROP_REPLY,
    DROP_REQUEST,
    FAIL,
    KILL,
    Fault,
    FaultLog,
    Request,
)
from sparkify_assets_tests.s3.order import Order, Served
from sparkify_assets_tests.s3.servers import HOST, Child, end_with_parent
from sparkify_assets_tests.stopping import Stopping

LIST, GET, HEAD, PUT, DELETE, POST, SQS = "LIST", "GET", "HEAD", "PUT", "DELETE", "POST", "SQS"

_CONTROL = "/__control/"  # no bucket can have this name
_SECONDS = 60  # that the server may take for one request
_SQS_VERSION = "2012-11-05"  # of its older, form-encoded protocol
_LIST_PARAMETERS = {"prefix", "delimiter", "marker", "max-keys", "encoding-type"}
_ABSOLUTE = re.compile(r"^http://[^/]*")  # the form for whom the proxy is set as its HTTP proxy
_SIGNER = re.compile(r"Credential=([^/]+)/")
_HOP_BY_HOP = {
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
}
# Settled between the proxy and the client: it reads whole bodies and sends them with a length.
_NOT_FORWARDED = {*_HOP_BY_HOP, "expect", "content-length"}


class HasEndpoint(Protocol):
    """Something with an endpoint: a server, or another proxy."""

    @property
    def endpoint(self) -> str: ...


class Proxy(Stopping):
    """A running proxy: what came by, and what shall go wrong."""

    def __init__(self, target: str) -> None:
        self._child = Child(__name__, target)

    @classmethod
    def start(cls, server: HasEndpoint) -> Self:
        """A proxy in front of this server, ready for requests."""
        return cls(server.endpoint.removeprefix("http://"))

    @property
    def endpoint(self) -> str:
        """`http://127.0.0.1:PORT`."""
        return self._child.endpoint

    @property
    def pid(self) -> int:
        """The process, which is also its process group."""
        return self._child.process.pid

    def requests(self) -> list[Request]:
        """Take the requests since the last time, those that a fault hit too, and forget them."""
        return [Request(**entry) for entry in self._control("GET", "requests")]

    def counts(self) -> dict[str, int]:
        """Take the requests as `requests` does; how many of each kind that occurred."""
        return dict(collections.Counter(request.kind for request in self.requests()))

    def fail(
        self,
        match: str,
        status: int = 503,
        code: str = "SlowDown",
        times: int | None = None,
        seconds: float | None = None,
        message: str = "Injected fault",
        more: dict[str, str] | None = None,
        skip: int = 0,
    ) -> None:
        """Answer requests whose line `match` finds with an error, the server never sees them.

        Args:
            more: further elements of the error's XML, such as Region.
            skip: so many of these requests are served first.
        """
        self._set(
            FAIL, match=match, status=status, code=code, times=times, seconds=seconds,
            message=message, more=more or {}, skip=skip,
        )  # fmt: skip

    def drop_reply(self, match: str, times: int | None = 1, skip: int = 0) -> None:
        """Let the server answer, then close the connection to the client without the answer."""
        self._set(DROP_REPLY, match=match, times=times, skip=skip)

    def drop_request(self, match: str, times: int | None = 1, skip: int = 0) -> None:
        """Close the connection to the client; the server never sees the request."""
        self._set(DROP_REQUEST, match=match, times=times, skip=skip)

    def cut(self, match: str, times: int | None = 1, skip: int = 0) -> None:
        """Send half of the answer's body, then close the connection."""
        self._set(CUT, match=match, times=times, skip=skip)

    def delay(self, match: str, seconds: float, times: int | None = None, skip: int = 0) -> None:
        """Hold requests back before the server, or another fault, gets them."""
        self._set(DELAY, match=match, pause=seconds, times=times, skip=skip)

    def kill(self, match: str, pid: int, skip: int = 0) -> None:
        """Let the server answer one request, and kill a process before anybody hears of it."""
        self._set(KILL, match=match, pid=pid, times=1, skip=skip)

    def clear(self) -> int:
        """No faults any more; how often one took effect since the last time."""
        return int(self._control("DELETE", "faults"))

    def interleave(self, seed: int, actors: Sequence[str]) -> None:
        """Serve requests in an order drawn from a seed, see `order`; actors are access keys."""
        self._control("POST", "order", {"seed": seed, "actors": list(actors)})

    def served(self) -> Served:
        """Serve requests as they come again; what was served in the drawn order."""
        return Served(**self._control("DELETE", "order"))

    def stop(self) -> None:
        """End it; again does nothing."""
        self._child.stop()

    def _set(self, action: str, **given: object) -> None:
        re.compile(str(given["match"]))  # a wrong one fails here
        self._control("POST", "faults", {"action": action, **given})

    def _control(self, method: str, name: str, body: object = None) -> Any:
        connection = http.client.HTTPConnection(HOST, self._child.port, timeout=_SECONDS)
        try:
            connection.request(method, f"{_CONTROL}{name}", json.dumps(body))
            reply = connection.getresponse()
            answer = json.loads(reply.read())
        finally:
            connection.close()
        if reply.status != HTTPStatus.OK:
            raise RuntimeError(f"{method} {name}: {answer}")
        return answer


def kind_of(method: str, path: str, query: dict[str, str], sqs: bool = False) -> str:
    """What a request counts as; only buckets in the path are known."""
    if sqs:
        return SQS
    if method == "GET" and _lists(path, query):
        return LIST
    if method == "POST" and "delete" in query:
        return DELETE
    if method == "POST" and ("uploads" in query or "uploadId" in query):
        return PUT
    return method


def _lists(path: str, query: dict[str, str]) -> bool:
    if "/" in path.strip("/"):
        return False
    listed = {"list-type", "versions", "uploads"} & query.keys()
    return bool(listed) or query.keys() <= _LIST_PARAMETERS


class _ClientGone(Exception):
    """The client left in the middle of its request."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, target: tuple[str, int]) -> None:
        super().__init__((HOST, 0), _Handler)
        self.target = target
        self.state = FaultLog()
        self.order = Order(0, [])


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def _serve(self) -> None:
        """One request, and what shall go wrong with it."""
        try:
            body = self._body()
            # Not `self.path`, which has lost leading slashes.
            target = _ABSOLUTE.sub("", self.requestline.split()[1])
            if target.startswith(_CONTROL):
                self._control(target.removeprefix(_CONTROL), body or b"")
                return
            request = self._request(target, body or b"")
            self.server.order.wait(request.access_key)
            faults = self.server.state.enter(request)
            actions = {fault.action: fault for fault in faults}
            if DELAY in actions:
                self.server.state.took_effect()
                time.sleep(sum(fault.pause for fault in faults))
            if FAIL in actions:
                self.server.state.took_effect()
                self._error(actions[FAIL], target)
                return
            if DROP_REQUEST in actions:
                self.server.state.took_effect()
                self.close_connection = True
                return
            status, headers, content = self._forward(target, body)
            if not request.path.endswith(".parquet"):  # nobody's work is lost by a checkpoint
                self.server.order.answered(request.access_key, status)
            if KILL in actions:
                os.kill(actions[KILL].pid, signal.SIGKILL)
            if DROP_REPLY in actions or KILL in actions:
                self.server.state.took_effect()
                self.close_connection = True
                return
            # Half of nothing is nothing, and half of an error is still that error.
            if CUT in actions and content and status < HTTPStatus.BAD_REQUEST:
                self.server.state.took_effect()
                self.close_connection = True
                self._reply(status, headers, content, sent=len(content) // 2)
                return
            self._reply(status, headers, content)
        except (_ClientGone, ConnectionError, http.client.HTTPException, TimeoutError) as error:
            # One side is gone; all that the other can be told is that the connection is too.
            self.log_error("%s: %r", self.requestline, error)
            self.close_connection = True

    # The names are those of the base class.
    do_GET = do_HEAD = do_PUT = do_POST = _serve  # noqa: N815
    do_DELETE = do_OPTIONS = do_PATCH = _serve  # noqa: N815

    def _body(self) -> bytes | None:
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            return b"".join(self._chunks())
        length = self.headers.get("Content-Length")
        return None if length is None else self._read(int(length))

    def _chunks(self) -> Iterable[bytes]:
        while size := int(self._line().split(b";")[0], 16):
            yield self._read(size)
            self._line()
        while self._line().strip():
            pass  # trailers

    def _line(self) -> bytes:
        line = self.rfile.readline()
        if not line:
            raise _ClientGone
        return line

    def _read(self, size: int) -> bytes:
        content = self.rfile.read(size)
        if len(content) < size:
            raise _ClientGone
        return content

    def _request(self, target: str, body: bytes) -> Request:
        path, _, raw = target.partition("?")
        path, query = unquote(path), dict(parse_qsl(raw, keep_blank_values=True))
        signer = _SIGNER.search(self.headers.get("Authorization", ""))
        return Request(
            method=self.command,
            path=path,
            query=query,
            kind=kind_of(self.command, path, query, self._is_sqs(body)),
            range=self.headers.get("Range"),
            if_match=self.headers.get("If-Match"),
            if_none_match=self.headers.get("If-None-Match"),
            user_agent=self.headers.get("User-Agent", ""),
            host=self.headers.get("Host", ""),
            access_key=signer.group(1) if signer else None,
            session_token=self.headers.get("X-Amz-Security-Token"),
            at=time.time(),
            port=self.client_address[1],
        )

    def _is_sqs(self, body: bytes) -> bool:
        if self.command != "POST":
            return False
        if self.headers.get("X-Amz-Target", "").startswith("AmazonSQS."):
            return True
        if self.headers.get_content_type() != "application/x-www-form-urlencoded":
            return False
        return parse_qs(body.decode(errors="replace")).get("Version") == [_SQS_VERSION]

    def _forward(self, target: str, body: bytes | None) -> tuple[int, list[tuple[str, str]], bytes]:
        connection = http.client.HTTPConnection(*self.server.target, timeout=_SECONDS)
        try:
            # Adds no headers of its own, and keeps those that occur twice.
            connection.putrequest(self.command, target, skip_host=True, skip_accept_encoding=True)
            for name, value in _end_to_end(self.headers.items()):
                connection.putheader(name, value)
            if body is not None:
                connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            reply = connection.getresponse()
            return reply.status, reply.getheaders(), reply.read()
        finally:
            connection.close()

    def _reply(
        self,
        status: int,
        headers: Iterable[tuple[str, str]],
        content: bytes,
        sent: int | None = None,
    ) -> None:
        headers = list(headers)
        self.send_response_only(status)
        for name, value in _end_to_end(headers):
            self.send_header(name, value)
        length: str | None = str(len(content))
        if self.command == "HEAD" or status in (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED):
            # The length of what is not sent; only the server knows it.
            length = next((v for name, v in headers if name.lower() == "content-length"), None)
            content = b""
        if length is not None:
            self.send_header("Content-Length", length)
        self.end_headers()
        self.wfile.write(content[:sent])

    def _error(self, fault: Fault, target: str) -> None:
        more = "".join(f"<{name}>{escape(text)}</{name}>" for name, text in fault.more.items())
        text = (
            '<?xml version="1.0" encoding="UTF-8"?>\n'
            f"<Error><Code>{escape(fault.code)}</Code><Message>{escape(fault.message)}</Message>{more}"
            f"<Resource>{escape(target)}</Resource><RequestId>0</RequestId></Error>"
        )
        self._reply(fault.status, [("Content-Type", "application/xml")], text.encode())

    def _control(self, name: str, body: bytes) -> None:
        state = self.server.state
        answer: object = None
        status = HTTPStatus.OK
        match self.command, name:
            case "GET", "requests":
                answer = [dataclasses.asdict(request) for request in state.take()]
            case "POST", "faults":
                state.add(Fault(**json.loads(body)))
            case "POST", "order":
                self.server.order = Order(**json.loads(body))
            case "DELETE", "order":
                answer = dataclasses.asdict(self.server.order.served)
                self.server.order = Order(0, [])
            case "DELETE", "faults":
                answer = state.clear()
            case _:
                status = HTTPStatus.NOT_FOUND
        content = json.dumps(answer).encode()
        self._reply(status, [("Content-Type", "application/json")], content)

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Nothing: the tests have a log of their own."""


def _end_to_end(headers: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """The headers that the other side shall see."""
    headers = list(headers)
    dropped = set(_NOT_FORWARDED)
    for name, value in headers:
        if name.lower() == "connection":
            dropped.update(part.strip().lower() for part in value.split(","))
    return [(name, value) for name, value in headers if name.lower() not in dropped]


def main(arguments: list[str]) -> None:
    """Run a proxy until it is killed."""
    [target] = end_with_parent(arguments)
    host, port = target.rsplit(":", 1)
    server = _Server((host, int(port)))
    sys.stdout.write(f"{server.server_address[1]}\n")
    sys.stdout.flush()
    server.serve_forever()


if __name__ == "__main__":
    main(sys.argv[1:])
