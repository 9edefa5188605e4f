"""Tags of Dagster runs that are not only for people."""

from __future__ import annotations

from collections.abc import Sequence


def range_tags(months: Sequence[str]) -> dict[str, str]:
    """The tags by which Dagster runs a range of months as one."""
    return {
        "dagster/asset_partition_range_start": months[0],
        "dagster/asset_partition_range_end": months[-1],
    }
