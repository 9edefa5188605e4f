"""What one more day of logs costs, on a lake with 1 month of history, with 24 and with 120.

Run as `python -m bench.incremental`; the last days of the newest month land one after the other, on
each lake in turn. In folders it tells seconds and bytes read; in buckets of an S3 server that is
started for it, requests as well.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from bench.measure import Measured, measure
from sparkify_assets.sample import Sample, write_sample
from sparkify_assets_tests.processes import COMMAND
from sparkify_assets_tests.s3.fixtures import environment, new_bucket
from sparkify_assets_tests.s3.servers import MOTO, start
from sparkify_assets_tests.s3.zone import BucketZone
from sparkify_assets_tests.zone import Zone

LAST = "2018-12"
FIRST = {1: "2018-12", 24: "2017-01", 120: "2009-01"}
DAYS = (27, 28, 29, 30, 31)
_SAMPLE = Sample(songs=1_000, users=200, events=8_000, last_month=LAST)


@dataclass
class History:
    """A lake with some months, into which days land."""

    months: int
    folder: Path
    zone: Zone
    landing: str
    lake: str
    held_back: dict[str, bytes]
    runs: list[Measured] = field(default_factory=list)
    requests: list[dict[str, int]] = field(default_factory=list)

    def land(self, day: int) -> None:
        """One more day of logs, and a run."""
        key = _day(day)
        self.zone.write(key, self.held_back.pop(key))
        found, requests = self._run()
        self.runs.append(found)
        self.requests.append(requests)

    def begin(self) -> None:
        """All months without the last days."""
        self._run()

    def _run(self) -> tuple[Measured, dict[str, int]]:
        places = ["--landing", self.landing, "--lake", self.lake, "--engine", "embedded"]
        command = [*COMMAND, "run", *places, "--format", "json"]
        settings = {
            "SPARKIFY_FIRST_MONTH": FIRST[self.months],
            "SPARKIFY_LAST_MONTH": LAST,
            "DAGSTER_HOME": str(self.folder / "dagster"),
        }
        log = self.folder / "run.log"
        found = measure(command, settings, self.folder / "dagster", log)
        printed = log.read_text()
        summary = json.loads(printed[printed.index("{") :])
        return found, dict(summary["requests"])


def measured(
    home: Path, places: Callable[[int, Path], tuple[Zone, str, str]], histories: tuple[int, ...]
) -> list[History]:
    """All histories, with a run for each day."""
    made = []
    for months in histories:
        folder = home / str(months)
        (folder / "dagster").mkdir(parents=True)
        (folder / "dagster" / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
        zone, landing, lake = places(months, folder)
        history = History(months, folder, zone, landing, lake, _fill(zone, months, folder))
        _say(f"{months} months: taking them in ...")
        history.begin()
        made.append(history)
    for day in DAYS:
        for history in made:
            history.land(day)
            _say(f"  {history.months} months, {LAST}-{day}: {history.runs[-1].wall:.1f} s")
    return made


def table(found: list[History]) -> str:
    """Markdown: a row for each length of history."""
    lines = [
        "| months of history | seconds | beside the shortest | CPU seconds | requests | MB read "
        "| each run, s |",
        "| ---: | ---: | ---: | ---: | --- | ---: | --- |",
    ]
    first = _median(found[0], lambda one: one.wall)
    for history in found:
        wall = _median(history, lambda one: one.wall)
        last = history.requests[-1]
        cells = [
            f"{history.months}",
            f"{wall:.2f}",
            f"{wall / first:.2f}",
            f"{_median(history, lambda one: one.cpu):.1f}",
            ", ".join(f"{number} {kind}" for kind, number in last.items()) or "none",
            f"{_median(history, lambda one: one.read) / 1e6:,.0f}",
            ", ".join(f"{one.wall:.1f}" for one in history.runs),
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _median(history: History, of: Callable[[Measured], float]) -> float:
    return statistics.median(map(of, history.runs))


def _day(day: int) -> str:
    return f"log_data/{LAST.replace('-', '/')}/{LAST}-{day:02d}-events.json"


def _fill(zone: Zone, months: int, folder: Path) -> dict[str, bytes]:
    """Write the sample to the zone; what is held back of it, by key."""
    sample = folder / "sample"
    write_sample(sample, Sample(**{**vars(_SAMPLE), "first_month": FIRST[months]}))
    held_back = {_day(day): (sample / _day(day)).read_bytes() for day in DAYS}
    for path in sorted(sample.rglob("*.json")):
        key = path.relative_to(sample).as_posix()
        if key not in held_back:
            zone.write(key, path.read_bytes())
    shutil.rmtree(sample)
    return held_back


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _in_folders(_months: int, folder: Path) -> tuple[Zone, str, str]:
    zone = Zone(folder / "landing")
    return zone, str(zone.root), str(folder / "lake")


if __name__ == "__main__":
    lengths = tuple(map(int, sys.argv[1:])) or tuple(FIRST)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as temporary:
        print("In folders:\n")
        print(table(measured(Path(temporary, "folders"), _in_folders, lengths)), flush=True)
        with start(MOTO) as server:
            os.environ |= environment(server.endpoint)

            def in_buckets(_months: int, _folder: Path) -> tuple[Zone, str, str]:
                uri = f"s3://{new_bucket(server)}/in"
                zone = BucketZone(server.endpoint, uri)
                return zone, uri, f"s3://{new_bucket(server)}/lake"

            print("\nIn buckets:\n")
            print(table(measured(Path(temporary, "buckets"), in_buckets, lengths)))
