"""With everything that can be turned up turned up, keys and tokens are still nowhere."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sparkify_assets.settings import EMBEDDED
from sparkify_assets_tests.s3.proxy import Proxy
from sparkify_assets_tests.s3.secret_run import (
    MARK,
    check_nowhere,
    holding,
    run,
)

LOUD = {
    "RUST_LOG": "trace",
    "RUST_BACKTRACE": "full",
    "PYTHONFAULTHANDLER": "1",
    "ARROW_S3_LOG_LEVEL": "TRACE",
    "AWS_LOG_LEVEL": "trace",
    "GRPC_VERBOSITY": "debug",
}
# What Dagster stores with the run then, botocore's signed headers among it.
INSTANCE = """
python_logs:
  python_log_level: DEBUG
  managed_python_loggers: [root, botocore.auth, botocore.endpoint, urllib3]
"""


@pytest.mark.engines
@pytest.mark.parametrize("source", ["environment"], indirect=True)
def test_a_loud_run_shows_and_keeps_no_secret(
    on_moto: Proxy, source: str, engine: str, tmp_path: Path
) -> None:
    """On Apache Spark it takes minutes, so it is done once there."""
    check_loud(on_moto, source, engine, "", tmp_path)


@pytest.mark.parametrize("source", ["dl.cfg"], indirect=True)
def test_nor_does_one_with_keys_of_a_file(
    on_moto: Proxy, source: str, engine: str, tmp_path: Path
) -> None:
    check_loud(on_moto, source, engine, "", tmp_path)


def test_nor_does_one_that_is_refused(
    on_moto: Proxy, source: str, engine: str, tmp_path: Path
) -> None:
    check_loud(on_moto, source, engine, "PUT .*/raw_logs/.*parquet", tmp_path)


def check_loud(proxy: Proxy, source: str, engine: str, fault: str, tmp_path: Path) -> None:
    events = tmp_path / "events"
    events.mkdir()
    conf = {
        "spark.log.level": "ALL",
        "spark.eventLog.enabled": "true",
        "spark.eventLog.compress": "false",  # what is compressed cannot be searched
        "spark.eventLog.dir": events.as_uri(),
    }
    more = {} if engine == EMBEDDED else {"SPARKIFY_SPARK_CONF": json.dumps(conf)}
    done = run(proxy, tmp_path, engine, fault, INSTANCE, **LOUD, **more)
    assert done.code == (1 if fault else 0), done.shown[-3000:]
    assert "[DEBUG]" not in done.shown, "Arrow's client tells headers there"
    if engine != EMBEDDED:
        assert holding(events, "spark.hadoop.fs.s3a.endpoint"), "Spark's settings are told there"
        assert not holding(events, MARK)
    check_nowhere(done, source, engine)
