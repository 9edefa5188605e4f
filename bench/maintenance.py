"""What a maintenance saves: a month that came in by many small runs, before and after.

Run as `python -m bench.maintenance [LANDINGS]`; once with landing zone and lake in folders and
once in buckets of an S3 server that is started for it. Each figure is of a process of its own.
"""

from __future__ import annotations

import os
import resource
import sys
import tempfile
import time
from pathlib import Path

from sparkify_assets.ingest.ingest import ingest
from sparkify_assets.ingest.landing import landing_at
from sparkify_assets.ingest.plan import Rules
from sparkify_assets.lake.lake import Lake
from sparkify_assets.resources.spark import SparkResource
from sparkify_assets.tables import RAW_LOGS
from sparkify_assets_tests import processes
from sparkify_assets_tests.s3.fixtures import environment, new_bucket
from sparkify_assets_tests.s3.servers import MOTO, start
from sparkify_assets_tests.s3.zone import BucketZone
from sparkify_assets_tests.zone import Zone, event

MONTH = "2018-11"
LINES = 20


def measure(zone: Zone, landing: str, lake: str, landings: int) -> None:
    """Take files in one by one, then one more before and one more after a maintenance."""
    os.environ |= {"SPARKIFY_FIRST_MONTH": MONTH, "SPARKIFY_LAST_MONTH": MONTH}
    zone.song()
    processes.run(landing, lake)
    began = time.monotonic()
    many(zone, landing, lake, landings)
    print(f"{landings} landings: {time.monotonic() - began:.0f} s, {_parts(lake)} raw parts")
    processes.run(landing, lake)
    for number in range(3):
        land(zone, landings + number)
        _run("one file, before", landing, lake)
    report = processes.finish(processes.start("maintain", "--lake", lake, "--format", "json"))
    print(f"maintenance: {report['seconds']} s, {_parts(lake)} raw parts")
    for number in range(3):
        land(zone, landings + 3 + number)
        _run("one file, after", landing, lake)


def many(zone: Zone, landing: str, lake: str, landings: int) -> None:
    """So many small files, each taken in by itself."""
    spark = SparkResource(engine="embedded")
    months = frozenset({MONTH})
    for number in range(landings):
        land(zone, number)
        ingest(Lake.at(lake), landing_at(landing), lambda: spark.session, months, Rules(months))
    spark.stop()


def land(zone: Zone, number: int) -> None:
    """One small log file."""
    when = f"{MONTH}-{1 + number % 28:02d} {number % 24:02d}"
    zone.logs(
        f"log_data/{MONTH}-{number:05d}.json",
        *[
            event(f"{when}:{item:02d}", sessionId=number, itemInSession=item)
            for item in range(LINES)
        ],
    )


def _parts(lake: str) -> int:
    return len(Lake.at(lake).snapshot(RAW_LOGS).parts)


def _run(what: str, landing: str, lake: str) -> None:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    summary = processes.run(landing, lake)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    steps = sum(summary["seconds_by_step"].values())
    print(
        f"{what}: {summary['seconds']:.1f} s, its steps {steps:.1f} s, processor {cpu:.1f} s, "
        f"requests {summary['requests']}",
        flush=True,
    )


if __name__ == "__main__":
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
        Path(home, "dagster.yaml").write_text("telemetry: {enabled: false}\n")
        os.environ["DAGSTER_HOME"] = home
        print("in folders")
        folder = Zone(Path(home, "landing"))
        measure(folder, str(folder.root), str(Path(home, "lake")), number)
        with start(MOTO) as server:
            os.environ |= environment(server.endpoint)
            print("in buckets")
            uri = f"s3://{new_bucket(server)}/in"
            bucket = BucketZone(server.endpoint, uri)
            measure(bucket, uri, f"s3://{new_bucket(server)}/lake", number)
