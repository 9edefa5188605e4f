"""Tags of Dagster runs that are not only for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sparkify_assets.partitions import months_between

# The lake that a run is for, and the engine that it has.
LAKE_TAG = "sparkify/lake"
ENGINE_TAG = "sparkify/engine"
# On each run of a job that makes things again though they are up to date: without its
# configuration it would make nothing, and succeed.
AGAIN_TAG = "sparkify/again"
_ONE = "dagster/partition"
_FIRST = "dagster/asset_partition_range_start"
_LAST = "dagster/asset_partition_range_end"


def range_tags(months: Sequence[str]) -> dict[str, str]:
    """The tags by which Dagster runs a range of months as one."""
    return {_FIRST: months[0], _LAST: months[-1]}


def months_of(tags: Mapping[str, str]) -> list[str]:
    """The months that a run with these tags is for; none where it was started without."""
    if _FIRST in tags and _LAST in tags:
        return months_between(tags[_FIRST], tags[_LAST])
    return [tags[_ONE]] if tags.get(_ONE) else []
