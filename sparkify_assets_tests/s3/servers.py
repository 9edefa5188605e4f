"""S3-compatible servers for tests, each a process of its own, and what puts objects there.

Never a server in the test process: some libraries hold the GIL while they wait for the server,
which then could not answer.

As a program, `python -m sparkify_assets_tests.s3.servers KIND` runs one server in the foreground
and prints its port.
"""

from __future__ import annotations

import functools
import http.client
import logging
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from sparkify_assets_tests.stopping import Stopping

HOST = "127.0.0.1"
MOTO, MINISTACK = "moto", "ministack"
KINDS = (MOTO, MINISTACK)

ACCESS_KEY, SECRET_KEY, REGION = "test", "test-secret", "us-east-1"

_WITH_PARENT = "--with-parent"
_SECONDS_TO_START = 60.0
_POLL = 0.05
_ATTEMPTS = 3
_PASSED_ON = ("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH")


class NotStarted(Exception):
    """A process ended, or took too long, before it was ready."""


class Child:
    """A module of this package as a process, in a process group and a folder of its own."""

    def __init__(self, module: str, *arguments: str) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="sparkify-s3-"))
        self._out, self._err = self._folder / "out", self._folder / "err"
        with self._out.open("wb") as out, self._err.open("wb") as err:
            self.process = subprocess.Popen(
                [sys.executable, "-m", module, *arguments, _WITH_PARENT, str(self._folder)],
                cwd=self._folder,
                env=_environment(self._folder),
                # Never written to: it closes when the test process ends, however that ends.
                stdin=subprocess.PIPE,
                stdout=out,
                stderr=err,
                start_new_session=True,
            )
        self._deadline = time.monotonic() + _SECONDS_TO_START
        try:
            self.port = self._printed_port()
        except BaseException:
            self.stop()
            raise

    @property
    def endpoint(self) -> str:
        return f"http://{HOST}:{self.port}"

    def _printed_port(self) -> int:
        while not (line := self._out.read_text(errors="replace")).endswith("\n"):
            self.wait_a_little()
        return int(line.split("\n", 1)[0])

    def wait_a_little(self) -> None:
        """Between two looks at whether it is ready."""
        if self.process.poll() is not None or time.monotonic() > self._deadline:
            raise NotStarted(f"{self.process.args!r}: {self._err.read_text(errors='replace')}")
        time.sleep(_POLL)

    def stop(self) -> None:
        """End the process and its children; again does nothing."""
        if self.process.returncode is None:  # not waited for, so the group is still its own
            os.killpg(self.process.pid, signal.SIGKILL)  # it keeps nothing worth a clean end
            self.process.wait()
        if self.process.stdin is not None:
            self.process.stdin.close()
        shutil.rmtree(self._folder, ignore_errors=True)


def _environment(folder: Path) -> dict[str, str]:
    """Nothing of the tests' own: no AWS profile, no proxy, no setting for either server."""
    passed_on = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    root = Path(__file__).parents[2]
    return {**passed_on, "PYTHONPATH": str(root), "HOME": str(folder), "TMPDIR": str(folder)}


