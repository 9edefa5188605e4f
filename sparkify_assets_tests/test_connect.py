"""Spark Connect to a server in another process: what such an engine is asked for, it delivers.

Folders here; `cluster` has the same in buckets, and Apache Spark's server.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from pyspark.errors.exceptions.connect import SparkConnectGrpcException
from pyspark.sql import SparkSession
from pyspark.sql.connect.client.retries import DefaultPolicy
from pyspark.sql.connect.conf import RuntimeConf

from sparkify_assets.resources.connect import UNCOMPRESSED, connect, leave
from sparkify_assets.resources.spark import SparkResource
from sparkify_assets_tests import processes
from sparkify_assets_tests.cluster.machines import free_port, sail_server
from sparkify_assets_tests.processes import tables
from sparkify_assets_tests.wire import Wire
from sparkify_assets_tests.zone import Zone, event

GZIP = b"\x1f\x8b\x08"  # how each compressed answer begins


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a Sail server."""
    port = free_port()
    with sail_server(tmp_path_factory.mktemp("sail"), port):
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
    try:
        yield resource.session
    finally:
        resource.stop()


def test_a_sail_server_gives_the_same_tables(server: str, zone: Zone, tmp_path: Path) -> None:
    zone.logs("log_data/2018-11-05-events.json", event(), event(itemInSession=1, song="x"))
    zone.song()
    one, other = tmp_path / "connect", tmp_path / "embedded"
    summary = processes.run(zone.root, one, server)
    assert summary["rows"]["songplays"] == 2
    processes.run(zone.root, other)
    assert tables(one) == tables(other)


def test_answers_come_uncompressed(session: SparkSession, wire: Wire) -> None:
    """A compressed one is now and then handed to the client as it came."""
    assert session.range(3).columns == ["id"]
    assert session.range(1_000).toArrow().num_rows == 1_000
    assert len(wire.answered) > 8_000
    assert GZIP not in wire.answered
    compressed = SparkSession.builder.remote(f"sc://127.0.0.1:{wire.port}").create()
    try:
        assert compressed.range(3).columns == ["id"]
        assert GZIP in wire.answered  # or the server has stopped doing so, and nothing was shown
    finally:
        leave(compressed)


@pytest.mark.parametrize("number", range(100_000, 3_000_000, 400_000))
def test_rows_whose_connection_is_lost_to_one_side_are_not_continued(
    session: SparkSession, wire: Wire, number: int
) -> None:
    """Sail continues such ones, and leaves out what it had under way."""
    rows = session.range(200_000, numPartitions=4).selectExpr("id", "id AS other")
    wire.lose_after(number)
    with pytest.raises(SparkConnectGrpcException, match="UNAVAILABLE"):
        rows.toArrow()
    assert wire.lost == 1


def test_a_run_that_loses_its_connection_says_so_and_the_next_one_mends_it(
    wire: Wire, zone: Zone, tmp_path: Path
) -> None:
    zone.logs(
        "log_data/2018-11-05-events.json",
        *[event(itemInSession=item, song=f"x{item}") for item in range(200)],
    )
    zone.song()
    one, other = tmp_path / "connect", tmp_path / "embedded"
    wire.lose_after(_BYTES_OF_SOME_STEPS)
    code, error = _run(zone, one, wire)
    assert wire.lost == 1
    assert code == 1
    assert "the connection to the engine broke" in error
    assert "start the run again" in error
    assert "Traceback" not in error
    processes.run(zone.root, one, f"sc://127.0.0.1:{wire.port}")
    processes.run(zone.root, other)
    assert tables(one) == tables(other)


def test_a_server_that_is_gone_is_not_waited_for(wire: Wire, zone: Zone, tmp_path: Path) -> None:
    """PySpark's client would, for ten minutes and at each step."""
    zone.logs("log_data/2018-11-05-events.json", event())
    wire.lose_after(_BYTES_OF_SOME_STEPS, for_good=True)
    code, error = _run(zone, tmp_path / "lake", wire)
    assert wire.lost == 1
    assert code == 1
    assert "see that the server runs" in error


# More than the first session takes to begin, and less than a run: it is lost within a step.
_BYTES_OF_SOME_STEPS = 12_000


def _run(zone: Zone, lake: Path, wire: Wire) -> tuple[int, str]:
    """The exit code of `sparkify run`, and what it said."""
    run = processes.start(
        "run", "--landing", str(zone.root), "--lake", str(lake),
        "--engine", f"sc://127.0.0.1:{wire.port}",
    )  # fmt: skip
    try:
        _, error = run.communicate(timeout=120)
    finally:
        if run.poll() is None:
            os.killpg(run.pid, signal.SIGKILL)
    return run.returncode, error


def test_sail_is_asked_nothing_twice_and_for_nothing_compressed() -> None:
    resource = SparkResource()
    try:
        client = resource.session.client
        assert client.get_retry_policies() == []
        assert UNCOMPRESSED in client._builder._channel_options
    finally:
        resource.stop()


def test_apache_spark_is_asked_again_as_pyspark_does(
    wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sparkify_assets.resources.connect.is_sail", lambda _session: False)
    session = connect(f"sc://127.0.0.1:{wire.port}")
    try:
        (policy,) = session.client.get_retry_policies()
        assert type(policy) is DefaultPolicy
    finally:
        leave(session)


def test_a_session_that_could_not_be_set_up_is_not_kept(
    wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    resource = SparkResource(
        engine=f"sc://127.0.0.1:{wire.port}", spark_config={"spark.sql.ansi.enabled": "false"}
    )
    try:
        with monkeypatch.context() as broken:

            def refuse(*_given: object) -> None:
                raise SparkConnectGrpcException("no")

            broken.setattr(RuntimeConf, "set", refuse)
            with pytest.raises(SparkConnectGrpcException):
                _ = resource.session
        assert resource.session.conf.get("spark.sql.ansi.enabled") == "false"
    finally:
        resource.stop()
