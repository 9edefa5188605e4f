"""`make demo-s3`: an S3 server, sample data, `dagster dev` with the sensor on, and an answer.

Nothing is needed but this project's development packages; everything runs on 127.0.0.1 and is
removed at the end.
"""

from __future__ import annotations

import json
import os
import tempfile
import time
from pathlib import Path
from typing import Any

from sparkify_assets.cli.demo import show_top_songs
from sparkify_assets.cli.output import console, print_table, say
from sparkify_assets.lake.lake import Lake
from sparkify_assets.sample import Sample, write_sample
from sparkify_assets.sensors.new_files import NAME
from sparkify_assets.settings import load_settings
from sparkify_assets.tables import SONGPLAYS
from sparkify_assets_tests.dagster_dev import DagsterDev, until
from sparkify_assets_tests.s3.fixtures import environment
from sparkify_assets_tests.s3.servers import MINISTACK, make_bucket, put, start, upload

LANDING, LAKE = "s3://sparkify-landing/demo", "s3://sparkify-lake/demo"
_DONE = {"SUCCESS", "FAILURE", "CANCELED"}


def demo() -> None:
    """The whole path: files land in a bucket, and are in the tables without another command."""
    # Dagster's processes may still write while they end.
    temporary = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
    with temporary as folder, start(MINISTACK) as server:
        os.environ |= environment(server.endpoint)
        load_settings(landing=LANDING, lake=LAKE)
        console.rule(f"an S3 server on {server.endpoint}", align="left")
        home = Path(folder, "dagster")
        home.mkdir()
        (home / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
        write_sample(Path(folder, "sample"), Sample(songs=150, events=3_000))
        for bucket in ("sparkify-landing", "sparkify-lake"):
            make_bucket(server.endpoint, bucket)
        keys = upload(server.endpoint, Path(folder, "sample"), "sparkify-landing", "demo")
        say(f"{len(keys)} files were put into {LANDING}.")
        console.rule("dagster dev, with the sensor new_files on", align="left")
        with DagsterDev(
            DAGSTER_HOME=str(home),
            SPARKIFY_LANDING=LANDING,
            SPARKIFY_LAKE=LAKE,
            SPARKIFY_LAST_MONTH="2018-11",
            SPARKIFY_SENSOR_SECONDS="5",
        ) as dev:
            dev.start_sensor(NAME)
            say("The sensor looks at the bucket and asks for runs; these take half a minute …")
            _settled(dev, at_least=2)
            _show_runs(dev)
            plays = _plays()
            say(f"songplays has {plays:,} rows. One more file is put into the bucket …")
            _put_one_more(server.endpoint)
            began = time.monotonic()
            until(lambda: _plays() > plays, 180, 0.2)
            say(f"… and {time.monotonic() - began:.0f} s later songplays has {_plays():,} rows.")
            _settled(dev, at_least=3)
            _show_runs(dev)
        console.rule("the most played songs", align="left")
        show_top_songs(LAKE)
        say("Next: docs/s3.md tells how to run this against AWS, MinIO or R2.")


def _plays() -> int:
    found = Lake.at(LAKE).find(SONGPLAYS)
    return found.rows if found else 0


def _settled(dev: DagsterDev, at_least: int) -> None:
    def ended() -> bool:
        runs = dev.runs()
        quiet = "Nothing to start" in ((dev.ticks(NAME) or [{}])[0].get("skipReason") or "")
        return quiet and len(runs) >= at_least and all(run["status"] in _DONE for run in runs)

    until(ended, 240)


def _show_runs(dev: DagsterDev) -> None:
    rows = [
        (
            run["tags"].get("sparkify/group"),
            run["status"],
            f"{(run['endTime'] or 0) - (run['startTime'] or 0):.1f} s",
            run["tags"].get("sparkify/why"),
        )
        for run in reversed(dev.runs())
    ]
    print_table("Runs so far", ["run for", "status", "took", "why"], rows, right=["took"])


def _put_one_more(endpoint: str) -> None:
    event: dict[str, Any] = {
        "artist": "The Demo", "auth": "Logged In", "firstName": "Ada", "gender": "F",
        "lastName": "Lovelace", "length": 200.5, "level": "free", "location": "London",
        "method": "PUT", "page": "NextSong", "registration": 1.54e12, "sessionId": 999_999,
        "song": "Just Landed", "status": 200, "userAgent": "demo", "userId": "999999",
    }  # fmt: skip
    lines = [
        json.dumps({**event, "itemInSession": n, "ts": 1_542_240_000_000 + n * 1000})
        for n in range(500)
    ]
    key = "demo/log_data/2018/11/just-landed.json"
    put(endpoint, "sparkify-landing", key, "\n".join(lines).encode())


if __name__ == "__main__":
    demo()
