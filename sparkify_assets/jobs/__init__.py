"""The jobs, one a module: what can be launched under a name of its own.

`all_jobs` is what `composition` puts into the definitions.
"""

from collections.abc import Mapping

from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

from sparkify_assets.jobs.rebuild import rebuild_job
from sparkify_assets.jobs.refresh import refresh_job
from sparkify_assets.jobs.rematch import rematch_job


def all_jobs(tags: Mapping[str, str]) -> list[UnresolvedAssetJobDefinition]:
    """Every job; `tags` are put on each of their runs."""
    return [
        refresh_job(tags),
        rebuild_job(tags),
        rematch_job(tags),
    ]
