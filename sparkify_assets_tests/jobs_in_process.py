"""Runs of the job `refresh` in this process, and what Dagster recorded of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from dagster import (
    AssetCheckEvaluation,
    AssetKey,
    AssetMaterialization,
    DagsterEvent,
    DagsterEventType,
    DagsterInstance,
)

from sparkify_assets.composition import REFRESH, build_defs
from sparkify_assets.refresh.run_tags import range_tags
from sparkify_assets_tests.refresh.world import World


class Ran:
    """A run that ended, as its instance remembers it."""

    def __init__(self, instance: DagsterInstance, run_id: str, *, success: bool) -> None:
        self._instance = instance
        self.run_id = run_id
        self.success = success

    def events(self) -> Iterator[DagsterEvent]:
        """All of Dagster's events."""
        for entry in self._instance.all_logs(self.run_id):
            if entry.dagster_event is not None:
                yield entry.dagster_event

    def made(self, asset: str) -> dict[str | None, AssetMaterialization]:
        """The materializations of an asset, by partition."""
        found = [
            event.step_materialization_data.materialization
            for event in self.events()
            if event.is_step_materialization and event.asset_key == AssetKey(asset)
        ]
        return {materialization.partition: materialization for materialization in found}

    def checked(self, asset: str, check: str) -> dict[str | None, AssetCheckEvaluation]:
        """The evaluations of a check, by partition."""
        found = [
            event.asset_check_evaluation_data
            for event in self.events()
            if event.event_type is DagsterEventType.ASSET_CHECK_EVALUATION
        ]
        return {
            one.partition: one
            for one in found
            if (one.asset_key, one.check_name) == (AssetKey(asset), check)
        }

    def reason(self) -> tuple[str, dict[str, Any]]:
        """Why it failed: the first failed step's description, and its metadata."""
        (event, *_) = [event for event in self.events() if event.is_step_failure]
        data = event.step_failure_data.user_failure_data
        assert data is not None, event.step_failure_data.error
        return data.description or "", numbers(data.metadata)


def run(
    world: World,
    *months: str,
    only: Sequence[str] = (),
    rebuild: Sequence[str] = (),
    instance: DagsterInstance | None = None,
    **settings: Any,
) -> Ran:
    """One run over a month or a range of months; it may fail.

    Args:
        only: names of the assets, all of them if none is given.
        rebuild: names of those that are made again, also where they are up to date.
    """
    job = build_defs(world.settings(**settings)).resolve_job_def(REFRESH)
    remembers = instance or DagsterInstance.ephemeral()
    result = job.execute_in_process(
        instance=remembers,
        raise_on_error=False,
        asset_selection=[AssetKey(name) for name in only] or None,
        partition_key=months[0] if len(months) == 1 else None,
        tags=range_tags(months) if len(months) > 1 else {},
        run_config={"ops": {name: {"config": {"rebuild": True}} for name in rebuild}},
    )
    return Ran(remembers, result.run_id, success=result.success)


def numbers(metadata: Any) -> dict[str, Any]:
    """The plain values of metadata."""
    return {name: value.value for name, value in metadata.items()}
