"""What jobs have in common that make things again although they are up to date.

Their configuration comes with them, for a single month and for a range alike: Dagster runs
neighbouring months as one, and gives that run the configuration of the first.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from dagster import define_asset_job
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

from sparkify_assets.io_managers.s3_parquet import REBUILD
from sparkify_assets.refresh.answers import RELEASE
from sparkify_assets.refresh.run_tags import AGAIN_TAG


def job_again(
    name: str, assets: Sequence[str], description: str, tags: Mapping[str, str]
) -> UnresolvedAssetJobDefinition:
    """A job that makes these assets again, whether they are up to date or not.

    The release follows them, as in every run.
    """
    config: dict[str, Any] = {"ops": {asset: {"config": {REBUILD: True}} for asset in assets}}
    return define_asset_job(
        name,
        selection=[*assets, RELEASE],
        description=description,
        config=config,
        tags={**tags, AGAIN_TAG: "true"},
    )
