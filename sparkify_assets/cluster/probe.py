"""The first thing that a session on other machines does: see whether their Python fits.

One task imports the project there and tells what it found. Without it the first real step would
fail with a traceback from a machine that nobody looks at.
"""

from __future__ import annotations

import json
import logging
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pyarrow as pa
from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

from sparkify_assets.cluster.code import code_digest
from sparkify_assets.cluster.worker import look_around
from sparkify_assets.errors import EngineError
from sparkify_assets.lake.parts import REPORT_SCHEMA
from sparkify_assets.refresh.failures import reason_of

_SECONDS_UNTIL_TOLD = 20
_log = logging.getLogger(__name__)


def check_workers(spark: SparkSession, engine: str) -> None:
    """Run one task on the workers.

    Raises:
        EngineError: it cannot be run there, or the project or a package is missing or another one.
    """
    try:
        with _waiting(engine):
            one = spark.createDataFrame(pa.table({"n": [1]}))
            [row] = one.mapInArrow(look_around, REPORT_SCHEMA).collect()
    except (PySparkException, Py4JJavaError) as error:  # a job's end is one of Java's own
        raise EngineError(
            f"SPARKIFY_ENGINE is {engine!r}: its workers cannot run the project's code "
            f"({reason_of(error)}). {_way_out()}"
        ) from error
    found = json.loads(row["report"])
    if found["lacking"]:
        raise EngineError(
            f"SPARKIFY_ENGINE is {engine!r}: the Python {found['python']} of its workers cannot "
            f"import {'; '.join(found['lacking'])}. {_way_out()}"
        )
    if found["code"] != code_digest():
        raise EngineError(
            f"SPARKIFY_ENGINE is {engine!r}: its workers have another version of the project "
            f"(code {found['code']}, here {code_digest()}), which may write other rows. Install "
            "the same version there, or remove it where the code travels with the session"
        )


def _way_out() -> str:
    chosen = os.environ.get("PYSPARK_PYTHON")
    found = f", as PYSPARK_PYTHON={chosen} is set here" if chosen else ""
    return (
        "Workers need the driver's version of Python and the packages of `sparkify pack`, which "
        "travel with the session unless SPARKIFY_WORKER_ENV=installed or PYSPARK_PYTHON says that "
        f"they are there{found}; a Sail server needs the project installed beside it "
        "(docs/clusters.md)"
    )


@contextmanager
def _waiting(engine: str) -> Iterator[None]:
    """Say so where no machine takes the task: Spark itself waits without a word."""
    told = threading.Timer(
        _SECONDS_UNTIL_TOLD,
        _log.warning,
        [
            "%s has run no task for %d s: it has no free workers, none with the memory or cores "
            "that an executor asks for (SPARKIFY_EXECUTOR_MEMORY_GB, SPARKIFY_EXECUTOR_CORES), "
            "they cannot reach this machine, or their Python does not start. The cluster's own "
            "page shows which; waiting",
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