class Server(Stopping):
    """An S3-compatible server that is ready for requests; see `start`."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._child = Child(__name__, kind)
        try:
            while not self._answers():
                self._child.wait_a_little()
        except BaseException:
            self.stop()
            raise

    @property
    def endpoint(self) -> str:
        """`http://127.0.0.1:PORT`."""
        return self._child.endpoint

    @property
    def pid(self) -> int:
        """The process, which is also its process group."""
        return self._child.process.pid

    def stop(self) -> None:
        """End it, and with it all it holds; again does nothing."""
        self._child.stop()

    def _answers(self) -> bool:
        connection = http.client.HTTPConnection(HOST, self._child.port, timeout=5)
        try:
            connection.request("GET", "/_ministack/ready" if self.kind == MINISTACK else "/")
            return connection.getresponse().status == http.HTTPStatus.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()


def start(kind: str) -> Server:
    """A server of this kind (one of `KINDS`), empty."""
    for _ in range(_ATTEMPTS - 1):
        try:
            return Server(kind)
        except NotStarted:
            continue  # the free port of ministack may have been taken before it got there
    return Server(kind)


@functools.cache
def client(endpoint: str, service: str = "s3", access_key: str = ACCESS_KEY) -> Any:
    """A boto3 client that tries each request once; safe to share between threads."""
    # Here, for the server processes import this module too and need no client.
    import boto3
    from botocore.config import Config

    return boto3.client(
        service,
        endpoint_url=endpoint,
        aws_access_key_id=access_key,
        aws_secret_access_key=SECRET_KEY,
        region_name=REGION,
        config=Config(
            s3={"addressing_style": "path"},
            retries={"total_max_attempts": 1},
            proxies={},
            max_pool_connections=32,
        ),
    )


def make_bucket(endpoint: str, bucket: str) -> None:
    """A new, empty bucket."""
    client(endpoint).create_bucket(Bucket=bucket)


def upload(endpoint: str, folder: Path, bucket: str, prefix: str = "") -> list[str]:
    """Put all files of a folder, the deepest too, below `prefix`; their keys, sorted."""
    start = f"{prefix.rstrip('/')}/" if prefix else ""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    found = {f"{start}{path.relative_to(folder).as_posix()}": path for path in files}
    for key, path in found.items():
        put(endpoint, bucket, key, path.read_bytes())
    return sorted(found)


def put(endpoint: str, bucket: str, key: str, body: bytes, access_key: str = ACCESS_KEY) -> str:
    """Write one object; its ETag."""
    s3 = client(endpoint, access_key=access_key)
    return str(s3.put_object(Bucket=bucket, Key=key, Body=body)["ETag"])


def delete(endpoint: str, bucket: str, key: str) -> None:
    """Delete one object."""
    client(endpoint).delete_object(Bucket=bucket, Key=key)


def keys(endpoint: str, bucket: str, prefix: str = "") -> list[str]:
    """All keys that start with `prefix`, sorted."""
    pages = client(endpoint).get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    return sorted(entry["Key"] for page in pages for entry in page.get("Contents", ()))


def end_with_parent(arguments: list[str]) -> list[str]:
    """A program's own arguments; if `Child` started it, it ends when the test process does."""
    if _WITH_PARENT not in arguments:
        return arguments
    at = arguments.index(_WITH_PARENT)
    folder = Path(arguments[at + 1])
    threading.Thread(target=_end_with_stdin, args=(folder,), daemon=True).start()
    return arguments[:at]


def _end_with_stdin(folder: Path) -> None:
    while os.read(0, 1024):
        pass
    shutil.rmtree(folder, ignore_errors=True)
    os.killpg(0, signal.SIGKILL)


def _print_port(port: int) -> None:
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()


def _run_moto() -> None:
    from moto.s3.responses import S3Response
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # its access log
    # Its S3 is not safe for threads: between looking for an object and writing it, another writer
    # may do the same, and an object that is replaced fails whoever is reading it.
    lock = threading.RLock()
    for name in ("bucket_response", "key_response"):
        setattr(S3Response, name, _one_at_a_time(getattr(S3Response, name), lock))
    server = ThreadedMotoServer(HOST, 0, verbose=False)
    server.start()
    _print_port(server.get_host_and_port()[1])
    threading.Event().wait()


def _one_at_a_time(method: Any, lock: Any) -> Any:
    @functools.wraps(method)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        with lock:
            return method(*args, **kwargs)

    return wrapped


def _run_ministack() -> None:
    with socket.create_server((HOST, 0)) as found:
        port = found.getsockname()[1]  # it takes no port 0 itself
    # Before the import, which reads them.
    os.environ.update(
        GATEWAY_PORT=str(port),
        BIND_HOST=HOST,
        MINISTACK_HOST=HOST,
        SERVICES="s3,sqs",
        LOG_LEVEL="WARNING",
        IOT_MTLS_ENABLED="0",  # would listen on 0.0.0.0:8883
        SFTP_ENABLED="0",
        DOCKER_HOST="unix:///nonexistent",  # would remove containers left by others of its kind
    )
    from ministack.app import main as ministack_main

    sys.argv = [MINISTACK]
    _print_port(port)
    ministack_main()


def main(arguments: list[str]) -> None:
    """Run one server until it is killed."""
    [kind] = end_with_parent(arguments)
    {MOTO: _run_moto, MINISTACK: _run_ministack}[kind]()


if __name__ == "__main__":
    main(sys.argv[1:])
