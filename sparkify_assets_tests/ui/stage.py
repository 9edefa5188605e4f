"""What the browser looks at: `dagster dev` with its own instance, landing zone and lake."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sparkify_assets.sample import Sample, write_sample
from sparkify_assets.settings import EMBEDDED
from sparkify_assets_tests.dagster_dev import PROJECT, DagsterDev
from sparkify_assets_tests.zone import Zone, event

BAD_MONTH = "2018-10"
MONTHS = ("2018-11", "2018-12", "2019-01", "2019-02")
FIRST_MONTH, LAST_MONTH = BAD_MONTH, MONTHS[-1]
BAD_FILE = "log_data/2018/10/2018-10-05-events.json"

# The project's own dagster.yaml, but everything that it keeps lies in the instance's folder.
_KEPT_HERE = "base_dir: .dagster"


@dataclass(frozen=True)
class Stage:
    """A running `dagster dev` and where its landing zone and lake are."""

    dev: DagsterDev
    landing: str
    lake: str


@contextmanager
def serve(
    folder: Path, landing: str | None = None, *, environment: dict[str, str] | None = None
) -> Iterator[Stage]:
    """`dagster dev`, once its code is loaded.

    Args:
        folder: gets the instance, the lake, and the landing zone where none is given.
        environment: more settings for it.
    """
    home = folder / "dagster"
    home.mkdir(parents=True)
    instance = (PROJECT / "dagster.yaml").read_text()
    assert _KEPT_HERE in instance, "dagster.yaml keeps its files elsewhere; adapt _KEPT_HERE"
    (home / "dagster.yaml").write_text(instance.replace(_KEPT_HERE, f"base_dir: {home}"))
    landing, lake = landing or str(folder / "landing"), str(folder / "lake")
    settings = {
        "DAGSTER_HOME": str(home),
        "SPARKIFY_LANDING": landing,
        "SPARKIFY_LAKE": lake,
        "SPARKIFY_ENGINE": EMBEDDED,
        "SPARKIFY_FIRST_MONTH": FIRST_MONTH,
        "SPARKIFY_LAST_MONTH": LAST_MONTH,
        "SPARKIFY_SENSOR_SECONDS": "1",
    }
    with DagsterDev(**{**settings, **(environment or {})}) as dev:
        dev.repository()
        yield Stage(dev, landing, lake)


def write_landing(folder: Path, *, events: int = 600, songs: int = 60) -> None:
    """A landing zone with sample data for `MONTHS`, and before them a month of mostly bad lines."""
    write_sample(
        folder,
        Sample(
            songs=songs, users=40, events=events, bad_lines=3,
            first_month=MONTHS[0], last_month=MONTHS[-1],
        ),
    )  # fmt: skip
    zone = Zone(folder)
    good = [event("2018-10-05 12:00", itemInSession=number) for number in range(4)]
    zone.logs(BAD_FILE, *good)
    spoiled = "\n".join(bad_line(number) for number in range(1, 7))
    zone.write(BAD_FILE, f"{(folder / BAD_FILE).read_text()}\n{spoiled}")


def bad_line(number: int) -> str:
    """One of the lines in `BAD_FILE` that are no JSON."""
    return f"upload broken off at byte {number}000"
