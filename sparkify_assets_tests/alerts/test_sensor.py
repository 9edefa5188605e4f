"""The sensor `alerts`, over runs that really failed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from dagster import (
    AssetCheckSeverity,
    DagsterInstance,
    DagsterRun,
    DefaultSensorStatus,
    Failure,
    MetadataValue,
    RunsFilter,
    SkipReason,
    build_run_status_sensor_context,
)
from dagster._core.remote_representation.external_data import RepositorySnap
from dagster._serdes import serialize_value

from sparkify_assets.alerts.send import AlertError
from sparkify_assets.composition import build_defs
from sparkify_assets.sensors.alerts import ALERTS
from sparkify_assets.settings import Settings
from sparkify_assets_tests.alerts.webhook import MARK, Webhook
from sparkify_assets_tests.refresh import failing
from sparkify_assets_tests.refresh.failing import LAKE, NOVEMBER, UNIQUE

Make = Callable[..., Settings]


@pytest.fixture
def instance() -> Iterator[DagsterInstance]:
    with DagsterInstance.ephemeral() as found:
        yield found


def lost() -> None:
    raise Failure(
        "3 lines are lost; read the month again",
        {"months": MetadataValue.json(["2018-11"])},
        allow_retries=False,
    )


def tell(settings: Settings, instance: DagsterInstance, run: DagsterRun) -> Any:
    """Have the sensor look at a run."""
    defs = build_defs(settings)
    entries = [e for e in instance.all_logs(run.run_id) if e.dagster_event]
    failure = next(
        e.dagster_event for e in entries if e.dagster_event and e.dagster_event.is_job_failure
    )
    context = build_run_status_sensor_context(
        ALERTS, failure, instance, run, repository_def=defs.get_repository_def()
    ).for_run_failure()
    return defs.resolve_sensor_def(ALERTS)(context)


def test_without_an_address_there_is_no_sensor_and_with_one_it_is_on(settings: Make) -> None:
    names = [sensor.name for sensor in build_defs(settings()).sensors or []]
    assert ALERTS not in names
    defs = build_defs(settings(alert_url="https://example.org/x"))
    assert defs.resolve_sensor_def(ALERTS).default_status is DefaultSensorStatus.RUNNING


def test_a_failed_run_is_told_with_its_attempt_steps_and_checks(
    settings: Make, instance: DagsterInstance, webhook: Webhook
) -> None:
    run = failing.run(
        instance,
        failing.failing("raw_logs", lost),
        failing.checked(AssetCheckSeverity.ERROR, blocking=True),
        tags={**NOVEMBER, "sparkify/attempt": "2"},
    )
    given = settings(alert_url=webhook.url, lake=LAKE, ui_url="https://dagster.example")
    assert tell(given, instance, run) is None
    (post,) = webhook.posts
    assert post["text"].startswith("refresh failed (attempt 2 of 7), 2018-11\n")
    assert post["url"] == f"https://dagster.example/runs/{run.run_id}"
    steps = {step["asset"]: step for step in post["steps"]}
    assert steps["raw_logs"]["reason"] == "3 lines are lost; read the month again"
    assert steps["raw_logs"]["months"] == ["2018-11"]
    assert set(steps) == {"raw_logs", "songplays"}
    assert post["checks"] == [
        {
            "asset": "songplays",
            "check": UNIQUE,
            "months": ["2018-11"],
            "description": "3 ids occur twice",
            "url": f"https://dagster.example/assets/songplays?view=checks&checkDetail={UNIQUE}",
        }
    ]


def test_a_run_that_could_not_begin_is_told(
    settings: Make, instance: DagsterInstance, webhook: Webhook
) -> None:
    run = failing.run(instance, failing.needing_an_engine())
    tell(settings(alert_url=webhook.url, lake=LAKE), instance, run)
    (post,) = webhook.posts
    assert post["reason"] == "Apache Spark needs Java 17 or newer. Install it"
    assert post["steps"] == []


def test_runs_of_other_lakes_are_not_told(
    settings: Make, instance: DagsterInstance, webhook: Webhook
) -> None:
    run = failing.run(instance, failing.failing("raw_logs", lost))
    assert isinstance(tell(settings(alert_url=webhook.url), instance, run), SkipReason)
    assert webhook.posts == []


@pytest.mark.parametrize(("asset", "told"), [("songs", True), ("somebody_elses", False)])
def test_a_run_of_single_assets_is_told_where_they_are_ours(
    settings: Make, instance: DagsterInstance, webhook: Webhook, asset: str, told: bool
) -> None:
    job = failing.job_of(failing.failing(asset, lost, by_month=False), name="__ASSET_JOB")
    job.execute_in_process(
        instance=instance,
        raise_on_error=False,
        asset_selection=[next(iter(job.asset_layer.selected_asset_keys))],
    )
    (run,) = instance.get_runs(RunsFilter())
    tell(settings(alert_url=webhook.url), instance, run)
    assert len(webhook.posts) == int(told)


def test_a_message_that_is_not_delivered_is_an_error_that_names_the_host_alone(
    settings: Make, instance: DagsterInstance, webhook: Webhook
) -> None:
    run = failing.run(instance, failing.failing("raw_logs", lost))
    webhook.answers = [(404, {}, f"no {MARK}")]
    with pytest.raises(AlertError, match=r"127[.]0[.]0[.]1 answered 404") as caught:
        tell(settings(alert_url=webhook.url, lake=LAKE), instance, run)
    assert MARK not in str(caught.value)


def test_the_definitions_hold_no_address(settings: Make, webhook: Webhook) -> None:
    defs = build_defs(settings(alert_url=webhook.url))
    snapshot = serialize_value(RepositorySnap.from_def(defs.get_repository_def()))
    assert ALERTS in snapshot
    assert MARK not in snapshot
    assert MARK not in repr(defs)
