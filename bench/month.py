"""What a month takes on a cluster, for the figures of `sparkify forecast`.

Run as `python -m bench.month`: one month of two sizes on one worker of one core. What a million
lines more take is the difference between the two, so that neither starting nor planning is in it.
Then a third one in buckets, whose requests are counted on the wire. Printed beside what the
forecast goes by, with which it should agree.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq

from bench.cluster import KEYS, Run, run
from bench.inputs import Input
from bench.results import RESULTS, dated, measured_here, say
from sparkify_assets.cluster.forecast import MEASURED, Forecast, Load, forecast
from sparkify_assets.lake.checkpoint import checkpoint
from sparkify_assets.lake.lake import Lake
from sparkify_assets.lake.log import commit_key
from sparkify_assets.lake.snapshot import Snapshot
from sparkify_assets.sample import Sample
from sparkify_assets.storage.objects import objects
from sparkify_assets.tables import HEARD_SONGS, RAW_LOGS, TABLES, USER_MONTHS
from sparkify_assets_tests import processes
from sparkify_assets_tests.cluster.machines import Standalone
from sparkify_assets_tests.s3.fixtures import environment, new_bucket
from sparkify_assets_tests.s3.proxy import Proxy
from sparkify_assets_tests.s3.servers import MOTO, start, upload

_MONTH = "2018-11"
_SIZES = (1_000_000, 4_000_000)
_SIZE_IN_BUCKETS = 2_000_000
_SONGS, _USERS = 2_000, 10_000
_SONG_DATA = "landing/song_data"


@dataclass(frozen=True)
class Stored:
    """A table in the lake: its rows, bytes and parts, and the groups of rows in these."""

    rows: int
    bytes: int
    parts: int
    groups: int


@dataclass(frozen=True)
class Lakeful:
    """What a run left.

    Attributes:
        tables: all of them, by name.
        log_bytes: of the commit that added the parts of raw_logs.
        checkpoint_bytes: of a checkpoint of its log.
    """

    tables: dict[str, Stored]
    log_bytes: int
    checkpoint_bytes: int


def look(root: Path | str) -> Lakeful:
    """What stands in a lake."""
    lake = Lake.at(str(root))
    tables = {name: _stored(lake.snapshot(table)) for name, table in TABLES.items()}
    state, location = lake.snapshot(RAW_LOGS).state, lake.table_location(RAW_LOGS)
    commits = [objects(location).get(commit_key(number)) for number in range(state.version + 1)]
    return Lakeful(tables, max(map(len, commits)), len(checkpoint(state, state.protocol)))


def _stored(snapshot: Snapshot) -> Stored:
    filesystem, root = snapshot.location.arrow()
    groups = 0
    for part in snapshot.parts:
        with filesystem.open_input_file(f"{root}/{part.path}") as source:
            groups += pq.read_metadata(source).num_row_groups
    size = sum(part.size for part in snapshot.parts)
    return Stored(snapshot.rows, size, len(snapshot.parts), groups)


def _input(events: int) -> Input:
    sample = Sample(
        songs=_SONGS, users=_USERS, events=events, first_month=_MONTH, last_month=_MONTH
    )
    return Input(f"month-{events}", f"{events:,} events of a month", sample)


def requests(folder: Path) -> tuple[Counter[str], Lakeful]:
    """Which requests a first load from a bucket took, by kind and what was asked for."""
    given = _input(_SIZE_IN_BUCKETS)
    landing = given.landing(folder)
    with (
        tempfile.TemporaryDirectory(dir=folder, ignore_cleanup_errors=True) as work,
        start(MOTO) as server,
        Proxy.start(server) as proxy,
        Standalone(Path(work), KEYS) as cluster,
    ):
        cluster.add_worker()
        bucket = new_bucket(server)
        upload(server.endpoint, landing, bucket, "landing")
        os.environ.update({**environment(proxy.endpoint), **given.settings})
        os.environ["SPARKIFY_EXECUTOR_MEMORY_GB"] = "1"
        processes.run(f"s3://{bucket}/landing", f"s3://{bucket}/lake", cluster.url)
        found = Counter(_asked(one.kind, one.path, one.user_agent) for one in proxy.requests())
        return found, look(f"s3://{bucket}/lake")


def _asked(kind: str, path: str, agent: str) -> str:
    below = path.split("/", 2)[2] if path.count("/") > 1 else ""
    what = below.split("/")[:2]
    name = "/".join(what)
    log = " log" if "_delta_log" in below else ""
    who = "S3A" if "Hadoop" in agent else "Python"
    return f"{kind} {name}{log} ({who})"


def compared(found: Run, lake: Lakeful, landed: int) -> str:
    """Markdown: a run beside the forecast for what it was given.

    Args:
        landed: bytes of log files.
    """
    said, raw = _forecast(lake), lake.tables[RAW_LOGS.name]
    rows: list[tuple[str, float, float]] = [("bytes of logs", landed, said.landing_bytes)]
    for part in said.parts:
        stored = lake.tables[part.table]
        rows.append((f"{part.table}: rows", stored.rows, part.rows))
        rows.append((f"{part.table}: bytes", stored.bytes, part.bytes))
        rows.append((f"{part.table}: parts", stored.parts, part.parts))
    rows += [
        ("bytes of the commit of raw_logs", lake.log_bytes, raw.parts * MEASURED.add),
        (
            "bytes of a checkpoint of its log",
            lake.checkpoint_bytes,
            MEASURED.checkpoint + raw.parts * MEASURED.kept,
        ),
        ("bytes that tasks sent to the driver", found.log.results, said.at_once.driver_bytes),
        ("seconds of all steps", sum(found.steps.values()), said.at_once.cost.core_hours * 3600),
        ("seconds of all tasks", found.log.seconds, said.at_once.cost.core_hours * 3600),
    ]
    return _table(rows)


def _forecast(lake: Lakeful) -> Forecast:
    tables = lake.tables
    return forecast(
        Load(
            events=tables[RAW_LOGS.name].rows,
            days=30,
            files_a_day=1,
            users=tables[USER_MONTHS.name].rows,
            songs=tables[HEARD_SONGS.name].rows,
            cores=1,
        )
    )


def _table(rows: list[tuple[str, float, float]]) -> str:
    lines = ["| what | run | forecast |", "| --- | ---: | ---: |"]
    lines += [f"| {name} | {found:,.0f} | {said:,.0f} |" for name, found, said in rows]
    return "\n".join(lines)


def slopes(small: tuple[Run, Lakeful], large: tuple[Run, Lakeful]) -> str:
    """Markdown: seconds of one core that a million lines more took, by step."""
    (few, before), (many, after) = small, large
    more = (after.tables[RAW_LOGS.name].rows - before.tables[RAW_LOGS.name].rows) / 1e6
    by_step = {name: (many.steps[name] - few.steps.get(name, 0.0)) / more for name in many.steps}
    lines = ["| step | seconds for a million lines more |", "| --- | ---: |"]
    lines += [
        f"| {name} | {seconds:.1f} |"
        for name, seconds in sorted(by_step.items(), key=lambda one: -one[1])
    ]
    read = by_step[RAW_LOGS.name]
    lines += [
        f"| reading: raw_logs | {read:.1f} |",
        f"| building: all others | {sum(by_step.values()) - read:.1f} |",
        f"| of tasks, by the event log | {(many.log.seconds - few.log.seconds) / more:.1f} |",
    ]
    return "\n".join(lines)


def main() -> None:
    """Measure, and keep what was found in `bench/results`."""
    parser = argparse.ArgumentParser(prog="python -m bench.month", description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path("data/bench"))
    folder = parser.parse_args().folder.absolute()
    folder.mkdir(parents=True, exist_ok=True)
    runs = []
    pieces = []
    for events in _SIZES:
        given = _input(events)
        landed = _bytes_of_logs(given.landing(folder))
        found, lake = run(given, folder, 1, look)
        runs.append((found, lake))
        pieces.append(f"## {events:,} events\n\n{compared(found, lake, landed)}")
        say(pieces[-1])
    pieces.insert(0, f"## Seconds\n\n{slopes(*runs)}")
    say(pieces[0])
    asked, lake = requests(folder)
    said = _forecast(lake).at_once.cost.requests
    kinds: Counter[str] = Counter()
    for name, number in asked.items():
        if _SONG_DATA not in name:  # the forecast is of logs
            kinds[name.split()[0]] += number
    rows: list[tuple[str, float, float]] = [
        (kind, number, said.get(kind, 0)) for kind, number in sorted(kinds.items())
    ]
    groups = {name: (one.parts, one.groups) for name, one in lake.tables.items() if one.parts}
    detail = "\n".join(f"{number:7,}  {name}" for name, number in sorted(asked.items()))
    pieces.append(
        f"## Requests, {_SIZE_IN_BUCKETS:,} events in buckets\n\n{_table(rows)}\n\n"
        f"```\n{detail}\n```\n\nParts and groups of rows in them: {groups}."
    )
    say(pieces[-1])
    path = dated(RESULTS, "month-cluster")
    head = f"# A month on one worker of one core, beside the forecast\n\n{measured_here()}"
    path.write_text("\n\n".join([head, *pieces]) + "\n", encoding="utf-8")
    say(f"kept in {path}")


def _bytes_of_logs(landing: Path) -> int:
    return sum(path.stat().st_size for path in (landing / "log_data").rglob("*.json"))


if __name__ == "__main__":
    main()
    sys.stdout.flush()
    os._exit(0)  # as in `bench.__main__`
