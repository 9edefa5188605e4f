"""The sensor with its runs, tick by tick, as Dagster's daemon would do it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from dagster import (
    AssetMaterialization,
    DagsterInstance,
    DagsterRunStatus,
    RunRequest,
    build_sensor_context,
)
from dagster._core.test_utils import create_run_for_test

from sparkify_assets.composition import REFRESH, build_defs
from sparkify_assets.refresh.reasons import reasons
from sparkify_assets.sensors.new_files import NAME
from sparkify_assets.settings import Settings

# What Dagster tells of each run on the terminal.
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


class Station:
    """One sensor, its cursor and its Dagster instance.

    Attributes:
        reasons: why each of its runs failed that did.
    """

    def __init__(self, settings: Callable[..., Settings], instance: DagsterInstance) -> None:
        self._settings = settings
        self.instance = instance
        self.cursor: str | None = None
        self.keys: set[str] = set()
        self.requests: list[RunRequest] = []
        self.skipped = ""
        self.told: list[AssetMaterialization] = []
        self.given: dict[str, object] = {}
        self.reasons: list[str] = []

    def tick(self) -> list[RunRequest]:
        """One evaluation; the requests whose key was not seen before, as the daemon takes them."""
        defs = build_defs(self._settings(**self.given))
        with build_sensor_context(
            instance=self.instance,
            cursor=self.cursor,
            repository_def=defs.get_repository_def(),
            sensor_name=NAME,
            resources=dict(defs.resources or {}),
        ) as context:
            found = defs.resolve_sensor_def(NAME).evaluate_tick(context)
        self.requests = list(found.run_requests or [])
        self.skipped = found.skip_message or ""
        self.cursor = found.cursor
        self.told = [e for e in found.asset_events if isinstance(e, AssetMaterialization)]
        new = [request for request in self.requests if request.run_key not in self.keys]
        self.keys |= {str(request.run_key) for request in new}
        return new

    def run(self, requests: Sequence[RunRequest]) -> list[bool]:
        """Do what was asked for, one after another; whether each run succeeded."""
        job = build_defs(self._settings(**self.given)).resolve_job_def(REFRESH)
        done = [
            job.execute_in_process(
                instance=self.instance,
                raise_on_error=False,
                asset_selection=list(request.asset_selection or []),
                partition_key=request.partition_key,
                tags=dict(request.tags),
                run_config=QUIET,
            )
            for request in requests
        ]
        self.reasons += [
            str(reasons(one.dagster_run.tags, one.all_events)) for one in done if not one.success
        ]
        return [one.success for one in done]

    def begin(self, request: RunRequest) -> None:
        """Have a run for this request under way, for ever."""
        create_run_for_test(self.instance, tags=dict(request.tags), status=DagsterRunStatus.STARTED)

    def settle(self, most: int = 6) -> int:
        """Tick and run until nothing is asked for; how many runs that took."""
        runs = 0
        for _ in range(most):
            requests = self.tick()
            if not requests:
                return runs
            assert all(self.run(requests))
            runs += len(requests)
        raise AssertionError(f"still asking after {most} ticks: {self.groups()}")

    def groups(self) -> list[str]:
        """The groups of the last tick's requests."""
        return [request.tags["sparkify/group"] for request in self.requests]
