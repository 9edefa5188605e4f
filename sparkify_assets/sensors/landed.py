"""What the sensor tells of the landing zone itself: files and bytes of the external assets.

Each tick lists the whole zone anyhow; what changed since the last telling becomes a materialization
of `log_data` (by month) or `song_data`, with a data version, so that Dagster knows what is newer
than the raw tables.
"""

from __future__ import annotations

from collections.abc import Mapping

from dagster import AssetKey, AssetMaterialization
from dagster._core.definitions.data_version import DATA_VERSION_TAG  # no public name for it yet

from sparkify_assets.ingest.files import Files, LandingFile, file_digest, numbers_of, sum_of
from sparkify_assets.ingest.landing import LOGS, SONG_SCOPE, SONGS, Listing
from sparkify_assets.ingest.plan import READER_VERSION


def landed(
    listing: Listing, told: Mapping[str, str]
) -> tuple[list[AssetMaterialization], dict[str, str]]:
    """What is to be told now, and what was told by then: a data version by scope.

    A listing that does not cover a scope (notifications, or one that takes several ticks) says
    nothing of it.
    """
    events, now = [], dict(told)
    for scope in sorted({*listing.scopes, *told}):
        if not listing.covers(scope):
            continue
        files = listing.of(scope)
        version = str(sum_of(numbers_of(map(_digest, files))))
        if told.get(scope) != version:
            events.append(_event(scope, files, version))
            now[scope] = version
    return events, now


def _digest(file: LandingFile) -> bytes:
    return file_digest(file.key, file.etag, file.size, READER_VERSION)


def _event(scope: str, files: Files, version: str) -> AssetMaterialization:
    songs = scope == SONG_SCOPE
    return AssetMaterialization(
        AssetKey(SONGS if songs else LOGS),
        description="As listed in the landing zone.",
        partition=None if songs else scope,
        metadata={"files": len(files), "bytes": files.bytes},
        tags={DATA_VERSION_TAG: version},
    )
