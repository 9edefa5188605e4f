"""How code and packages get to the workers, by the kind of session.

A classic session names them in its settings, and the driver hands them to each executor. Spark
Connect takes them as artifacts of the session: several versions can be at work on one server.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from pyspark.sql import SparkSession

from sparkify_assets.cluster.code import packed_code
from sparkify_assets.cluster.environment import FOLDER, PYTHON, cached_environment
from sparkify_assets.storage.access import s3_access

AUTO = "auto"
INSTALLED = "installed"
_PYTHON = "PYSPARK_PYTHON"


def shipped(worker_env: str) -> dict[str, str]:
    """Settings of a classic session by which its executors get all that the tasks need.

    Args:
        worker_env: AUTO: the packages of this environment, unless PYSPARK_PYTHON names a Python of
            the workers; INSTALLED: they have them, there or in `python3`; or an archive of
            `sparkify pack`.
    """
    settings = {"spark.submit.pyFiles": str(packed_code())}
    for name, value in _address().items():
        settings[f"spark.executorEnv.{name}"] = value
    if archive := _archive(worker_env):
        settings["spark.archives"] = f"{archive}#{FOLDER}"
    return settings


def _address() -> dict[str, str]:
    """Where requests to S3 go, as this process found it: not every machine finds the same.

    That is no secret. With which keys, every machine finds out for itself.
    """
    access = s3_access()
    return {
        "AWS_REGION": access.region,
        "SPARKIFY_S3_STYLE": "path" if access.path_style else "virtual",
        **({"AWS_ENDPOINT_URL": access.endpoint} if access.endpoint else {}),
    }


@contextmanager
def worker_python(worker_env: str) -> Iterator[None]:
    """While a classic session is made, the workers' Python is where PySpark looks for it."""
    if _archive(worker_env) is None:
        yield
        return
    before = os.environ.get(_PYTHON)
    os.environ[_PYTHON] = PYTHON
    try:
        yield
    finally:
        if before is None:
            del os.environ[_PYTHON]
        else:
            os.environ[_PYTHON] = before


def keep_to_our_code() -> None:
    """Take the packed code from this process's own path, where PySpark put it.

    It has no SQL, templates or other files, which are to be found beside the modules.
    """
    name = packed_code().name
    sys.path[:] = [path for path in sys.path if not path.endswith(name)]


def ship(spark: SparkSession, worker_env: str) -> None:
    """Give them to a Connect session; its server must be Apache Spark's."""
    spark.addArtifacts(str(packed_code()), pyfile=True)
    keep_to_our_code()
    if archive := _archive(worker_env):
        spark.addArtifacts(f"{archive}#{FOLDER}", archive=True)
        spark.conf.set(_SESSION_PYTHON, PYTHON)
    elif chosen := os.environ.get(_PYTHON):
        spark.conf.set(_SESSION_PYTHON, chosen)


_SESSION_PYTHON = "spark.sql.execution.pyspark.python"


def _archive(worker_env: str) -> str | None:
    # Whoever names a Python of the workers means one that has all.
    if worker_env == INSTALLED or (worker_env == AUTO and _PYTHON in os.environ):
        return None
    return str(cached_environment()) if worker_env == AUTO else worker_env
