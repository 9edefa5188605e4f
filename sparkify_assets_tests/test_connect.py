"""Spark Connect to a server in another process: what such an engine is asked for, it delivers.

Folders here; `cluster` has the same in buckets, and Apache Spark's server.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import grpc._common
import pytest
from pyspark.errors.exceptions.connect import SparkConnectGrpcException
from pyspark.sql import SparkSession

from sparkify_assets.resources.spark import SparkResource
from sparkify_assets_tests import processes
from sparkify_assets_tests.cluster.machines import free_port, sail_server
from sparkify_assets_tests.processes import tables
from sparkify_assets_tests.wire import Wire
from sparkify_assets_tests.zone import Zone, event


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """The address of a Sail server."""
    port = free_port()
    with sail_server(tmp_path, port):
        yield f"sc://127.0.0.1:{port}"


@pytest.fixture
def wire(server: str) -> Iterator[Wire]:
    """Somebody between the client and a Sail server."""
    with Wire(urlsplit(server).port or 0) as wire:
        yield wire


@pytest.fixture
def session(wire: Wire) -> Iterator[SparkSession]:
    """A session of the project's own with that server."""
    resource = SparkResource(engine=f"sc://127.0.0.1:{wire.port}")
    yield resource.session
    resource.stop()


def test_a_sail_server_gives_the_same_tables(server: str, zone: Zone, tmp_path: Path) -> None:
    zone.logs("log_data/2018-11-05-events.json", event(), event(itemInSession=1, song="x"))
    zone.song()
    one, other = tmp_path / "connect", tmp_path / "embedded"
    summary = processes.run(zone.root, one, server)
    assert summary["rows"]["songplays"] == 2
    processes.run(zone.root, other)
    assert tables(one) == tables(other)


class Unreadable:
    """Answers that the client cannot read, as gRPC handles them."""

    def __init__(self) -> None:
        self._read = grpc._common.deserialize
        self._kind = ""
        self._good = self._bad = 0
        self.met = 0

    def of(self, kind: str, *, good: int = 0, bad: int = 1) -> None:
        """From now on, so many of a kind are read and so many then are not."""
        self._kind, self._good, self._bad = kind, good, bad
        self.met = 0

    def deserialize(self, message: bytes, parse: Callable[[bytes], Any] | None) -> Any:
        """In place of gRPC's."""
        found = self._read(message, parse)
        if type(found).__name__ != self._kind:
            return found
        if self._good > 0:
            self._good -= 1
            return found
        if self._bad > 0:
            self._bad -= 1
            self.met += 1
            return None
        return found


@pytest.fixture
def unreadable(monkeypatch: pytest.MonkeyPatch) -> Unreadable:
    """None yet."""
    unreadable = Unreadable()
    monkeypatch.setattr(grpc._common, "deserialize", unreadable.deserialize)
    return unreadable


def test_an_analysis_that_could_not_be_read_is_asked_for_again(
    session: SparkSession, unreadable: Unreadable
) -> None:
    unreadable.of("AnalyzePlanResponse")
    assert session.range(3).columns == ["id"]
    assert unreadable.met == 1
    unreadable.of("AnalyzePlanResponse", bad=100)
    with (
        pytest.warns(UserWarning, match="RETRIES_EXCEEDED"),
        pytest.raises(SparkConnectGrpcException, match="deserializing response"),
    ):
        _ = session.range(4).columns
    assert unreadable.met == 4


def test_rows_that_could_not_be_read_are_not_continued(
    session: SparkSession, unreadable: Unreadable
) -> None:
    for good in range(4):
        unreadable.of("ExecutePlanResponse", good=good)
        with pytest.raises(SparkConnectGrpcException, match="deserializing response"):
            session.range(200_000, numPartitions=4).toArrow()
        assert unreadable.met == 1
    assert session.range(200_000, numPartitions=4).toArrow().num_rows == 200_000


def test_rows_whose_connection_is_lost_to_one_side_are_not_continued(
    session: SparkSession, wire: Wire
) -> None:
    """Sail continues such ones, and leaves out what it had under way."""
    for number in range(10_000, 400_000, 60_000):
        wire.lose_after(number)
        with pytest.raises(SparkConnectGrpcException, match="UNAVAILABLE"):
            session.range(200_000, numPartitions=4).selectExpr("id", "id AS other").toArrow()
    assert wire.lost == 7
    assert session.range(200_000, numPartitions=4).toArrow().num_rows == 200_000


@pytest.mark.parametrize("number", [6_000, 20_000])
def test_a_run_gets_over_a_connection_that_is_lost_to_one_side(
    wire: Wire, zone: Zone, tmp_path: Path, number: int
) -> None:
    zone.logs("log_data/2018-11-05-events.json", event(), event(itemInSession=1, song="x"))
    zone.song()
    one, other = tmp_path / "connect", tmp_path / "embedded"
    wire.lose_after(number)
    processes.run(zone.root, one, f"sc://127.0.0.1:{wire.port}")
    assert wire.lost == 1
    processes.run(zone.root, other)
    assert tables(one) == tables(other)
