"""The IO manager: assets take and return DataFrames, the lake gets whole partitions.

For one step Dagster calls `load_input` for each upstream table, then the asset's function, then
`handle_output`. All of them work on one `Build` (see `refresh.build`), made at the first call:

- it fixes the version of the table to be made, the ledger and the upstream tables: as they were
  when the run's first table was begun, with what the run itself has made since;
- it finds which of the requested partitions are out of date; `load_input` returns a DataFrame of
  what just these are made from, and `handle_output` replaces just these;
- where another run was quicker, the step is tried again, on a new `Build`.

A month, a range of months and a whole table go the same way.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from dagster import (
    ConfigurableIOManager,
    DagsterInvariantViolationError,
    DagsterLogManager,
    InputContext,
    MetadataValue,
    OutputContext,
    ResourceDependency,
    RetryRequested,
)
from pydantic import PrivateAttr
from pyspark.sql import DataFrame

from sparkify_assets.errors import PlanChanged
from sparkify_assets.lake.frames import read_frame
from sparkify_assets.lake.parts import Written
from sparkify_assets.lake.snapshot import Snapshot
from sparkify_assets.partitions import months_between
from sparkify_assets.refresh.build import Build
from sparkify_assets.resources.spark import SparkResource
from sparkify_assets.resources.storage import LakeResource
from sparkify_assets.storage.requests import REQUESTS
from sparkify_assets.tables import TABLES, WHOLE_TABLE, Table

_MOST_ATTEMPTS = 8
# The assets' configuration: make every requested partition, also where it is up to date.
REBUILD = "rebuild"


class S3ParquetIOManager(ConfigurableIOManager):
    """Reads and writes the tables of the lake as Spark DataFrames.

    An asset's name is its table's name; its declaration stands in `tables`.
    """

    lake: ResourceDependency[LakeResource]
    spark: ResourceDependency[SparkResource]
    _looked: bool = PrivateAttr(default=False)
    _before: dict[str, int] = PrivateAttr(default_factory=REQUESTS.made)
    _builds: dict[tuple[str, int], Build] = PrivateAttr(default_factory=dict)

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
        build = self._build(context.step_context, table)
        with _planning_again(context.log):
            return build.read(self.spark.session, name)

    def handle_output(self, context: OutputContext, obj: DataFrame) -> None:
        """Put the rows in place of the partitions that were out of date, in one commit."""
        if not isinstance(obj, DataFrame):
            raise TypeError(
                f"asset {context.asset_key.to_user_string()} returned {type(obj).__name__}; "
                "expected a Spark DataFrame with the table's columns"
            )
        build = self._build(context.step_context, TABLES[context.asset_key.path[-1]])
        self._builds.clear()
        with _planning_again(context.log):
            snapshot, written = build.commit(obj)
        if build.keys:
            self.lake.tidy_now_and_then(snapshot)
        self._report(context, build, snapshot, written)

    def _build(self, step: Any, table: Table) -> Build:
        key = (step.step.key, step.previous_attempt_count)
        if key not in self._builds:
            self._builds.clear()  # a former step or attempt has no use for it any more
            self._before = REQUESTS.made()
            if not self._looked or step.previous_attempt_count:
                self.lake.lake().look()
                self._looked = True
            self._builds[key] = Build(
                self.lake.lake(),
                table,
                _requested(step, table),
                rebuild=bool((step.op_config or {}).get(REBUILD)),
            )
        return self._builds[key]

    def _report(
        self, context: OutputContext, build: Build, snapshot: Snapshot, written: Written
    ) -> None:
        table = snapshot.table
        made = REQUESTS.since(self._before)
        common: dict[str, Any] = {
            **({"s3_requests": MetadataValue.json(made)} if made else {}),
            "delta_version": snapshot.version,
            "dagster/uri": MetadataValue.path(snapshot.location.uri),
            "dagster/table_name": table.name,
        }
        if not context.has_asset_partitions:
            context.add_output_metadata(
                {**common, **_counts(snapshot, WHOLE_TABLE, bool(build.keys))}
            )
        else:
            for key in context.asset_partition_keys:
                context.step_context.add_asset_metadata(
                    metadata={**common, **_counts(snapshot, key, key in build.keys)},
                    asset_key=context.asset_key,
                    partition_key=key,
                )
        if build.keys:
            context.log.info(
                f"{table.name}: {sum(part.rows for part in written.parts):,} rows in "
                f"{len(written.parts)} files, version {snapshot.version}"
            )
        else:
            context.log.info(f"{table.name}: already up to date, version {snapshot.version}")


@contextmanager
def _planning_again(log: DagsterLogManager) -> Iterator[None]:
    """Try the step again, on a new `Build`, where another run changed what it was planned from."""
    try:
        yield
    except PlanChanged as change:
        log.warning(f"{change}; planning again")
        raise RetryRequested(max_retries=_MOST_ATTEMPTS) from change


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


def _counts(snapshot: Snapshot, key: str, made: bool) -> Mapping[str, Any]:
    parts = snapshot.parts_of([key])
    return {
        "dagster/partition_row_count" if snapshot.table.monthly else "dagster/row_count": sum(
            part.rows for part in parts
        ),
        "size_bytes": sum(part.size for part in parts),
        "files": len(parts),
        "made_again": made,
    }
