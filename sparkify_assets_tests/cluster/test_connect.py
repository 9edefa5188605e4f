"""Spark Connect: Apache Spark's server, and Sail's, each in another process."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sparkify_assets.storage.access import s3_access
from sparkify_assets.storage.s3a import s3a_settings
from sparkify_assets_tests import processes
from sparkify_assets_tests.cluster.conftest import KEYS, Buckets
from sparkify_assets_tests.cluster.machines import (
    Standalone,
    connect_server,
    free_port,
    sail_server,
)

pytestmark = pytest.mark.cluster


def test_a_connect_server_on_the_cluster(
    two_workers: Standalone, buckets: Buckets, expected: dict[str, list[Any]], tmp_path: Path
) -> None:
    port = free_port()
    # What its administrator gives it: S3A, and where the executors find the server.
    address = {
        f"spark.executorEnv.{name}": value
        for name, value in {
            "AWS_ENDPOINT_URL": buckets.proxy.endpoint, "AWS_REGION": s3_access().region,
        }.items()
    }  # fmt: skip
    conf = {
        **s3a_settings(s3_access()),
        **address,
        "spark.master": two_workers.url,
        "spark.executor.memory": "1g",
        "spark.ui.enabled": "false",
        "spark.connect.grpc.binding.address": "127.0.0.1",
        "spark.connect.grpc.binding.port": str(port),
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
    }
    with connect_server(tmp_path, KEYS, **conf):
        summary = processes.run(buckets.landing, buckets.lake("all"), f"sc://127.0.0.1:{port}")
        assert (summary["files_read"], summary["lines"]) == (101, 8127)
        assert processes.tables(buckets.lake("all")) == expected
        again = processes.run(buckets.landing, buckets.lake("all"), f"sc://127.0.0.1:{port}")
        assert (again["files_read"], again["changed"]) == (0, [])


def test_a_sail_server(buckets: Buckets, expected: dict[str, list[Any]], tmp_path: Path) -> None:
    port = free_port()
    with sail_server(tmp_path, port):
        summary = processes.run(buckets.landing, buckets.lake("all"), f"sc://127.0.0.1:{port}")
        assert (summary["files_read"], summary["lines"]) == (101, 8127)
        assert processes.tables(buckets.lake("all")) == expected
