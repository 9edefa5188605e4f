"""Why a run failed, from the events of real runs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from dagster import (
    AssetCheckSeverity,
    AssetsDefinition,
    DagsterInstance,
    Failure,
    MetadataValue,
)
from pyspark.sql import SparkSession
from pyspark.sql.functions import udf

from sparkify_assets.errors import LandingError
from sparkify_assets.refresh.reasons import FailedCheck, FailedStep, Reasons, reasons
from sparkify_assets_tests.refresh import failing
from sparkify_assets_tests.refresh.failing import UNIQUE

RANGE = {
    "dagster/asset_partition_range_start": "2018-11",
    "dagster/asset_partition_range_end": "2019-01",
}
ALL = ("2018-11", "2018-12", "2019-01")


@pytest.fixture
def instance() -> Iterator[DagsterInstance]:
    with DagsterInstance.ephemeral() as found:
        yield found


def why(instance: DagsterInstance, *assets: AssetsDefinition, **given: Any) -> Reasons:
    """The reasons of a run that failed, from what is kept of it."""
    run = failing.run(instance, *assets, **given)
    events = [entry.dagster_event for entry in instance.all_logs(run.run_id)]
    return reasons(run.tags, [event for event in events if event is not None])


def fail(description: str, *months: str) -> None:
    metadata = {"months": MetadataValue.json(list(months))} if months else {}
    raise Failure(description, metadata, allow_retries=False)


def test_a_failure_tells_its_own_months_and_reason(instance: DagsterInstance) -> None:
    text = "3 lines are lost; read the month again\nlog_data/a.json: 3"
    found = why(instance, failing.failing("raw_logs", lambda: fail(text, "2018-12")), tags=RANGE)
    assert found.steps == (FailedStep("raw_logs", ("2018-12",), text, laid_aside=True),)
    assert found.steps[0].first_line == "3 lines are lost; read the month again"
    assert found.run == ""


def test_without_months_of_its_own_a_step_failed_for_those_of_its_run(
    instance: DagsterInstance,
) -> None:
    found = why(instance, failing.failing("raw_logs", lambda: fail("lost")), tags=RANGE)
    assert found.steps == (FailedStep("raw_logs", ALL, "lost"),)
    found = why(instance, failing.failing("raw_logs", lambda: fail("lost")))
    assert found.steps == (FailedStep("raw_logs", ("2018-11",), "lost"),)


def test_a_table_without_months_failed_for_none(instance: DagsterInstance) -> None:
    found = why(
        instance,
        failing.failing("raw_logs", lambda: fail("one")),
        failing.failing("songs", lambda: fail("another"), by_month=False),
    )
    assert {step.asset: step.months for step in found.steps} == {
        "raw_logs": ("2018-11",),
        "songs": (),
    }
    assert set(str(found).splitlines()) == {"raw_logs: one", "songs: another"}


def test_an_error_of_ours_is_told_by_its_message_alone(instance: DagsterInstance) -> None:
    def missing() -> None:
        try:
            raise FileNotFoundError("landing")
        except FileNotFoundError as error:
            raise LandingError("SPARKIFY_LANDING: there is no folder /in") from error

    found = why(instance, failing.failing("raw_logs", missing))
    assert str(found) == "raw_logs: SPARKIFY_LANDING: there is no folder /in"


def test_any_other_error_is_told_by_its_cause(instance: DagsterInstance) -> None:
    def divide() -> None:
        try:
            _ = 1 / 0
        except ZeroDivisionError as error:
            raise RuntimeError("no share") from error

    found = why(instance, failing.failing("time", divide))
    assert str(found) == "time: ZeroDivisionError: division by zero"


@pytest.mark.engines
def test_of_an_engines_traces_the_error_is_left(
    instance: DagsterInstance, spark: SparkSession
) -> None:
    @udf("int")
    def spoil(value: int) -> int:
        if value > 5:
            raise ValueError(f"cannot digest {value}")
        return value

    def query() -> None:
        spark.range(10).coalesce(1).select(spoil("id")).collect()

    found = why(instance, failing.failing("songplays", query))
    assert str(found) == "songplays: ValueError: cannot digest 6"


@pytest.mark.engines
def test_a_column_that_is_not_there_is_told_in_a_few_lines(
    instance: DagsterInstance, spark: SparkSession
) -> None:
    found = why(
        instance, failing.failing("songplays", lambda: spark.range(1).select("nowhere").collect())
    )
    assert "nowhere" in found.steps[0].first_line
    assert len(found.steps[0].reason.splitlines()) <= 20


FRAMES = "".join(f"\tat org.apache.spark.rdd.RDD.$anonfun${n}(RDD.scala:{n})\n" for n in range(300))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "An error occurred while calling o63.collectToPython.\n: org.apache.spark."
            f"SparkException: Job aborted: Lost task 0.0\n{FRAMES}Driver stacktrace:\n{FRAMES}"
            f"Caused by: java.lang.ArithmeticException: / by zero\n{FRAMES}\t... 3 more\n",
            "java.lang.ArithmeticException: / by zero",
        ),
        (
            "An error occurred while calling o63.load.\n: java.lang.OutOfMemoryError: Java heap "
            f"space\n{FRAMES}",
            "java.lang.OutOfMemoryError: Java heap space",
        ),
        (
            "Job aborted\norg.apache.spark.api.python.PythonException: Traceback (most recent "
            f"call last):\n  File \"x.py\", line 1\nKeyError: 'ts'\n\n{FRAMES}",
            "KeyError: 'ts'",
        ),
    ],
)
def test_of_hundreds_of_lines_of_java_the_cause_is_left(
    instance: DagsterInstance, text: str, told: str
) -> None:
    def broken() -> None:
        raise RuntimeError(text)

    assert str(why(instance, failing.failing("songplays", broken))) == f"songplays: {told}"


def test_a_resource_that_cannot_start_is_the_runs_reason(instance: DagsterInstance) -> None:
    found = why(instance, failing.needing_an_engine())
    assert found == Reasons(run="Apache Spark needs Java 17 or newer. Install it")
    assert str(found) == found.run


def test_a_run_that_failed_without_a_step(instance: DagsterInstance) -> None:
    job = failing.job_of(failing.failing("songs", lambda: None, by_month=False))
    run = instance.create_run_for_job(job)
    instance.report_run_failed(run, "its process ended; the next run completes it")
    events = [entry.dagster_event for entry in instance.all_logs(run.run_id)]
    found = reasons(run.tags, [event for event in events if event is not None])
    assert str(found) == "its process ended; the next run completes it"
    assert "without a word" in str(reasons({}, []))


def test_a_blocking_check_that_fails_is_named(instance: DagsterInstance) -> None:
    found = why(instance, failing.checked(AssetCheckSeverity.ERROR, blocking=True))
    assert found.checks == (FailedCheck("songplays", UNIQUE, ("2018-11",), "3 ids occur twice"),)
    assert [step.asset for step in found.steps] == ["songplays"]
    assert UNIQUE in str(found)


@pytest.mark.parametrize(
    ("severity", "blocking"), [(AssetCheckSeverity.WARN, True), (AssetCheckSeverity.ERROR, False)]
)
def test_a_check_that_fails_no_run_is_no_reason(
    instance: DagsterInstance, severity: AssetCheckSeverity, blocking: bool
) -> None:
    found = why(
        instance,
        failing.checked(severity, blocking=blocking),
        failing.failing("time", lambda: fail("something else")),
    )
    assert found.checks == ()
    assert str(found) == "time: something else"
