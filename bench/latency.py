"""How long from a put into the bucket until queries see its rows, with `dagster dev`.

Run as `python -m bench.latency [FILES] [INTERVAL]` (50 files, a look of the sensor every 5
seconds); prints the seconds of each file and of what they are made of, then median and 95th
percentile. Files land at any moment between two looks. An S3 server is started for it, on the same
machine.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import tempfile
import time
from collections.abc import Iterator
from dataclasses import astuple, dataclass
from pathlib import Path

from bench.measure import p95
from sparkify_assets.lake.lake import Lake
from sparkify_assets.lake.release import newest_release
from sparkify_assets.sensors.new_files import NAME
from sparkify_assets.tables import SONGPLAYS
from sparkify_assets_tests.dagster_dev import PROJECT, DagsterDev, until
from sparkify_assets_tests.s3.fixtures import environment, new_bucket
from sparkify_assets_tests.s3.servers import MINISTACK, start
from sparkify_assets_tests.s3.zone import BucketZone
from sparkify_assets_tests.zone import event

_PARTS = ("all", "until the sensor asked for a run", "until the run began", "the run's work")
_ROWS = 100
_PAUSE = 0.1


@dataclass(frozen=True)
class Latency:
    """Seconds from a put until its rows are in the newest release, and the parts of it.

    Attributes:
        noticed: until the sensor asked for a run.
        launched: from there until the run began: its place in the queue, a process, its packages.
        worked: from there until the release.
    """

    total: float
    noticed: float
    launched: float
    worked: float


def measure(files: int, interval: int) -> Iterator[Latency]:
    """Of one file after another; `interval`: seconds between two looks of the sensor."""
    moments = random.Random(files)  # noqa: S311 -- when a file lands
    # Dagster's processes may still write while they end.
    folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
    with start(MINISTACK) as server, folder as home:
        os.environ |= environment(server.endpoint)
        landing, lake = new_bucket(server), new_bucket(server)
        zone = BucketZone(server.endpoint, f"s3://{landing}/in")
        zone.song()
        uri = f"s3://{lake}/lake"
        # The project's own instance, with its history elsewhere.
        instance = (PROJECT / "dagster.yaml").read_text()
        Path(home, "dagster.yaml").write_text(instance.replace(".dagster", f"{home}/.dagster"))
        settings = {
            "DAGSTER_HOME": home,
            "SPARKIFY_LANDING": zone.uri,
            "SPARKIFY_LAKE": uri,
            "SPARKIFY_LAST_MONTH": "2018-12",
            "SPARKIFY_SENSOR_SECONDS": str(interval),
        }
        with DagsterDev(**settings) as dev:
            dev.repository()
            dev.start_sensor(NAME)
            until(lambda: [r for r in dev.runs() if r["status"] == "SUCCESS"])
            for number in range(files):
                time.sleep(moments.uniform(0, interval))
                key = f"log_data/2018/11/{number:02d}-events.json"
                zone.logs(key, *[event(sessionId=number, itemInSession=i) for i in range(_ROWS)])
                put = time.time()
                until(lambda n=number: _released(uri) == _ROWS * (n + 1), 300, _PAUSE)  # type: ignore[misc]
                seen = time.time()
                run = dev.runs()[0]
                asked, began = run["creationTime"], run["startTime"]
                yield Latency(seen - put, asked - put, began - asked, seen - began)


def _released(uri: str) -> int:
    """Rows of songplays in the newest release: what a query would count."""
    lake = Lake.at(uri)
    release = newest_release(lake)
    found = lake.find(SONGPLAYS) if release else None
    if release is None or found is None or release.versions[SONGPLAYS.name] != found.version:
        return 0  # nothing yet, or a run is between the table and the release
    return found.rows


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m bench.latency")
    parser.add_argument("files", type=int, nargs="?", default=50)
    parser.add_argument("interval", type=int, nargs="?", default=5, help="seconds (5)")
    given = parser.parse_args()
    took = []
    for one in measure(given.files, given.interval):
        took.append(one)
        print(" ".join(f"{seconds:6.2f}" for seconds in astuple(one)), flush=True)
    print("\n| seconds | median | p95 |\n| --- | ---: | ---: |")
    for name, values in zip(_PARTS, zip(*map(astuple, took), strict=True), strict=True):
        print(f"| {name} | {statistics.median(values):.1f} | {p95(values):.1f} |")
    print(f"\n{len(took)} files")
