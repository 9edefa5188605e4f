"""What becomes of errors within a step: tried again, or told with the reason in the first line."""

from __future__ import annotations

from typing import Any
from unittest.mock import Mock

import pytest
from dagster import DagsterLogManager, Failure, RetryRequested
from grpc import StatusCode
from pyspark.errors import PySparkException
from pyspark.errors.exceptions.connect import SparkConnectGrpcException

from sparkify_assets.errors import (
    LandingError,
    LandingUnavailable,
    PlanChanged,
    StorageError,
    StorageUnavailable,
)
from sparkify_assets.refresh.failures import explained, reason_of, refused
from sparkify_assets.refresh.instance import PROCESS_TAG

LOG = DagsterLogManager.create([], [])
FROM_A_TASK = PySparkException(
    "[INTERNAL] task failed\nTraceback (most recent call last):\n  File ...\n"
    "sparkify_assets.errors.{kind}: SPARKIFY_LAKE: PutObject on the bucket b failed\n"
)


def through(error: Exception, **given: Any) -> BaseException:
    """What comes out of a step in which this error was raised."""
    with (
        pytest.raises(BaseException) as caught,
        explained(LOG, given.pop("tags", {}), **given),
    ):
        raise error
    return caught.value


def in_a_task(kind: str) -> PySparkException:
    return PySparkException(str(FROM_A_TASK).format(kind=kind))


def test_a_race_is_planned_again_at_once() -> None:
    found = through(PlanChanged("another run was quicker"))
    assert isinstance(found, RetryRequested)
    assert (found.max_retries, found.seconds_to_wait) == (8, None)


def test_a_connection_to_the_engine_that_broke_is_told_with_the_way_out() -> None:
    broken = SparkConnectGrpcException(
        "<_MultiThreadedRendezvous of RPC that terminated with:\n"
        '\tstatus = StatusCode.UNAVAILABLE\n\tdetails = "failed to connect to all addresses;\n'
        'last error: ipv4:127.0.0.1:5: "refused""\n'
        '\tdebug_error_string = "UNKNOWN: Socket closed"\n>',
        grpc_status_code=StatusCode.UNAVAILABLE,
    )
    lay_aside = Mock()
    found = through(broken, lay_aside=lay_aside)
    assert isinstance(found, Failure)
    assert found.description == (
        "the connection to the engine broke, or its server is gone (failed to connect to all "
        'addresses;\nlast error: ipv4:127.0.0.1:5: "refused"). Nothing was committed that lacks '
        "its answer; see that the server runs, and start the run again"
    )
    lay_aside.assert_not_called()


@pytest.mark.parametrize(
    "error",
    [
        StorageUnavailable("the server is busy"),
        LandingUnavailable("the server is busy"),
        in_a_task("StorageUnavailable"),
    ],
)
def test_storage_that_does_not_answer_is_tried_again_after_a_pause(error: Exception) -> None:
    found = through(error)
    assert isinstance(found, RetryRequested)
    assert (found.max_retries, found.seconds_to_wait) == (2, 10)


def test_somebody_at_a_terminal_need_not_wait_for_that() -> None:
    found = through(StorageUnavailable("the server is busy"), tags={PROCESS_TAG: "host:1"})
    assert isinstance(found, Failure)
    assert not found.allow_retries


@pytest.mark.parametrize(
    "error",
    [
        StorageError("SPARKIFY_LANDING: there is no such bucket"),
        LandingError("SPARKIFY_LANDING: there is no such bucket"),
    ],
)
def test_what_somebody_has_to_mend_is_a_failure_and_never_tried_again(error: Exception) -> None:
    found = through(error)
    assert isinstance(found, Failure)
    assert found.description == "SPARKIFY_LANDING: there is no such bucket"
    assert not found.allow_retries
    assert not found.metadata


def test_an_engine_s_error_has_the_reason_first_and_the_trace_behind_it() -> None:
    found = through(in_a_task("StorageError"))
    assert isinstance(found, Failure)
    assert found.description == "SPARKIFY_LAKE: PutObject on the bucket b failed"
    assert "Traceback" in str(found.metadata["trace"].value)
    assert not found.allow_retries


def test_a_hundred_lines_of_java_are_one_line() -> None:
    frames = "\n".join(f"\tat org.apache.spark.Some.method({n}.scala:{n})" for n in range(200))
    error = PySparkException(
        f"An error occurred while calling o1.collect.\n: "
        f"org.apache.spark.SparkException: Job aborted: no space left\n{frames}"
    )
    assert reason_of(error) == "org.apache.spark.SparkException: Job aborted: no space left"


def test_a_fault_of_the_program_keeps_its_traceback() -> None:
    fault = ZeroDivisionError("division by zero")
    assert through(fault) is fault


def test_what_was_laid_aside_is_left_out_of_another_try() -> None:
    seen: list[BaseException] = []

    def lay_aside(error: BaseException) -> bool:
        seen.append(error)
        return True

    error = LandingError("a part is gone")
    found = through(error, lay_aside=lay_aside)
    assert isinstance(found, RetryRequested)
    assert seen == [error]


def test_storage_that_does_not_answer_is_no_reason_to_lay_anything_aside() -> None:
    def lay_aside(_error: BaseException) -> bool:
        raise AssertionError("asked")

    found = through(StorageUnavailable("busy"), lay_aside=lay_aside, tags={PROCESS_TAG: "host:1"})
    assert isinstance(found, Failure)


def test_a_refusal_names_all_months_and_says_what_was_made() -> None:
    found = refused("songplays", {"2018-11": "broken", "2018-12": "broken, too"}, made=3)
    assert (
        found.description
        == "songplays 2018-11 (1 more: 2018-12): broken. 3 others were made and stay"
    )
    assert found.metadata["months"].value == ["2018-11", "2018-12"]
    assert refused("users", {"all": "broken"}, made=0).description == "users: broken"
