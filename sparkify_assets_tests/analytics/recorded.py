"""Lakes with a release, made by runs. Each costs seconds: for fixtures that live long."""

from __future__ import annotations

from pathlib import Path

from sparkify_assets.lake.lake import Lake
from sparkify_assets.lake.release import newest_release, record_release
from sparkify_assets.refresh.report import versions
from sparkify_assets_tests import processes


def loaded(landing: Path, lake: Path, first_month: str, last_month: str) -> Lake:
    """The lake of a landing zone, with a release."""
    processes.finish(
        processes.start(
            "run", "--landing", str(landing), "--lake", str(lake), "--format", "json",
            SPARKIFY_FIRST_MONTH=first_month, SPARKIFY_LAST_MONTH=last_month,
        )
    )  # fmt: skip
    return released(Lake.at(str(lake)))


def released(lake: Lake) -> Lake:
    """The same lake; its tables as they are now are a release."""
    if newest_release(lake) is None:
        record_release(lake, None, versions(lake))
    return lake
