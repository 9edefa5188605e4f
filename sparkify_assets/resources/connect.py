"""Sessions of Spark Connect: with the embedded engine, and with a server elsewhere.

PySpark's client is left as it is but for two things, without which answers get lost:

- Answers come uncompressed. gRPC's core now and then hands a compressed one over as it came (once
  in some 50,000 calls, where processes compete for the processor); the client then takes it for
  none of its type.
- Sail's rows are not continued where their connection broke. Sail gives up what it had under way
  when it is asked to, so that rows are missing and nobody is told: of ten connections that were
  lost to one side only, three lost 4 to 10 % of the rows. The plan fails instead. Where a stream
  ends by itself and without its last word, PySpark still asks for the rest; Sail tells errors so.
"""

import os
import socket
from collections.abc import Iterator
from typing import cast
from urllib.parse import urlsplit

from pyspark.sql import SparkSession

from sparkify_assets.errors import EngineError
from sparkify_assets.lake.frames import is_sail

_PORT = 15002
_SECONDS = 5
# Which ways of compression a client says it can read, a bit for each: none at all.
_UNCOMPRESSED = ("grpc.compression_enabled_algorithms_bitset", 1)


def connect(address: str) -> SparkSession:
    """A session of its own.

    Args:
        address: `sc://host:port`, with parameters after it as Spark Connect has them.
    """
    # Loaded in the run that needs it: half a second, and a logger that Dagster would turn on.
    from pyspark.sql.connect.client import DefaultChannelBuilder
    from pyspark.sql.connect.client.retries import DefaultPolicy
    from pyspark.sql.connect.session import SparkSession as RemoteSession

    class Unary(DefaultPolicy):
        """PySpark's own rule, except for streams."""

        def can_retry(self, e: BaseException) -> bool:
            return not is_stream(e) and super().can_retry(e)

    os.environ["SPARK_CONNECT_MODE_ENABLED"] = "1"  # as `builder.remote(…)` does
    channel = DefaultChannelBuilder(address, channelOptions=[_UNCOMPRESSED])
    remote = RemoteSession.builder.channelBuilder(channel).create()
    session = cast("SparkSession", remote)
    usual = remote.client.get_retry_policies()
    remote.client.set_retry_policies([Unary()])  # also while it is asked whether it is Sail
    if not is_sail(session):
        remote.client.set_retry_policies(usual)
    return session


def is_stream(error: BaseException) -> bool:
    """Whether an error of gRPC is of a call with many answers: such a call is its own error."""
    return isinstance(error, Iterator)


def check_reachable(engine: str) -> None:
    """Raise EngineError where nobody listens: the client itself would try for ten minutes."""
    address = urlsplit(engine)
    host, port = address.hostname or "localhost", address.port or _PORT
    try:
        socket.create_connection((host, port), timeout=_SECONDS).close()
    except OSError as error:
        raise EngineError(
            f"SPARKIFY_ENGINE is {engine!r}: nothing answers at {host}:{port} ({error}). Start the "
            "Spark Connect server there, or set SPARKIFY_ENGINE=embedded"
        ) from error
