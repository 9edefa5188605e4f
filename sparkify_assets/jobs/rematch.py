"""The job `rematch`: the plays of a month or a range matched again with the present songs."""

from collections.abc import Mapping

from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

from sparkify_assets.jobs.again import job_again
from sparkify_assets.tables import SONG_MATCHES, SONGPLAYS, TIME

REMATCH = "rematch"


def rematch_job(tags: Mapping[str, str]) -> UnresolvedAssetJobDefinition:
    """Over what depends on the songs by month."""
    return job_again(
        REMATCH,
        [table.name for table in (SONG_MATCHES, SONGPLAYS, TIME)],
        "Match the plays of a month or a range of months again with the songs as they are now: "
        "song_matches, songplays and time are made again, no file is read. For when the "
        "catalogue was put right by hand; new song files need no rematch, `refresh` and the "
        "sensor find which months they concern. Neighbouring months are one run.",
        tags,
    )
