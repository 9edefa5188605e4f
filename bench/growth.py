"""What thousands of small landings leave behind, and what a maintenance makes of it.

Run as `python -m bench.growth [LANDINGS]` (10,000). Each landing is a file of ten lines in a month
of one year: taken into the ledger and raw_logs, and followed by a commit that replaces that month
of songplays. For speed files are read in this process and not in tasks; what is written is the
same. Before the maintenance the lake's files are dated as if a file had landed every five minutes:
a log's versions are kept for a day. Each look is a process of its own.
"""

from __future__ import annotations

import importlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from sparkify_assets.ingest import ingest as taking_in
from sparkify_assets.ingest.files import LandingFile
from sparkify_assets.ingest.landing import landing_at
from sparkify_assets.ingest.ledger import read_ledger
from sparkify_assets.ingest.plan import Rules
from sparkify_assets.ingest.task import TaskReport, Work, read_files
from sparkify_assets.lake.commit import Stamp, replace
from sparkify_assets.lake.lake import Lake
from sparkify_assets.lake.parts import write_parts
from sparkify_assets.maintenance.maintain import maintain
from sparkify_assets.partitions import months_between, year_and_month
from sparkify_assets.tables import RAW_LOGS, SONGPLAYS, TABLES, TIME
from sparkify_assets_tests.zone import Zone, event, ts

MONTHS = months_between("2018-01", "2018-12")
MONTH = MONTHS[0]
FEW = 10
_BETWEEN_SECONDS = 300
_LINES = 10
_PLAYS = 1_000
_LOOKS = 5


def land(zone: Zone, lake: Lake, number: int) -> None:
    """One small landing, and the month's plays anew."""
    month = MONTHS[number % len(MONTHS)]
    when = f"{month}-{1 + number % 28:02d} {number % 24:02d}"
    key = f"log_data/{month.replace('-', '/')}/{number:05d}-events.json"
    lines = [
        event(f"{when}:{item:02d}", sessionId=number, itemInSession=item) for item in range(_LINES)
    ]
    zone.logs(key, *lines)
    months = frozenset({month})
    taking_in.ingest(lake, landing_at(str(zone.root)), _no_engine, months, Rules(months))
    base = lake.last_seen(SONGPLAYS)
    parts = write_parts([_plays(month)], SONGPLAYS, lake.table_location(SONGPLAYS)).parts
    replace(lake, base, parts, {month: Stamp(number)})


def look(lake_uri: str, landing: str) -> dict[str, float]:
    """What it takes a fresh process to see what is there: seconds and counts."""
    found: dict[str, float] = {}

    def timed(name: str, began: float) -> None:
        found[name] = time.perf_counter() - began

    lake = Lake.at(lake_uri)
    _load_packages(lake)
    began = time.perf_counter()
    plays = lake.snapshot(SONGPLAYS)
    rows = sum(batch.num_rows for batch in plays.batches(["songplay_id"], [MONTH]))
    timed("open songplays, count a month", began)
    _check("plays of the month", rows, _PLAYS)
    began = time.perf_counter()
    ledger = read_ledger(lake)
    files = sum(len(ledger.of(month)) for month in MONTHS)
    timed("open and read the ledger", began)
    began = time.perf_counter()
    raw = lake.snapshot(RAW_LOGS)
    lines = sum(batch.num_rows for part in raw.parts for batch in _scan(raw, part))
    timed("open and read raw_logs", began)
    _check("raw lines", lines, files * _LINES)
    began = time.perf_counter()
    landing_at(landing).list(set(MONTHS))
    timed("list the landing zone", began)
    found["raw parts"] = len(raw.parts)
    found["files in the lake"] = sum(1 for path in Path(lake_uri).rglob("*") if path.is_file())
    return found


def _load_packages(lake: Lake) -> None:
    """They take longer than what is measured, and any process that reads has them."""
    for name in ("pyarrow.parquet", "pyarrow.compute", "pandas"):
        importlib.import_module(name)
    lake.snapshot(TIME)


def looked(lake: str, landing: str) -> dict[str, float]:
    """Medians of several looks."""
    looks = []
    for _ in range(_LOOKS):
        command = [sys.executable, "-m", "bench.growth", "--look", lake, landing]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
        looks.append(json.loads(done.stdout))
    return {name: statistics.median(one[name] for one in looks) for name in looks[0]}


def measure(home: Path, landings: int) -> str:
    """Markdown: a column for each moment."""
    zone = Zone(home / "landing")
    zone.song()
    uri = str(home / "lake")
    lake = Lake.at(uri)
    lake.create_missing()
    taking_in._read = _in_this_process
    moments: dict[str, dict[str, float]] = {}
    began = time.monotonic()
    for number in range(landings):
        if number == FEW:
            moments[f"after {FEW} landings"] = looked(uri, str(zone.root))
        land(zone, lake, number)
        if number % 1_000 == 999:
            took = time.monotonic() - began
            print(f"{number + 1:,} landings, {took:.0f} s", file=sys.stderr, flush=True)
    moments[f"after {landings:,}"] = looked(uri, str(zone.root))
    stretch(home / "lake", landings * _BETWEEN_SECONDS / (time.monotonic() - began))
    began = time.monotonic()
    maintain(lake, 0, MONTHS)
    print(f"maintenance: {time.monotonic() - began:.1f} s", file=sys.stderr, flush=True)
    moments["after maintenance"] = looked(uri, str(zone.root))
    names = list(moments)
    lines = [f"| | {' | '.join(names)} | last / first |", f"| --- |{' ---: |' * (len(names) + 1)}"]
    for what in moments[names[0]]:
        cells = [_shown(moments[name][what]) for name in names]
        ratio = moments[names[-1]][what] / moments[names[0]][what]
        lines.append(f"| {what} | {' | '.join(cells)} | {ratio:.2f} |")
    return "\n".join(lines)


def stretch(folder: Path, times: float) -> None:
    """Date every file so many times longer ago."""
    now = time.time()
    for path in folder.rglob("*"):
        if path.is_file():
            when = now - (now - path.stat().st_mtime) * times
            os.utime(path, (when, when))


def _plays(month: str) -> pa.RecordBatch:
    start = ts(f"{month}-15 12:00")
    year, number_in_year = year_and_month(month)
    rows = [
        {
            "songplay_id": number,
            "start_time": (start + number) * 1_000,
            "session_id": number,
            "month": number_in_year,
            "year": year,
        }
        for number in range(_PLAYS)
    ]
    return pa.RecordBatch.from_pylist(rows, schema=SONGPLAYS.plain_schema)


def _scan(raw: Any, part: Any) -> Any:
    from sparkify_assets.lake.scan import scan_part

    return scan_part(TABLES[RAW_LOGS.name], raw.location, part, ["line"])


def _shown(value: float) -> str:
    return f"{value * 1_000:,.1f} ms" if isinstance(value, float) else f"{value:,}"


def _check(what: str, found: int, expected: int) -> None:
    if found != expected:
        raise ValueError(f"{what}: {found:,} found, {expected:,} landed")


def _in_this_process(spark: Any, work: Work, files: Sequence[LandingFile]) -> TaskReport:  # noqa: ARG001
    return read_files(work, files)


def _no_engine() -> Any:
    return None


if __name__ == "__main__":
    if sys.argv[1:2] == ["--look"]:
        print(json.dumps(look(*sys.argv[2:4])))
        sys.stdout.flush()
        os._exit(0)  # a process that ends right after reading Parquet may abort
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        print(measure(Path(folder), int(sys.argv[1]) if len(sys.argv) > 1 else 10_000))
