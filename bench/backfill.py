"""A backfill of two years over all assets with `dagster dev`: runs and seconds, and what a resumed
one makes after its run was killed.

Run as `python -m bench.backfill [--months-per-run N] [--kill]`; sample data are generated.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from sparkify_assets.lake.lake import Lake
from sparkify_assets.partitions import months_between
from sparkify_assets.refresh.run_tags import months_of
from sparkify_assets.sample import Sample, write_sample
from sparkify_assets.tables import BUILT, RAW_LOGS, RAW_SONGS, SONGPLAYS
from sparkify_assets_tests.dagster_dev import PROJECT, DagsterDev, all_processes, until

FIRST, LAST = "2018-11", "2020-10"
ASSETS = [table.name for table in (RAW_SONGS, RAW_LOGS, *BUILT)]
MONTHS = months_between(FIRST, LAST)
_MOST_SECONDS = 1800
_MADE = """
query ($key: AssetKeyInput!) { assetNodeOrError(assetKey: $key) { ... on AssetNode {
  assetMaterializations(limit: 500) { runId partition metadataEntries {
    label ... on BoolMetadataEntry { boolValue } ... on IntMetadataEntry { intValue } } }
} } }
"""


def main() -> None:
    """Print what was seen."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--months-per-run", type=int, default=12, help="0: all")
    parser.add_argument("--kill", action="store_true", help="kill the second run, then resume")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder = Path(name)
        write_sample(
            folder / "landing",
            Sample(songs=250, users=100, events=2_000, first_month=FIRST, last_month=LAST),
        )
        with DagsterDev(**_settings(folder, given.months_per_run)) as dev:
            dev.repository()
            backfill = dev.launch_backfill(ASSETS, MONTHS)
            if given.kill:
                _kill_second(dev)
            _watch(dev, backfill)
            if given.kill:
                resumed = dev.resume_backfill(backfill)
                _say("resumed")
                _watch(dev, resumed)
        plays = Lake.at(str(folder / "lake")).snapshot(SONGPLAYS)
        _say(f"songplays: {plays.rows:,} rows in {len(plays.partitions)} months")


def _settings(folder: Path, per_run: int) -> dict[str, str]:
    home = folder / "dagster"
    home.mkdir()
    instance = (PROJECT / "dagster.yaml").read_text()
    (home / "dagster.yaml").write_text(instance.replace(".dagster", f"{home}/.dagster"))
    return {
        "DAGSTER_HOME": str(home),
        "SPARKIFY_LANDING": str(folder / "landing"),
        "SPARKIFY_LAKE": str(folder / "lake"),
        "SPARKIFY_LAST_MONTH": LAST,
        "SPARKIFY_BACKFILL_MONTHS": str(per_run),
    }


def _kill_second(dev: DagsterDev) -> None:
    """Kill the process of the second run over months that makes songplays, in its middle."""
    first = until(lambda: _monthly(dev), _MOST_SECONDS)[0]["runId"]
    second = until(lambda: [r for r in _monthly(dev) if r["runId"] != first], _MOST_SECONDS)[0]
    time.sleep(3)
    runs = [p.pid for p in all_processes() if p.group == dev.group and "spawn_main" in p.arguments]
    os.kill(max(runs), signal.SIGKILL)
    _say(f"killed run {second['runId'][:8]} over {_range(second)}")


def _monthly(dev: DagsterDev) -> list[dict[str, Any]]:
    return [r for r in dev.runs() if r["status"] == "STARTED" and months_of(r["tags"])]


def _watch(dev: DagsterDev, backfill: str) -> None:
    began = time.monotonic()
    until(lambda: not dev.backfill(backfill).startswith(("REQUESTED", "FAILING")), _MOST_SECONDS)
    _say(f"{dev.backfill(backfill)} after {time.monotonic() - began:.0f} s")
    runs = [r for r in dev.runs() if r["tags"].get("dagster/backfill") == backfill]
    for run in reversed(runs):
        made = _made(dev, run["runId"])
        _say(
            f"  run {run['runId'][:8]} {run['status']:8} {_range(run):20} "
            f"{(run['endTime'] or 0) - (run['startTime'] or 0):5.1f} s  "
            + ", ".join(f"{name} {count}" for name, count in made.items())
        )
    _say(f"  {len(runs)} runs")


def _range(run: dict[str, Any]) -> str:
    months = months_of(run["tags"])
    return f"{months[0]}..{months[-1]}" if months else "(no months)"


def _made(dev: DagsterDev, run_id: str) -> Counter[str]:
    """Partitions made anew by a run, by table."""
    made: Counter[str] = Counter()
    for name in ASSETS:
        found = dev.ask(_MADE, key={"path": [name]})["assetNodeOrError"]["assetMaterializations"]
        made[name] = sum(1 for one in found if one["runId"] == run_id)
    return +made


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
