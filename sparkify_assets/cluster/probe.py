"""The first thing that a session on other machines does: see whether their Python fits.

One task imports the project there and tells what it found. Without it the first real step would
fail with a traceback from a machine that nobody looks at.
"""

from __future__ import annotations

import json
import logging
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pyarrow as pa
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

from sparkify_assets.cluster.code import code_digest
from sparkify_assets.cluster.environment import NEEDED
from sparkify_assets.errors import EngineError

_REPORT = "report string"
_SECONDS_UNTIL_TOLD = 20
_log = logging.getLogger(__name__)


def look_around(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """For `mapInArrow`, on a worker: one row, as JSON, of the code and packages found there."""
    lacking = []
    for name in NEEDED:
        try:
            __import__(name)
        except ImportError as error:
            lacking.append(f"{name} ({error})")
    for _ in batches:
        found = {"code": code_digest(), "python": sys.version.split()[0], "lacking": lacking}
        yield pa.RecordBatch.from_pydict({"report": [json.dumps(found)]})


def check_workers(spark: SparkSession, engine: str) -> None:
    """Run one task on the workers.

    Raises:
        EngineError: it cannot be run there, or the project or a package is missing or another one.
    """
    try:
        with _waiting(engine):
            one = spark.createDataFrame(pa.table({"n": [1]}))
            [row] = one.mapInArrow(look_around, _REPORT).collect()
    except PySparkException as error:
        raise EngineError(
            f"SPARKIFY_ENGINE is {engine!r}: its workers cannot run the project's code "
            f"({_reason(error)}). {_WAY_OUT}"
        ) from error
    found = json.loads(row["report"])
    if found["lacking"]:
        raise EngineError(
            f"SPARKIFY_ENGINE is {engine!r}: the Python {found['python']} of its workers cannot "
            f"import {'; '.join(found['lacking'])}. {_WAY_OUT}"
        )
    if found["code"] != code_digest():
        raise EngineError(
            f"SPARKIFY_ENGINE is {engine!r}: its workers have another version of the project "
            f"(code {found['code']}, here {code_digest()}), which may write other rows. Install "
            "the same version there, or remove it where the code travels with the session"
        )


_WAY_OUT = (
    "Workers need the driver's version of Python and the packages of `sparkify pack`, which travel "
    "with the session unless SPARKIFY_WORKER_ENV=installed; a Sail server needs the project "
    "installed beside it (docs/clusters.md)"
)


def _reason(error: PySparkException) -> str:
    """The line that says what is wrong, of a text that may be of several tracebacks."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    told = [line for line in lines if "Error:" in line or "[PYTHON" in line or "Cannot run" in line]
    return (told or lines or [type(error).__name__])[-1][:400]


@contextmanager
def _waiting(engine: str) -> Iterator[None]:
    """Say so where no machine takes the task: Spark itself waits without a word."""
    told = threading.Timer(
        _SECONDS_UNTIL_TOLD,
        _log.warning,
        [
            "%s has run no task for %d s: it has no free workers, they cannot reach this machine, "
            "or their Python does not start. Its own page shows which; waiting",
            engine,
            _SECONDS_UNTIL_TOLD,
        ],
    )
    told.daemon = True
    told.start()
    try:
        yield
    finally:
        told.cancel()
