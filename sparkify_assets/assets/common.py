"""What all assets share: configuration, what they tell of themselves, how ranges are run."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from inspect import Signature, signature
from typing import Any

from dagster import (
    AssetIn,
    AssetKey,
    AssetsDefinition,
    BackfillPolicy,
    Field,
    FreshnessPolicy,
    Output,
    PartitionsDefinition,
    asset,
)
from pyspark.sql import DataFrame

from sparkify_assets.checks.results import nothing_more
from sparkify_assets.checks.specs import AUDITED, specs
from sparkify_assets.io_managers.s3_parquet import REBUILD
from sparkify_assets.metadata.definition import description, table_metadata, tags
from sparkify_assets.tables import Table

REBUILD_CONFIG = {
    REBUILD: Field(
        bool,
        default_value=False,
        description="Make the requested partitions again, also where they are up to date.",
    )
}


@dataclass(frozen=True)
class Common:
    """What is the same for every asset of a code location.

    Attributes:
        lake: where the tables are, a URI.
        owners: as Dagster writes them: `team:name` or an e-mail address.
        fresh_hours: after how many hours without new data a table counts as overdue; None: never.
        backfill_months: how many months one run of a backfill makes: one session, and each
            table's months in one query. 0: all of them.
    """

    months: PartitionsDefinition[str]
    lake: str
    owners: Sequence[str]
    fresh_hours: float | None = None
    backfill_months: int = 0

    def of(self, table: Table, layer: str, kinds: set[str]) -> dict[str, Any]:
        """The arguments of `asset` that describe a table."""
        partitions = {"partitions_def": self.months, "backfill_policy": self.backfill_policy()}
        by_month = table.monthly or "landing_month" in table.partition_by
        return {
            "name": table.name,
            "description": description(table),
            "group_name": layer,
            "owners": list(self.owners),
            "kinds": kinds,
            "tags": tags(table, layer),
            "metadata": table_metadata(table, self.lake),
            "config_schema": REBUILD_CONFIG,
            **(partitions if by_month else {}),
        }

    def backfill_policy(self) -> BackfillPolicy:
        """How many months go into one run of a backfill."""
        if self.backfill_months:
            return BackfillPolicy.multi_run(self.backfill_months)
        return BackfillPolicy.single_run()

    def freshness(self) -> FreshnessPolicy | None:
        """The policy of assets that change whenever something lands."""
        if self.fresh_hours is None:
            return None
        return FreshnessPolicy.time_window(fail_window=timedelta(hours=self.fresh_hours))


def table_asset(
    table: Table,
    common: Common,
    transform: Callable[..., DataFrame],
    *,
    group: str,
    live: bool = False,
) -> AssetsDefinition:
    """The asset of a table: its transform, fed with the upstream tables that are its parameters.

    The parameters of `transform` are named like the upstream assets. `live`: it changes whenever
    something lands.
    """

    def make(**inputs: DataFrame) -> Iterator[Any]:
        yield Output(transform(**inputs))
        # The IO manager told their results, month by month, when it stored that output.
        yield from nothing_more(table.name, AUDITED)

    # Dagster reads the inputs off the signature.
    make.__signature__ = _yielding(transform)  # type: ignore[attr-defined]
    definition: AssetsDefinition = asset(
        **common.of(table, group, {"pyspark", "deltalake", "parquet"}),
        code_version=str(table.code_version),
        ins={name: AssetIn(AssetKey(name)) for name in table.reads},
        check_specs=specs(table, AUDITED, common.months if table.monthly else None),
        freshness_policy=common.freshness() if live else None,
    )(make)
    return definition


def _yielding(transform: Callable[..., DataFrame]) -> Signature:
    """The transform's signature, of a function that yields what it returns."""
    return signature(transform, eval_str=True).replace(return_annotation=Signature.empty)
