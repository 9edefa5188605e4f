"""The sweep over a bucket: at each request a process is killed, or a reply lost, or worse."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from sparkify_assets_tests.s3.proxy import Proxy
from sparkify_assets_tests.torture.operations import Operation, run
from sparkify_assets_tests.torture.scene import BucketScene, bucket_scenes
from sparkify_assets_tests.torture.sweep import Lane, Sweep
from sparkify_assets_tests.torture.tally import Say, Tally
from sparkify_assets_tests.torture.zygote import Ended, Started

_WRITES, _READS, _ALL = "^(PUT|DELETE|POST) ", "^(GET|HEAD) ", "^"
# Of these alone a server says that another writer was quicker.
_PUT_NEW = r"^PUT .*(_delta_log/\d{20}\.(json|checkpoint\.parquet)|_releases/)"
_OBJECTS = r"^GET .*/.*/[^?]*$"

# With the requests, the proxy, the number of the request and the process.
Arm = Callable[[str, Proxy, int, int], None]


@dataclass(frozen=True)
class RequestTrap:
    """A fault of the proxy at the request with a number, from 0, among those of its kind."""

    name: str
    arming: Arm
    match: str
    number: int

    def env(self, lake: str) -> Mapping[str, str]:  # noqa: ARG002
        return {}

    def arm(self, scene: BucketScene, process: Started) -> None:
        scene.proxy.clear()
        self.arming(self.match, scene.proxy, self.number, process.pid)

    def sprung(self, scene: BucketScene, ended: Ended | None) -> bool:
        happened = scene.proxy.clear() > 0
        # A process may have ended by itself before it could be killed.
        return happened and (self.arming is not kill or (ended is not None and ended.killed))


def kill(match: str, proxy: Proxy, number: int, pid: int) -> None:
    """Kill the process when the server has done what that request asks for."""
    proxy.kill(match, pid, skip=number)


def drop_reply(match: str, proxy: Proxy, number: int, _pid: int) -> None:
    """Let the server do what that request asks for, and lose its answer."""
    proxy.drop_reply(match, skip=number)


def _drop_request(match: str, proxy: Proxy, number: int, _pid: int) -> None:
    proxy.drop_request(match, skip=number)


def _cut(match: str, proxy: Proxy, number: int, _pid: int) -> None:
    proxy.cut(match, skip=number)


def _delay(match: str, proxy: Proxy, number: int, _pid: int) -> None:
    proxy.delay(match, 2.0, times=1, skip=number)


def _answer(
    status: int, code: str, times: int | None, match: str, proxy: Proxy, number: int, _pid: int
) -> None:
    proxy.fail(match, status, code, times=times, skip=number)


# Name, requests, what happens, weight: what a run must survive, and from when on it may give up.
_KINDS: list[tuple[str, str, Arm, float]] = [
    ("kills at writing requests", _WRITES, kill, 8),
    ("replies dropped of writing requests", _WRITES, drop_reply, 6),
    ("kills at reading requests", _READS, kill, 2),
    ("replies dropped of reading requests", _READS, drop_reply, 1.5),
    ("requests dropped", _ALL, _drop_request, 1),
    ("bodies cut in half", _OBJECTS, _cut, 1),
    ("answered 503", _ALL, partial(_answer, 503, "SlowDown", 1), 0.5),
    ("answered 500", _ALL, partial(_answer, 500, "InternalError", 1), 0.5),
    ("commits answered 409", _PUT_NEW, partial(_answer, 409, "ConditionalRequestConflict", 1), 0.5),
    ("commits answered 412", _PUT_NEW, partial(_answer, 412, "PreconditionFailed", 1), 0.5),
    ("delayed", _ALL, _delay, 0.25),
    ("refused from there on", _ALL, partial(_answer, 403, "AccessDenied", None), 1),
    ("credentials expired from there on", _ALL, partial(_answer, 400, "ExpiredToken", None), 0.5),
]  # fmt: skip


def bucket_sweep(
    folder: Path, until: float, say: Say, *, workers: int = 2, only: str = ""
) -> Tally:
    """Sweep all requests of all operations, up to a moment of `time.monotonic()`.

    Args:
        only: a point, as a failure names it.
    """
    tally = Tally("bucket")
    with bucket_scenes(folder, workers) as scenes:
        sweep = Sweep(scenes, _lanes, tally, say, repeat="make torture ONLY=bucket", only=only)
        sweep.run(until)
    return tally


def _lanes(scene: BucketScene, operations: Mapping[str, Operation]) -> list[Lane[BucketScene]]:
    lanes: list[Lane[BucketScene]] = []
    for operation in operations.values():
        lines = requests_of(scene, operation)
        for name, match, arm, weight in _KINDS:
            total = sum(re.search(match, line) is not None for line in lines)
            trap = partial(RequestTrap, name, arm, match)
            lanes.append(Lane(operation.name, name, total, trap, weight))
    return lanes


def requests_of(scene: BucketScene, operation: Operation) -> list[str]:
    """The lines of all requests of an operation, which is done once for that."""
    scene.proxy.requests()
    lake = scene.new_lake(operation.before)
    run(scene, operation.landing, lake, *operation.arguments)
    scene.drop(lake)
    return [request.line for request in scene.proxy.requests()]
