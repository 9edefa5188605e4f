"""The job `rebuild`: a month or a range read again from the landing files, all tables again."""

from collections.abc import Mapping

from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

from sparkify_assets.jobs.again import job_again
from sparkify_assets.tables import BUILT, RAW_LOGS, RAW_SONGS

REBUILD_JOB = "rebuild"


def rebuild_job(tags: Mapping[str, str]) -> UnresolvedAssetJobDefinition:
    """Over all assets, with `rebuild: true` for each."""
    return job_again(
        REBUILD_JOB,
        [table.name for table in (RAW_SONGS, RAW_LOGS, *BUILT)],
        "Read the landing files of a month or a range of months again, and all song files, and "
        "make every table of these months again, also where all is up to date. For when somebody "
        "changed files in the lake, or a reader was mended; new, changed and late files need no "
        "rebuild, `refresh` takes them in. Neighbouring months are one run. Readers see each "
        "table before or after, as always. On the command line: `sparkify run --rebuild --month`.",
        tags,
    )
