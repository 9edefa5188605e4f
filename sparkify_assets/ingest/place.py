"""Where a raw row stands: its scope and its batch, as the partition of its part says."""

from __future__ import annotations

from sparkify_assets.ingest.landing import SONG_SCOPE
from sparkify_assets.lake.log import StoredPart


def place_of(part: StoredPart) -> tuple[str, str]:
    """Scope (a month of log files, or `songs`) and batch of a part of a raw table."""
    values = part.partition
    return values.get("landing_month") or values.get("scope") or SONG_SCOPE, values["batch"]
