"""`dagster dev` with a webhook: a run that fails is told, and the address is kept nowhere."""

from __future__ import annotations

import shutil
from pathlib import Path

from sparkify_assets.sensors.alerts import ALERTS
from sparkify_assets_tests.alerts.webhook import MARK, Webhook
from sparkify_assets_tests.dagster_dev import DagsterDev, until
from sparkify_assets_tests.zone import Zone

LAUNCH = """
mutation ($params: ExecutionParams!) {
  launchPipelineExecution(executionParams: $params) {
    __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message }
  }
}
"""


def test_a_run_that_fails_arrives_at_the_webhook(
    webhook: Webhook, zone: Zone, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    shutil.rmtree(zone.root)
    with DagsterDev(
        DAGSTER_HOME=str(home),
        SPARKIFY_LANDING=str(zone.root),
        SPARKIFY_LAKE=str(tmp_path / "lake"),
        SPARKIFY_ALERT_URL=webhook.url,
        SPARKIFY_UI_URL="https://dagster.example",
    ) as dev:
        found = dev.repository()
        until(lambda: dev.ticks(ALERTS))  # it has begun to look, without being turned on

        def launch() -> str:
            launched = dev.ask(
                LAUNCH,
                params={
                    "selector": {
                        "repositoryLocationName": found["location"]["name"],
                        "repositoryName": found["name"],
                        "pipelineName": "refresh",
                    },
                    "mode": "default",
                    "executionMetadata": {
                        "tags": [{"key": "dagster/partition", "value": "2018-11"}]
                    },
                },
            )["launchPipelineExecution"]
            assert launched["__typename"] == "LaunchRunSuccess", launched
            return str(launched["run"]["runId"])

        run_id = launch()
        until(lambda: webhook.posts, 180)
        (post,) = webhook.posts
        assert post["url"] == f"https://dagster.example/runs/{run_id}"
        steps = {step["asset"]: step for step in post["steps"]}
        assert set(steps) == {"raw_logs", "raw_songs"}
        assert "SPARKIFY_LANDING: there is no folder" in steps["raw_logs"]["reason"]
        assert steps["raw_logs"]["months"] == ["2018-11"]
        assert steps["raw_songs"]["months"] == []
        # A message that is refused is an error of the tick.
        webhook.answers = [(404, {}, f"no {MARK}")]
        launch()
        until(lambda: len(webhook.posts) > 1, 180)
        refused = until(lambda: [t for t in dev.ticks(ALERTS) if t["error"]], 60)[0]
        assert "SPARKIFY_ALERT_URL: 127.0.0.1 answered 404" in refused["error"]["message"]
    kept = [path for path in home.rglob("*") if path.is_file()]
    assert any(b"answered 404" in path.read_bytes() for path in kept), "what is kept was looked at"
    assert [path for path in kept if MARK.encode() in path.read_bytes()] == []
