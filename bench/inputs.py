"""What the contenders are given: generated landing zones, made once and kept."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from sparkify_assets.partitions import months_between
from sparkify_assets.sample import Sample, write_sample

_DONE = ".complete"


@dataclass(frozen=True)
class Input:
    """A landing zone by its name."""

    name: str
    title: str
    sample: Sample

    @property
    def settings(self) -> dict[str, str]:
        """The months, for the project."""
        return {
            "SPARKIFY_FIRST_MONTH": self.sample.first_month,
            "SPARKIFY_LAST_MONTH": self.sample.last_month or self.sample.first_month,
        }

    def landing(self, folder: Path) -> Path:
        """The landing zone below `folder`; made now if it is not there in full."""
        found = folder / f"input-{self.name}"
        if (found / _DONE).exists():
            return found / "landing"
        months = len(months_between(self.sample.first_month, self.settings["SPARKIFY_LAST_MONTH"]))
        print(f"{self.name}: generating {self.title} ({months} months) ...", flush=True)
        write_sample(found / "landing", self.sample)
        (found / _DONE).touch()
        return found / "landing"


_MONTHS = Sample(first_month="2017-01", last_month="2018-12")
INPUTS = {
    one.name: one
    for one in (
        Input(
            "A",
            "15,000 song files and 30 daily log files",
            Sample(songs=15_000, users=100, events=8_000, first_month="2018-11"),
        ),
        Input(
            "B",
            "1.3 GB of logs over 24 months and 20,000 song files",
            replace(_MONTHS, songs=20_000, users=5_000, events=120_000),
        ),
        Input(
            "C",
            "13 GB of logs over 24 months and 20,000 song files",
            replace(_MONTHS, songs=20_000, users=20_000, events=1_200_000),
        ),
    )
}
