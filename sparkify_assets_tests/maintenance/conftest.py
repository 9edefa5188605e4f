"""Fixtures: a lake with upkeep, in a folder or a bucket."""

from __future__ import annotations

import pytest
from pyspark.sql import SparkSession

from sparkify_assets_tests.maintenance.bench import Bench
from sparkify_assets_tests.refresh.world import World


@pytest.fixture
def bench(world: World, spark: SparkSession) -> Bench:
    """A landing zone and a lake in folders."""
    return Bench(world, spark)


@pytest.fixture
def s3_bench(s3_world: World, spark: SparkSession) -> Bench:
    """A landing zone and a lake in buckets."""
    return Bench(s3_world, spark)
