"""Spark Connect to a server in another process: what such an engine is asked for, it delivers.

Folders here; `cluster` has the same in buckets, and Apache Spark's server.
"""

from __future__ import annotations

from pathlib import Path

from sparkify_assets_tests import processes
from sparkify_assets_tests.cluster.machines import free_port, sail_server
from sparkify_assets_tests.processes import tables
from sparkify_assets_tests.zone import Zone, event


def test_a_sail_server_gives_the_same_tables(zone: Zone, tmp_path: Path) -> None:
    zone.logs("log_data/2018-11-05-events.json", event(), event(itemInSession=1, song="x"))
    zone.song()
    one, other = tmp_path / "connect", tmp_path / "embedded"
    port = free_port()
    with sail_server(tmp_path, port):
        summary = processes.run(zone.root, one, f"sc://127.0.0.1:{port}")
    assert summary["rows"]["songplays"] == 2
    processes.run(zone.root, other)
    assert tables(one) == tables(other)
