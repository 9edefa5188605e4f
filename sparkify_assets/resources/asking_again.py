"""When a session of Spark Connect asks its server again, because the answer did not arrive.

Two rules beside PySpark's own. A call with one answer, such as the analysis of a plan, is also
asked again where the answer came and could not be read: seen with the embedded engine once in tens
of thousands of calls. The rows of a plan are never continued where they broke off, if the server is
Sail: it gives up what it had under way, so that rows are missing and nobody is told (of ten
connections that were lost to one side only, three lost 4 to 10 % of the rows). The plan fails then,
and its step is tried again; see `refresh/failures.py`.
"""

from collections.abc import Iterator

import grpc
from pyspark.sql import SparkSession
from pyspark.sql.connect.client.retries import DefaultPolicy, RetryPolicy

UNREAD = "Exception deserializing response!"  # gRPC's words
_MOST_TRIES = 3
_FIRST_PAUSE_MS = 50


def ask_again(session: SparkSession, *, sail: bool) -> None:
    """Let a session of Spark Connect ask again, where that is sound.

    Args:
        sail: whether the server is Sail.
    """
    passing = _OneAnswer() if sail else DefaultPolicy()
    session.client.set_retry_policies([passing, _Unread()])


class _OneAnswer(DefaultPolicy):
    """As PySpark does it, but for rows."""

    def can_retry(self, e: BaseException) -> bool:
        return not _of_rows(e) and super().can_retry(e)


class _Unread(RetryPolicy):
    """The server has answered, and the client could not read it."""

    def __init__(self) -> None:
        super().__init__(_MOST_TRIES, initial_backoff=_FIRST_PAUSE_MS)

    def can_retry(self, exception: BaseException) -> bool:
        return (
            isinstance(exception, grpc.RpcError)
            and isinstance(exception, grpc.Call)
            and not _of_rows(exception)
            and exception.details() == UNREAD
        )


def _of_rows(error: BaseException) -> bool:
    # The error of a call with many answers is the call itself, which goes through them.
    return isinstance(error, Iterator)
