"""The job `refresh`: what is new and out of date, for a month or a range."""

from collections.abc import Mapping

from dagster import define_asset_job
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

REFRESH = "refresh"


def refresh_job(tags: Mapping[str, str]) -> UnresolvedAssetJobDefinition:
    """Over all assets."""
    return define_asset_job(
        REFRESH,
        selection="*",
        description="Take in what is new and make every table current, for a month or a range of "
        "months (one run for neighbouring months). What is up to date already is left as it is.",
        tags=tags,
    )
