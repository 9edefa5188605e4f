"""The IO manager: assets take and return DataFrames, the lake gets whole partitions.

For one step Dagster calls `load_input` for each upstream table, then the asset's function, then
`handle_output`. All of them work on one `Build` (see `refresh.build`), made at the first call:

- it fixes the version of the table to be made, the ledger and the upstream tables: as they were
  when the run's first table was begun, with what the run itself has made since;
- it finds which of the requested partitions are out of date; `load_input` returns a DataFrame of
  what just these are made from, and `handle_output` replaces just these;
- rows are audited between writing and committing: a partition that fails is not published;
- where another run was quicker, the step is tried again, on a new `Build`. So it is where some of
  several partitions cannot be made: these are laid aside, all others are made, and then the step
  fails and names them.

A month, a range of months and a whole table go the same way.
"""

import time
from typing import Any

from dagster import (
    AssetMaterialization,
    ConfigurableIOManager,
    DagsterEvent,
    DagsterInvariantViolationError,
    DagsterLogManager,
    InputContext,
    OutputContext,
    ResourceDependency,
)
from pydantic import Field, PrivateAttr
from pyspark.sql import DataFrame

from sparkify_assets.checks.results import evaluation
from sparkify_assets.errors import PlanChanged
from sparkify_assets.lake.frames import read_frame
from sparkify_assets.lake.notes import PREVIEW_ROWS
from sparkify_assets.metadata import found
from sparkify_assets.partitions import months_between
from sparkify_assets.refresh.build import Build, Made
from sparkify_assets.refresh.failures import explained, refused
from sparkify_assets.resources.spark import SparkResource
from sparkify_assets.resources.storage import LakeResource
from sparkify_assets.storage.requests import REQUESTS
from sparkify_assets.tables import TABLES, WHOLE_TABLE, Table

# The assets' configuration: make every requested partition, also where it is up to date.
REBUILD = "rebuild"
# So often a step is planned again before its sources are looked at one by one.
_RACES = 3


class S3ParquetIOManager(ConfigurableIOManager):
    """Reads and writes the tables of the lake as Spark DataFrames.

    An asset's name is its table's name; its declaration stands in `tables`.
    """

    lake: ResourceDependency[LakeResource]
    spark: ResourceDependency[SparkResource]
    preview_rows: int = Field(
        default=PREVIEW_ROWS, description="Rows of a new partition shown in its metadata."
    )
    _looked: bool = PrivateAttr(default=False)
    _before: dict[str, int] = PrivateAttr(default_factory=REQUESTS.made)
    _began: float = PrivateAttr(default_factory=time.monotonic)
    _builds: dict[tuple[str, int], Build] = PrivateAttr(default_factory=dict)
    _broken: dict[str, dict[str, str]] = PrivateAttr(default_factory=dict)

    def load_input(self, context: InputContext) -> DataFrame:
        """What the step's table is made from, as far as it has to be made.

        Outside of a step that makes a table of the lake: the newest version of the upstream
        table, of the requested months.
        """
        name = context.asset_key.path[-1]
        table = _table_of_step(context)
        if table is None:
            keys = context.asset_partition_keys if context.has_asset_partitions else None
            snapshot = self.lake.lake().snapshot(TABLES[name])
            return read_frame(self.spark.session, snapshot, keys)
        step = context.step_context
        with explained(context.log, step.run_tags, lambda e: self._lay_aside(e, step, table)):
            build = self._build(step, table)
            if build.laid_aside and not build.keys:
                build.give_up(build.laid_aside)
                raise refused(table.name, build.laid_aside, made=0)
            return build.read(self.spark.session, name)

    def handle_output(self, context: OutputContext, obj: DataFrame) -> None:
        """Put the rows in place of the partitions that were out of date, in one commit.

        Raises:
            Failure: some partitions could not be made; the others were.
        """
        if not isinstance(obj, DataFrame):
            raise TypeError(
                f"asset {context.asset_key.to_user_string()} returned {type(obj).__name__}; "
                "expected a Spark DataFrame with the table's columns"
            )
        step, table = context.step_context, TABLES[context.asset_key.path[-1]]
        with explained(context.log, step.run_tags, lambda e: self._lay_aside(e, step, table)):
            build = self._build(step, table)
            made = build.commit(obj)
            build.give_up(made.refused)
            self._builds.clear()
            if made.made:
                self.lake.tidy_now_and_then(made.snapshot)
        self._report(context, made)
        if made.refused:
            raise refused(table.name, made.refused, len(made.made))

    def _build(self, step: Any, table: Table) -> Build:
        key = (step.step.key, step.previous_attempt_count)
        if key not in self._builds:
            self._builds.clear()  # a former step or attempt has no use for it any more
            self._before = REQUESTS.made()
            self._began = time.monotonic()
            if not self._looked or step.previous_attempt_count:
                self.lake.lake().look()
                self._looked = True
            self._builds[key] = Build(
                self.lake.lake(),
                table,
                _requested(step, table),
                rebuild=bool((step.op_config or {}).get(REBUILD)),
                broken=self._broken.get(table.name),
            )
        return self._builds[key]

    def _lay_aside(self, error: BaseException, step: Any, table: Table) -> bool:
        """Whether the step failed for some partitions only; these are left out from now on."""
        if isinstance(error, PlanChanged) and step.previous_attempt_count < _RACES:
            return False
        build = self._builds.get((step.step.key, step.previous_attempt_count))
        broken = build.broken() if build is not None else {}
        self._broken.setdefault(table.name, {}).update(broken)
        for key, reason in broken.items():
            step.log.error(f"{table.name} {key}: {reason}")
        return bool(broken)

    def _report(self, context: OutputContext, made: Made) -> None:
        table, step = made.snapshot.table, context.step_context
        requests = REQUESTS.since(self._before)
        common = found.of_step(made, time.monotonic() - self._began, requests)
        for key, findings in made.findings.items():
            for finding in findings:
                DagsterEvent.asset_check_evaluation(step, evaluation(table.name, key, finding))
            if key in made.refused:
                continue
            metadata = {**common, **found.of_partition(made, key, self.preview_rows)}
            if made.refused:  # the step fails, and Dagster by itself would tell of none of them
                context.log_event(
                    AssetMaterialization(context.asset_key, partition=key, metadata=metadata)
                )
            elif context.has_asset_partitions:
                step.add_asset_metadata(
                    metadata=metadata, asset_key=context.asset_key, partition_key=key
                )
            else:
                context.add_output_metadata(metadata)
        _tell(context.log, made)


def _tell(log: DagsterLogManager, made: Made) -> None:
    snapshot = made.snapshot
    if made.made:
        rows = snapshot.rows_of(made.made)
        log.info(
            f"{snapshot.table.name}: {len(made.made)} partitions made, {rows:,} rows, "
            f"version {snapshot.version}"
        )
    else:
        log.info(f"{snapshot.table.name}: nothing made anew, version {snapshot.version}")


def _table_of_step(context: InputContext) -> Table | None:
    try:
        return TABLES.get(context.op_def.name)
    except DagsterInvariantViolationError:  # loaded outside of any step
        return None


def _requested(step: Any, table: Table) -> list[str]:
    if not table.monthly:
        return [WHOLE_TABLE]
    asked = step.partition_key_range
    return months_between(asked.start, asked.end)
