"""Where a lake under torture lies: in a bucket behind the proxy, or in a folder.

A scene makes landing zones and lakes, copies a lake as it is, and says what a process needs to
know of them.
"""

from __future__ import annotations

import shutil
import threading
import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Protocol, TypeVar

from dagster import DagsterInstance

from sparkify_assets_tests.s3.fixtures import environment, new_bucket
from sparkify_assets_tests.s3.proxy import Proxy
from sparkify_assets_tests.s3.servers import MINISTACK, Server, client, start
from sparkify_assets_tests.s3.zone import BucketZone
from sparkify_assets_tests.torture.plain import PlainReader
from sparkify_assets_tests.torture.zygote import Zygote
from sparkify_assets_tests.zone import Zone

MONTHS = ("2018-11", "2018-12")
# Each step's output captured would be four processes more.
_DAGSTER = """
telemetry: {enabled: false}
compute_logs:
  module: dagster._core.storage.noop_compute_log_manager
  class: NoOpComputeLogManager
"""


class Scene(Protocol):
    """One kind of place."""

    @property
    def name(self) -> str:
        """`bucket` or `folder`."""

    @property
    def zygote(self) -> Zygote:
        """Starts processes that see this place."""

    @property
    def reader(self) -> PlainReader:
        """Reads its lakes, past any fault."""

    def zone(self) -> tuple[Zone, str]:
        """A new landing zone and its URI."""

    def new_lake(self, copy_of: str | None = None) -> str:
        """The URI of a lake: not made yet, or the copy of another one."""

    def drop(self, lake: str) -> None:
        """Remove a lake."""

    def env(self, landing: str, lake: str) -> dict[str, str]:
        """What a process needs to know."""

    def releases(self, lake: str) -> list[bytes]:
        """The content of each release that was recorded, the oldest first."""


Of = TypeVar("Of", bound=Scene)


def _settings(home: Path, landing: str, lake: str) -> dict[str, str]:
    return {
        "DAGSTER_HOME": str(home),
        "SPARKIFY_LANDING": landing,
        "SPARKIFY_LAKE": lake,
        "SPARKIFY_ENGINE": "embedded",
        "SPARKIFY_FIRST_MONTH": MONTHS[0],
        "SPARKIFY_LAST_MONTH": MONTHS[-1],
        "SPARKIFY_ON_DELETE": "remove",
        "SPARKIFY_CONFIRM_REMOVE": "true",
        "SPARKIFY_GRACE_HOURS": "0",
        "SPARKIFY_MEMORY_GB": "1",
    }


def _home(folder: Path) -> Path:
    home = folder / "home"
    home.mkdir(parents=True)
    (home / "dagster.yaml").write_text(_DAGSTER)
    # As it is where a daemon is at work: its processes are many, and find an instance.
    with DagsterInstance.from_config(str(home)):
        return home


class FolderScene:
    """Landing zones and lakes in folders."""

    name = "folder"

    def __init__(self, folder: Path, zygote: Zygote) -> None:
        self._folder = folder
        self._home = _home(folder)
        self.zygote = zygote
        self.reader = PlainReader({})

    def zone(self) -> tuple[Zone, str]:
        root = self._folder / f"landing-{uuid.uuid4().hex[:8]}"
        return Zone(root), str(root)

    def new_lake(self, copy_of: str | None = None) -> str:
        # In a folder that is not there yet either: both have to be made and synced.
        lake = self._folder / "lakes" / uuid.uuid4().hex[:8] / "lake"
        if copy_of is not None:
            shutil.copytree(copy_of, lake)
        return str(lake)

    def drop(self, lake: str) -> None:
        shutil.rmtree(Path(lake).parent, ignore_errors=True)

    def env(self, landing: str, lake: str) -> dict[str, str]:
        return _settings(self._home, landing, lake)

    def releases(self, lake: str) -> list[bytes]:
        return [path.read_bytes() for path in sorted(Path(lake).glob("_releases/*.json"))]


