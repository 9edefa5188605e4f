"""How long from a put into the bucket until the rows are in songplays, with `dagster dev`.

Run as `python -m bench.latency [FILES]`; prints the seconds of each file, then
median and 95th percentile. An S3 server is started for it.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

from sparkify_assets.lake.lake import Lake
from sparkify_assets.sensors.new_files import NAME
from sparkify_assets.tables import SONGPLAYS
from sparkify_assets_tests.dagster_dev import PROJECT, DagsterDev, until
from sparkify_assets_tests.s3.fixtures import environment, new_bucket
from sparkify_assets_tests.s3.servers import MINISTACK, start
from sparkify_assets_tests.s3.zone import BucketZone
from sparkify_assets_tests.zone import event


def measure(files: int) -> list[float]:
    """Seconds from put to queryable, one file after another."""
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
        }
        with DagsterDev(**settings) as dev:
            dev.repository()
            dev.start_sensor(NAME)
            until(lambda: [r for r in dev.runs() if r["status"] == "SUCCESS"])
            seconds = []
            for number in range(files):
                key = f"log_data/2018/11/{number:02d}-events.json"
                zone.logs(key, *[event(sessionId=number, itemInSession=i) for i in range(100)])
                put = time.monotonic()
                until(lambda n=number: _rows(uri) == 100 * (n + 1), 300, 0.1)  # type: ignore[misc]
                seconds.append(time.monotonic() - put)
                print(f"{key}: {seconds[-1]:.1f} s", flush=True)
    return seconds


def _rows(uri: str) -> int:
    found = Lake.at(uri).find(SONGPLAYS)
    return found.rows if found else 0


if __name__ == "__main__":
    took = measure(int(sys.argv[1]) if len(sys.argv) > 1 else 20)
    p95 = sorted(took)[max(0, round(0.95 * len(took)) - 1)]
    print(f"median {statistics.median(took):.1f} s, p95 {p95:.1f} s, n {len(took)}")
