"""Java, which Apache Spark runs on where this process is its driver.

Nothing but a classic session needs it: neither the embedded engine nor Spark Connect.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile

from pyspark import SparkConf, SparkContext
from pyspark.errors import PySparkRuntimeError
from pyspark.java_gateway import launch_gateway

from sparkify_assets.errors import EngineError

_LEAST_JAVA = 17


def start_java(conf: SparkConf) -> None:
    """Start Java with its packages; hundreds of lines about these go to a file.

    Raises:
        EngineError: it did not start, mostly because a package cannot be found.
    """
    if SparkContext._gateway is not None:  # this process has one already
        return
    with tempfile.NamedTemporaryFile("w+b", prefix="sparkify-spark-", suffix=".log") as log:
        try:
            gateway = launch_gateway(conf, {"stderr": log})  # type: ignore[no-untyped-call]
        except PySparkRuntimeError as error:
            log.seek(0)
            said = log.read().decode(errors="replace").strip().splitlines()
            reasons = [line.strip() for line in said if "not found" in line or "rror" in line]
            raise EngineError(
                "Apache Spark did not start with its packages for S3 ("
                f"{'; '.join(reasons[-3:]) or error}). They come from Maven Central; name another "
                "repository or folder in SPARKIFY_SPARK_CONF (spark.jars.repositories, "
                "spark.jars.ivySettings or spark.jars), or set SPARKIFY_ENGINE=embedded"
            ) from None
    SparkContext._ensure_initialized(gateway=gateway)


def check_java(engine: str) -> None:
    """Raise EngineError where Apache Spark has no Java to run on."""
    version = java_version()
    if version is None or version < _LEAST_JAVA:
        found = "no Java was found" if version is None else f"Java {version} was found"
        raise EngineError(
            f"SPARKIFY_ENGINE is {engine!r}: Apache Spark needs Java {_LEAST_JAVA} or newer, and "
            f"{found}. Install it (and set JAVA_HOME), or set SPARKIFY_ENGINE=embedded, which "
            "needs no Java"
        )


def java_version() -> int | None:
    """The major version of the Java that Spark would use, None where there is none."""
    home = os.environ.get("JAVA_HOME")
    java = f"{home}/bin/java" if home else shutil.which("java")
    if java is None:
        return None
    try:
        done = subprocess.run([java, "-version"], capture_output=True, text=True, check=True)  # noqa: S603
    except (OSError, subprocess.CalledProcessError):
        return None
    found = re.search(r'version "(?:1\.)?(\d+)', done.stderr)
    return int(found.group(1)) if found else None
