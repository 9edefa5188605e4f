"""Sessions of Spark Connect: with the embedded engine, and with a server elsewhere.

PySpark's client is changed in two ways, as answers get lost without them:

- Answers come uncompressed. gRPC's core now and then hands a compressed one over as it came (once
  in some 50,000 calls, where processes compete for the processor); the client then takes it for
  none of its type.
- Sail is asked nothing twice. When rows are to be continued after their connection broke, it gives
  up what it had under way, so that some are missing and nobody is told (of ten connections that
  were lost to one side only, three lost 4 to 10 % of the rows). And a server that was started again
  takes up any session, without its settings. Where a stream ends by itself and without its last
  word, PySpark still asks for the rest; that is how Sail tells errors.
"""

import os
import socket
from typing import Any, cast
from urllib.parse import urlsplit

from pyspark.sql import SparkSession

from sparkify_assets.errors import EngineError
from sparkify_assets.lake.frames import is_sail

_PORT = 15002
_SECONDS = 5
# Which ways of compression a client says it can read, a bit for each: none at all.
UNCOMPRESSED = ("grpc.compression_enabled_algorithms_bitset", 1)


def connect(address: str, *, here: bool = False) -> SparkSession:
    """A session of its own.

    Args:
        address: `sc://host:port`, with parameters after it as Spark Connect has them.
    """
    # Loaded in the run that needs it: half a second, and a logger that Dagster would turn on.
    from pyspark.sql.connect.client import DefaultChannelBuilder
    from pyspark.sql.connect.session import SparkSession as RemoteSession

    os.environ["SPARK_CONNECT_MODE_ENABLED"] = "1"  # as `builder.remote(…)` does
    channel = DefaultChannelBuilder(address, channelOptions=[UNCOMPRESSED])
    if here:  # the token in the environment is for another server, which would mean TLS as well
        channel.set(channel.PARAM_TOKEN, None)
    remote = RemoteSession.builder.channelBuilder(channel).create()
    session = cast("SparkSession", remote)
    policies = remote.client.get_retry_policies()
    remote.client.set_retry_policies([])  # also while it is asked whether it is Sail
    try:
        sail = is_sail(session)
    except BaseException:
        leave(session)
        raise
    if not sail:
        remote.client.set_retry_policies(policies)
    return session


def leave(session: Any) -> None:
    """Stop a session, of any engine; a server that is gone is not waited for."""
    if not isinstance(session, SparkSession):  # one of Spark Connect, which is no classic one
        session.client.set_retry_policies([])
    session.stop()


def check_reachable(engine: str) -> None:
    """Raise EngineError where nobody listens: PySpark itself would try for minutes.

    Args:
        engine: `sc://host:port`, or `spark://host:port` with one master or several, of which one
            must answer.
    """
    scheme, _, hosts = engine.partition("://")
    silent = []
    for one in hosts.split(","):
        address = urlsplit(f"{scheme}://{one}")
        host, port = address.hostname or "localhost", address.port or _PORT
        try:
            socket.create_connection((host, port), timeout=_SECONDS).close()
        except OSError as error:
            silent.append(f"{host}:{port} ({error})")
        else:
            return
    server = "Spark Connect server" if scheme == "sc" else "cluster's master"
    raise EngineError(
        f"SPARKIFY_ENGINE is {engine!r}: nothing answers at {', '.join(silent)}. Start the "
        f"{server} there, or set SPARKIFY_ENGINE=embedded"
    )
