"""The fixtures that start an S3-compatible server, one of each kind for the whole test run."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sparkify_assets_tests.s3.servers import MINISTACK, MOTO, Server, start


@pytest.fixture(scope="session")
def moto_server() -> Iterator[Server]:
    """A moto server; tests share it, so each makes a bucket of its own."""
    with start(MOTO) as server:
        yield server


@pytest.fixture(scope="session")
def ministack_server() -> Iterator[Server]:
    """A ministack server; tests share it, so each makes a bucket of its own."""
    with start(MINISTACK) as server:
        yield server
