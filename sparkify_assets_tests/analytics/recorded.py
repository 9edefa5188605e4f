"""Lakes made by `sparkify run`. Each costs seconds: for fixtures that live long."""

from __future__ import annotations

from pathlib import Path

from sparkify_assets.lake.lake import Lake
from sparkify_assets_tests import processes


def loaded(landing: Path, lake: Path, first_month: str, last_month: str) -> Lake:
    """The lake of a landing zone."""
    processes.finish(
        processes.start(
            "run", "--landing", str(landing), "--lake", str(lake), "--format", "json",
            SPARKIFY_FIRST_MONTH=first_month, SPARKIFY_LAST_MONTH=last_month,
        )
    )  # fmt: skip
    return Lake.at(str(lake))