class BucketScene:
    """Landing zones and lakes in buckets of a server, behind a proxy of its own.

    Attributes:
        more: what else every process is to know.
    """

    name = "bucket"

    def __init__(self, folder: Path, zygote: Zygote, server: Server, proxy: Proxy) -> None:
        self._home = _home(folder)
        self._server = server
        self.proxy = proxy
        self.zygote = zygote
        options = {**environment(server.endpoint), "AWS_ALLOW_HTTP": "true"}
        self.reader = PlainReader(options)
        self.more: dict[str, str] = {}

    def zone(self) -> tuple[Zone, str]:
        uri = f"s3://{new_bucket(self._server)}/in"
        return BucketZone(self._server.endpoint, uri), uri

    def new_lake(self, copy_of: str | None = None) -> str:
        bucket = new_bucket(self._server)
        if copy_of is not None:
            s3, source = client(self._server.endpoint), copy_of.removeprefix("s3://").split("/")[0]
            for key in self._keys(source):
                s3.copy_object(Bucket=bucket, Key=key, CopySource={"Bucket": source, "Key": key})
        return f"s3://{bucket}/lake"

    def drop(self, lake: str) -> None:
        bucket = lake.removeprefix("s3://").split("/")[0]
        s3, found = client(self._server.endpoint), self._keys(bucket)
        for first in range(0, len(found), 1000):
            named = [{"Key": key} for key in found[first : first + 1000]]
            s3.delete_objects(Bucket=bucket, Delete={"Objects": named})
        s3.delete_bucket(Bucket=bucket)

    def env(self, landing: str, lake: str) -> dict[str, str]:
        there = environment(self.proxy.endpoint)
        return {**_settings(self._home, landing, lake), **there, **self.more}

    def releases(self, lake: str) -> list[bytes]:
        bucket = lake.removeprefix("s3://").split("/")[0]
        s3 = client(self._server.endpoint)
        wanted = [key for key in self._keys(bucket) if "/_releases/" in key]
        return [s3.get_object(Bucket=bucket, Key=key)["Body"].read() for key in wanted]

    def _keys(self, bucket: str) -> list[str]:
        pages = client(self._server.endpoint).get_paginator("list_objects_v2")
        found = [
            e["Key"] for page in pages.paginate(Bucket=bucket) for e in page.get("Contents", ())
        ]
        return sorted(found)


def in_each(scenes: Sequence[Of], work: Callable[[Of, threading.Event], None]) -> None:
    """Work in all scenes at once.

    Args:
        work: with a scene, and what is set when the work in another one has failed.

    Raises:
        BaseException: what the work in a scene raised, the first of them in their order.
    """
    stop = threading.Event()

    def guarded(scene: Of) -> None:
        try:
            work(scene, stop)
        except BaseException:
            stop.set()
            raise

    with ThreadPoolExecutor(len(scenes)) as pool:
        for done in [pool.submit(guarded, scene) for scene in scenes]:
            done.result()


@contextmanager
def bucket_scenes(folder: Path, number: int) -> Iterator[list[BucketScene]]:
    """Scenes on one server, each with a proxy and a zygote of its own.

    What one of them has made, the others can copy and read.
    """
    with ExitStack() as stack:
        server = stack.enter_context(start(MINISTACK))
        scenes = []
        for one in (folder / str(n) for n in range(number)):
            proxy = stack.enter_context(Proxy.start(server))
            zygote = stack.enter_context(Zygote(one / "processes"))
            scenes.append(BucketScene(one, zygote, server, proxy))
        yield scenes


@contextmanager
def folder_scenes(
    folder: Path, number: int, env: dict[str, str] | None = None
) -> Iterator[list[FolderScene]]:
    """Scenes with a zygote each; `env`: what these begin with."""
    with ExitStack() as stack:
        yield [
            FolderScene(one, stack.enter_context(Zygote(one / "processes", env)))
            for one in (folder / str(n) for n in range(number))
        ]


@contextmanager
def bucket_scene(folder: Path) -> Iterator[BucketScene]:
    """A single one, as `bucket_scenes`."""
    with bucket_scenes(folder, 1) as [scene]:
        yield scene


@contextmanager
def folder_scene(folder: Path, env: dict[str, str] | None = None) -> Iterator[FolderScene]:
    """A single one, as `folder_scenes`."""
    with folder_scenes(folder, 1, env) as [scene]:
        yield scene
