"""Spark Connect to a server in another process: what such an engine is asked for, it delivers."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sparkify_assets_tests import processes
from sparkify_assets_tests.processes import tables
from sparkify_assets_tests.zone import Zone, event


@pytest.fixture
def sail_server() -> Iterator[str]:
    """The address of a Sail server."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [str(Path(sys.executable).with_name("sail")), "spark", "server"]
    process = subprocess.Popen(
        [*command, "--ip", "127.0.0.1", "--port", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        for _ in range(100):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.2)
        yield f"sc://127.0.0.1:{port}"
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(30)


def test_a_sail_server_gives_the_same_tables(sail_server: str, zone: Zone, tmp_path: Path) -> None:
    zone.logs("log_data/2018-11-05-events.json", event(), event(itemInSession=1, song="x"))
    zone.song()
    one, other = tmp_path / "connect", tmp_path / "embedded"
    summary = processes.run(zone.root, one, sail_server)
    assert summary["rows"]["songplays"] == 2
    processes.run(zone.root, other)
    assert tables(one) == tables(other)
