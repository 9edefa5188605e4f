"""What all assets share: configuration, descriptions, how ranges of months are run."""

from collections.abc import Callable, Mapping
from typing import Any

from dagster import (
    AssetIn,
    AssetKey,
    AssetsDefinition,
    BackfillPolicy,
    Field,
    PartitionsDefinition,
    asset,
)
from pyspark.sql import DataFrame

from sparkify_assets.io_managers.s3_parquet import REBUILD
from sparkify_assets.tables import Table

REBUILD_CONFIG = {
    REBUILD: Field(
        bool,
        default_value=False,
        description="Make the requested partitions again, also where they are up to date.",
    )
}

# One run for a range of months: one session, and each table's months in one query.
ONE_RUN = BackfillPolicy.single_run()


def table_asset(
    table: Table,
    months: PartitionsDefinition[str],
    transform: Callable[..., DataFrame],
    *,
    group: str,
) -> AssetsDefinition:
    """The asset of a table: its transform, fed with the upstream tables that are its parameters.

    The parameters of `transform` are named like the upstream assets.
    """
    options: Mapping[str, Any] = (
        {"partitions_def": months, "backfill_policy": ONE_RUN} if table.monthly else {}
    )
    definition: AssetsDefinition = asset(
        name=table.name,
        description=table.description,
        group_name=group,
        code_version=str(table.code_version),
        config_schema=REBUILD_CONFIG,
        ins={name: AssetIn(AssetKey(name)) for name in table.reads},
        **options,
    )(transform)
    return definition
