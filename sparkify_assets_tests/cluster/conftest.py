"""Fixtures: an S3 server behind a proxy, the real input in a bucket, a standalone cluster."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import chdir
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sparkify_assets_tests import processes
from sparkify_assets_tests.cluster.machines import Standalone
from sparkify_assets_tests.s3.fixtures import environment, new_bucket
from sparkify_assets_tests.s3.proxy import Proxy
from sparkify_assets_tests.s3.servers import ACCESS_KEY, SECRET_KEY, Server, upload

# What a machine of a cluster has of its own; where the server is comes with the session.
KEYS = {"AWS_ACCESS_KEY_ID": ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": SECRET_KEY}


@dataclass(frozen=True)
class Buckets:
    """A landing zone with the real input, and a place for lakes."""

    proxy: Proxy
    landing: str
    bucket: str

    def lake(self, name: str) -> str:
        """Where a lake of this name is, or is to be."""
        return f"s3://{self.bucket}/{name}"


@pytest.fixture(scope="session")
def standalone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Standalone]:
    """A master; `two_workers` sees to it that there are some."""
    with Standalone(tmp_path_factory.mktemp("standalone"), KEYS) as cluster:
        yield cluster


@pytest.fixture
def two_workers(standalone: Standalone) -> Standalone:
    """The cluster with two workers of one core each."""
    while len(standalone.workers) < 2:
        standalone.add_worker()
    return standalone


@pytest.fixture
def buckets(on_moto: Proxy, real_data: Path, moto_server: Server) -> Buckets:
    """The real input in a bucket of this test."""
    landing, lake = new_bucket(moto_server), new_bucket(moto_server)
    upload(moto_server.endpoint, real_data, landing, "sparkify")
    return Buckets(on_moto, f"s3://{landing}/sparkify", lake)


@pytest.fixture(scope="session")
def expected(
    real_data: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, list[tuple[Any, ...]]]:
    """The tables that the embedded engine makes of the real input."""
    lake = tmp_path_factory.mktemp("embedded") / "lake"
    with chdir(lake.parent):  # nobody's .env
        processes.run(real_data, lake)
    return processes.tables(lake)


__all__ = ["KEYS", "Buckets", "environment"]
