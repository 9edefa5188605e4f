"""The Spark session, from the engine that the settings name.

One class for all engines; assets and the IO manager only ever see `spark_session`. The session
starts when it is first asked for and stops when the run ends.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from typing import Any, cast

from dagster import InitResourceContext
from dagster_pyspark import LazyPySparkResource
from pydantic import Field, PrivateAttr
from pyspark import SparkConf, SparkContext
from pyspark.errors import PySparkRuntimeError
from pyspark.java_gateway import launch_gateway
from pyspark.sql import SparkSession

from sparkify_assets.errors import EngineError
from sparkify_assets.resources.connect import check_reachable, connect
from sparkify_assets.settings import EMBEDDED
from sparkify_assets.storage.access import s3_access
from sparkify_assets.storage.s3a import s3a_settings

_LEAST_JAVA = 17
_LOOPBACK = {"spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1"}
_SESSION = {"spark.sql.session.timeZone": "UTC"}


class SparkResource(LazyPySparkResource):
    """A Spark session: Sail in this process, Apache Spark by its master, or Spark Connect."""

    engine: str = Field(
        default=EMBEDDED,
        description="embedded, a Spark master (local[*], spark://…, yarn, k8s://…) or a Spark "
        "Connect address (sc://…).",
    )
    memory_gb: float | None = Field(
        default=None, description="Embedded engine: memory before it spills to disk, in GiB."
    )
    spark_config: dict[str, Any] = Field(  # as in the class above, with a default
        default_factory=dict, description="More settings for the session."
    )
    on_s3: bool = Field(
        default=False, description="Whether the lake is in a bucket: Apache Spark then needs S3A."
    )
    _server: Any = PrivateAttr(default=None)

    @property
    def session(self) -> SparkSession:
        """The session, started when this is first asked for.

        Raises:
            EngineError: the engine cannot start; the message names the way out.
        """
        return cast("SparkSession", self.spark_session)

    def teardown_after_execution(self, context: InitResourceContext) -> None:  # noqa: ARG002
        """Stop the session, and with it the embedded engine."""
        self.stop()

    def stop(self) -> None:
        """Stop the session if there is one; the next use starts another."""
        # The session first: it cannot say goodbye to a server that is gone, and would try long.
        if self._spark_session is not None:
            self._spark_session.stop()
            self._spark_session = None
        if self._server is not None:
            self._server.stop()
            self._server = None

    def _init_session(self) -> None:
        if self._spark_session is not None:
            return
        try:
            if self.engine == EMBEDDED:
                self._spark_session = self._embedded()
            elif self.engine.startswith("sc://"):
                check_reachable(self.engine)
                self._spark_session = connect(self.engine)
            else:
                self._spark_session = self._classic()
            # A classic session got its settings when it was made.
            remote = self.engine == EMBEDDED or self.engine.startswith("sc://")
            settings = {**_SESSION, **self.spark_config} if remote else _SESSION
            for name, value in settings.items():
                self._spark_session.conf.set(name, value)
        except BaseException:
            self.stop()  # another try must not find one without its settings
            raise

    def _embedded(self) -> SparkSession:
        # Read by the server when it starts; a pool without a bound would not spill.
        memory = self.memory_gb or _machine_memory_gb() / 2
        os.environ.setdefault("RUST_LOG", "error")
        os.environ.setdefault("SAIL_RUNTIME__MEMORY_POOL__TYPE", "fair")
        os.environ.setdefault(
            "SAIL_RUNTIME__MEMORY_POOL__FAIR__MAX_SIZE", str(int(memory * (1 << 30)))
        )
        from pysail.spark import SparkConnectServer

        self._server = SparkConnectServer(ip="127.0.0.1", port=0)
        self._server.start(background=True)
        host, port = self._server.listening_address
        return connect(f"sc://{host}:{port}")

    def _classic(self) -> SparkSession:
        check_java(self.engine)
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
        if self.engine.startswith("local"):
            os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
        settings = {
            "spark.app.name": "sparkify",
            "spark.ui.enabled": "false",
            "spark.ui.showConsoleProgress": "false",
            "spark.log.level": "ERROR",
            "spark.sql.shuffle.partitions": "8",
            **_SESSION,
            # A local Spark serves nobody but this machine.
            **(_LOOPBACK if self.engine.startswith("local") else {}),
            **(s3a_settings(s3_access()) if self.on_s3 else {}),
            **self.spark_config,
        }
        conf = SparkConf().setMaster(self.engine).setAll(list(settings.items()))
        if self.on_s3:
            _start_java(conf)
        return SparkSession.builder.config(conf=conf).getOrCreate()


def _start_java(conf: SparkConf) -> None:
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


def _machine_memory_gb() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / (1 << 30)
