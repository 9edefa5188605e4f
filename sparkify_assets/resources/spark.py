"""The Spark session, from the engine that the settings name.

One class for all engines; assets and the IO manager only ever see `spark_session`. The session
starts when it is first asked for and stops when the run ends.
"""

import os
import sys
from contextlib import nullcontext, suppress
from typing import Any, cast

import grpc
from dagster import InitResourceContext
from dagster_pyspark import LazyPySparkResource
from pydantic import Field, PrivateAttr
from pyspark import SparkConf
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

from sparkify_assets.cluster.probe import check_workers
from sparkify_assets.cluster.shipping import (
    AUTO,
    keep_to_our_code,
    ship,
    shipped,
    worker_python,
)
from sparkify_assets.cluster.sizes import Sizes, of_a_query, of_an_application
from sparkify_assets.errors import EngineError
from sparkify_assets.lake.frames import is_sail
from sparkify_assets.refresh.failures import reason_of
from sparkify_assets.resources.connect import check_reachable, connect, leave
from sparkify_assets.resources.java import check_java, start_java
from sparkify_assets.settings import EMBEDDED, is_here
from sparkify_assets.storage.access import s3_access
from sparkify_assets.storage.s3a import s3a_settings

_LOOPBACK = {"spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1"}
_SESSION = {"spark.sql.session.timeZone": "UTC"}
# Spark's own defaults, which a platform may have changed: a part that is gone or broken is an
# error, never fewer rows, and so is a value that does not fit.
_DEFAULTS = {
    "spark.sql.files.ignoreMissingFiles": "false",
    "spark.sql.files.ignoreCorruptFiles": "false",
    "spark.sql.ansi.enabled": "true",
}
_LEAST_SPARK = (4, 1)  # repartitionById


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
    executors: int | None = Field(
        default=None, description="Cluster: how many executors; None: what the cluster gives."
    )
    executor_cores: int | None = Field(
        default=None, description="Cluster: tasks that an executor runs at once."
    )
    executor_memory_gb: float | None = Field(
        default=None, description="Cluster: Java's memory of an executor, in GiB."
    )
    driver_memory_gb: float | None = Field(
        default=None, description="Apache Spark: Java's memory of the driver, in GiB."
    )
    shuffle_partitions: int | None = Field(
        default=None, description="Apache Spark: at least so many pieces of a shuffle."
    )
    worker_env: str = Field(
        default=AUTO,
        description="Cluster: packages for the workers: auto, installed, or an archive.",
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

    @property
    def elsewhere(self) -> bool:
        """Whether tasks run in processes that only a cluster or a server starts."""
        return self.engine != EMBEDDED and not self.engine.startswith("local")

    def teardown_after_execution(self, context: InitResourceContext) -> None:  # noqa: ARG002
        """Stop the session, and with it the embedded engine."""
        self.stop()

    def stop(self) -> None:
        """Stop the session if there is one; the next use starts another."""
        session, server = self._spark_session, self._server
        self._spark_session = self._server = None
        try:
            if session is not None:
                leave(session)  # first: it says goodbye to the server
        finally:
            if server is not None:
                server.stop()

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
            self._configure(self._spark_session)
        except BaseException:
            with suppress(Exception):  # what stops no more must not hide the reason
                self.stop()  # another try must not find a session without its settings
            raise

    def _configure(self, spark: SparkSession) -> None:
        server = self.engine.startswith("sc://")
        if server:
            self._check_version(spark.version)
        # A classic session got its settings when it was made.
        remote = server or self.engine == EMBEDDED
        settings = {**_SESSION, **_DEFAULTS, **self.spark_config} if remote else _SESSION
        # Sail's Python is that of its server, and takes nothing along.
        if server and not is_sail(spark):
            settings = {**of_a_query(self._sizes, local=False), **settings}
            try:
                ship(spark, self.worker_env)
            except (PySparkException, grpc.RpcError, OSError) as error:
                raise EngineError(
                    f"SPARKIFY_ENGINE is {self.engine!r}: the server takes no code or packages "
                    f"({reason_of(error)}). Have them installed there and set "
                    "SPARKIFY_WORKER_ENV=installed, or see docs/clusters.md"
                ) from error
        for name, value in settings.items():
            spark.conf.set(name, value)
        if self.elsewhere:
            check_workers(spark, self.engine)

    def _check_version(self, found: str) -> None:
        if tuple(int(part) for part in found.split(".")[:2]) < _LEAST_SPARK:
            raise EngineError(
                f"SPARKIFY_ENGINE is {self.engine!r}: its Spark is {found}, and the project needs "
                f"{'.'.join(map(str, _LEAST_SPARK))} or newer; name another server"
            )

    def _embedded(self) -> SparkSession:
        # Read by the server when it starts; a pool without a bound would not spill.
        memory = self.memory_gb or _machine_memory_gb() / 2
        os.environ.setdefault("RUST_LOG", "error")
        os.environ.setdefault("SAIL_RUNTIME__MEMORY_POOL__TYPE", "fair")
        os.environ.setdefault(
            "SAIL_RUNTIME__MEMORY_POOL__FAIR__MAX_SIZE", str(int(memory * (1 << 30)))
        )
        from pysail.spark import SparkConnectServer

        server = SparkConnectServer(ip="127.0.0.1", port=0)
        server.start(background=True)
        self._server = server  # one that did not start cannot be stopped
        host, port = server.listening_address
        return connect(f"sc://{host}:{port}", here=True)

    def _classic(self) -> SparkSession:
        check_java(self.engine)
        if self.engine.startswith("spark://"):
            check_reachable(self.engine)
        local = self.engine.startswith("local")
        here = local or is_here(self.engine)
        if local:
            os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
        if here:
            os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
        settings = {
            "spark.app.name": "sparkify",
            "spark.ui.enabled": "false",
            "spark.ui.showConsoleProgress": "false",
            "spark.log.level": "ERROR",
            **_SESSION,
            **_DEFAULTS,
            **of_a_query(self._sizes, local=local),
            **of_an_application(self._sizes, self.engine),
            # One that works on this machine alone serves nobody else.
            **(_LOOPBACK if here else {}),
            **(s3a_settings(s3_access()) if self.on_s3 else {}),
            **({} if local else shipped(self.worker_env)),
            **self.spark_config,
        }
        conf = SparkConf().setMaster(self.engine).setAll(list(settings.items()))
        with nullcontext() if local else worker_python(self.worker_env):
            if self.on_s3:
                start_java(conf)
            spark = SparkSession.builder.config(conf=conf).getOrCreate()
        if not local:
            keep_to_our_code()
        return spark

    @property
    def _sizes(self) -> Sizes:
        return Sizes(
            self.executors,
            self.executor_cores,
            self.executor_memory_gb,
            self.driver_memory_gb,
            self.shuffle_partitions,
        )


def _machine_memory_gb() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / (1 << 30)
