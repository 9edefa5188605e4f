"""What becomes of an error within a step: another try, or a failure with its reason first.

Only a race (`PlanChanged`) and storage that does not answer are tried again. Everything that a
person has to mend becomes a Dagster `Failure`, whose first line tells what was found and the way
out; an engine's trace comes behind it. Faults of the program keep their traceback.
"""

from __future__ import annotations

import re
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import duckdb
from dagster import DagsterLogManager, Failure, MetadataValue, RetryRequested
from grpc import StatusCode
from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException

from sparkify_assets.errors import PlanChanged, SparkifyError, StorageUnavailable
from sparkify_assets.metadata import markdown
from sparkify_assets.refresh.instance import from_command_line
from sparkify_assets.tables import WHOLE_TABLE

# A failed step's metadata: the months that failed, where not all of the run's did.
MONTHS = "months"
_MOST_PLANS = 8
_MOST_TRIES = 2
_PAUSE_SECONDS = 10
_TRACE_CHARACTERS = 20_000
_PYTHON_ERROR = re.compile(r"^(?:\w+\.)*\w*(?:Error|Exception|Unavailable): .+$", re.MULTILINE)
_JAVA_FRAME = re.compile(r"^\s+(?:at [\w.$/<>]+\(.*\)|\.\.\. \d+ more)\s*$", re.MULTILINE)
_JAVA_CAUSE = re.compile(r"^\s*Caused by: (.+)$", re.MULTILINE)
_JAVA_ERROR = re.compile(r"^(?:: )?([\w.$]+(?:Error|Exception): .+)$", re.MULTILINE)
_OURS = "sparkify_assets."
_DETAILS = re.compile(r'details = "(.*?)"\s+debug_error_string', re.DOTALL)  # of gRPC


@contextmanager
def explained(
    log: DagsterLogManager,
    run_tags: Mapping[str, str],
    lay_aside: Callable[[BaseException], bool] = lambda _error: False,
) -> Iterator[None]:
    """Around the work of a step.

    Args:
        run_tags: of the run. One from the command line does not wait for a server to come back:
            somebody sits there and can start it again.
        lay_aside: told of an error that is none of the passing ones; whether the step is to be
            tried again without what it laid aside.

    Raises:
        RetryRequested, Failure: in place of the errors above.
    """
    try:
        yield
    except (RetryRequested, Failure):
        raise
    except Exception as error:
        cause = error
        try:
            # A broken connection says nothing about sources, which are long to look through.
            aside = not (is_passing(error) or is_broken(error)) and lay_aside(error)
        except StorageUnavailable as unavailable:
            cause, aside = unavailable, False
        if aside or isinstance(cause, PlanChanged):
            log.warning(f"{reason_of(cause)}; planning again")
            raise RetryRequested(max_retries=_MOST_PLANS) from cause
        if is_passing(cause) and not from_command_line(run_tags):
            log.warning(f"{reason_of(cause)}; trying again in {_PAUSE_SECONDS} s")
            raise RetryRequested(_MOST_TRIES, _PAUSE_SECONDS) from cause
        if isinstance(cause, (SparkifyError, PySparkException, Py4JJavaError, duckdb.Error)):
            raise failure(cause) from cause
        raise


def failure(error: BaseException) -> Failure:
    """The error as a failure of the step: its reason, and the trace where there is more to it."""
    metadata = {}
    if not isinstance(error, SparkifyError):
        trace = "".join(traceback.format_exception(error))[-_TRACE_CHARACTERS:]
        metadata = {"trace": markdown.plain(trace)}
    return Failure(reason_of(error), metadata=metadata, allow_retries=False)


def refused(table: str, reasons: Mapping[str, str], made: int) -> Failure:
    """The failure of a step in which some partitions could not be made and the others were."""
    key, reason = next(iter(reasons.items()))
    name = table if key == WHOLE_TABLE else f"{table} {key}"
    more = f" ({len(reasons) - 1} more: {', '.join(list(reasons)[1:])})" if len(reasons) > 1 else ""
    done = f". {made} others were made and stay" if made else ""
    months = {} if key == WHOLE_TABLE else {MONTHS: MetadataValue.json(sorted(reasons))}
    return Failure(
        f"{name}{more}: {reason}{done}",
        metadata={**months, "reasons": MetadataValue.json(dict(reasons))},
        allow_retries=False,
    )


def reason_of(error: BaseException) -> str:
    """The reason for people: the project's own message where an engine wrapped it."""
    if isinstance(error, SparkifyError):
        return str(error)
    if is_broken(error):
        details = _DETAILS.search(str(error))
        return (
            "the connection to the engine broke, or its server is gone "
            f"({details[1] if details else error}). Nothing was committed that lacks its answer; "
            "see that the server runs, and start the run again"
        )
    found = without_trace(str(error).strip())
    kind, _, message = found.partition(": ")
    return message if kind.startswith(_OURS) else found or type(error).__name__


def without_trace(text: str) -> str:
    """An engine's message may hold the traces of its tasks: only the error itself counts."""
    if "Traceback" in text:
        errors = _PYTHON_ERROR.findall(text)
        return str(errors[-1]) if errors else text
    if _JAVA_FRAME.search(text):
        causes = _JAVA_CAUSE.findall(text) or _JAVA_ERROR.findall(text)
        return str(causes[-1]) if causes else text.strip().splitlines()[0]
    return text


def is_broken(error: BaseException) -> bool:
    """Whether the engine, in another process, can no longer be reached."""
    status = getattr(error, "getGrpcStatusCode", None)
    return status is not None and status() is StatusCode.UNAVAILABLE


def is_passing(error: BaseException) -> bool:
    """Whether it may well be gone in a while: storage that does not answer."""
    if isinstance(error, SparkifyError):
        return isinstance(error, StorageUnavailable)
    # From a task it comes as text, in the engine's error.
    return without_trace(str(error)).startswith(f"{_OURS}errors.{StorageUnavailable.__name__}: ")
