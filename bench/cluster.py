"""Input B on a standalone cluster of one and of two workers of one core, by Spark's own event log.

Run as `python -m bench.cluster`. Master, workers and executors are processes on this machine, as
the driver is.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypeVar

from bench.inputs import INPUTS, Input
from bench.measure import Measured, measure
from bench.results import RESULTS, dated, measured_here, say
from bench.same import Content, content, differences
from sparkify_assets_tests import processes
from sparkify_assets_tests.cluster.events import Application, applications, logged_to
from sparkify_assets_tests.cluster.machines import Standalone
from sparkify_assets_tests.s3.servers import ACCESS_KEY, SECRET_KEY

KEYS = {"AWS_ACCESS_KEY_ID": ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": SECRET_KEY}
_MEMORY_GB = 3
Seen = TypeVar("Seen")


@dataclass(frozen=True)
class Run:
    """One run.

    Attributes:
        workers: of one core each.
        measured: of the driver, with its Java.
        log: of the executors' work.
        steps: seconds of each asset.
    """

    workers: int
    measured: Measured
    log: Application
    steps: dict[str, float]


def run(given: Input, folder: Path, workers: int, look: Callable[[Path], Seen]) -> tuple[Run, Seen]:
    """Everything from nothing on a new cluster; what was measured, and what `look` saw in the lake.

    Args:
        folder: for the input and the work; the lake is removed at the end.
    """
    landing, work = given.landing(folder), folder / "work"
    shutil.rmtree(work, ignore_errors=True)
    (work / "dagster").mkdir(parents=True)
    (work / "dagster" / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    lake, printed = work / "lake", folder / f"cluster-{workers}.log"
    try:
        with Standalone(work, KEYS, memory=f"{_MEMORY_GB + 1}g") as cluster:
            for _ in range(workers):
                cluster.add_worker()
            settings = {
                **given.settings,
                "DAGSTER_HOME": str(work / "dagster"),
                "SPARKIFY_EXECUTOR_MEMORY_GB": str(_MEMORY_GB),
                "SPARKIFY_SPARK_CONF": json.dumps(logged_to(work / "events")),
            }
            command = [
                *processes.COMMAND, "run", "--landing", str(landing), "--lake", str(lake),
                "--engine", cluster.url, "--format", "json",
            ]  # fmt: skip
            measured = measure(command, settings, lake, printed)
            summary = json.loads(printed.read_text()[printed.read_text().index("{") :])
        log = applications(work / "events")
        return Run(workers, measured, log, summary["seconds_by_step"]), look(lake)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def table(runs: list[Run]) -> str:
    """Markdown: a row for each run."""
    lines = [
        "| workers of one core | seconds | tasks | seconds of all tasks | shuffled | spilled "
        "| driver: Java heap | driver: peak with Python |",
        "| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    lines += [
        f"| {one.workers} | {one.measured.wall:.0f} | {one.log.tasks:,} | {one.log.seconds:.0f} "
        f"| {one.log.shuffled / 1e6:,.0f} MB | {one.log.spilled / 1e6:,.0f} MB "
        f"| {one.log.driver_heap / 1e6:,.0f} MB | {one.measured.peak / 1e9:.2f} GB |"
        for one in runs
    ]
    steps = sorted(runs[0].steps, key=lambda name: -runs[0].steps[name])
    lines += ["", f"| step | {' | '.join(f'{one.workers} workers, s' for one in runs)} |"]
    lines += [f"| --- |{' ---: |' * len(runs)}"]
    lines += [
        f"| {name} | {' | '.join(f'{one.steps.get(name, 0):.1f}' for one in runs)} |"
        for name in steps
    ]
    return "\n".join(lines)


def main() -> None:
    """Measure, and keep what was found in `bench/results`."""
    parser = argparse.ArgumentParser(prog="python -m bench.cluster", description=__doc__)
    parser.add_argument("--input", choices=list(INPUTS), default="B")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2], help="in this order")
    parser.add_argument("--folder", type=Path, default=Path("data/bench"))
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    one, runs = INPUTS[given.input], []
    expected: dict[str, Content] | None = None
    for workers in given.workers:
        found, tables = run(one, given.folder.absolute(), workers, content)
        runs.append(found)
        expected = expected or tables
        say(table(runs))
        if different := differences(tables, expected):
            raise SystemExit(f"other rows than with {runs[0].workers}: {'; '.join(different)}")
    path = dated(RESULTS, f"{one.name}-cluster")
    path.write_text(
        f"# {one.name} on a standalone cluster: {one.title}\n\n{measured_here()} Driver, "
        f"master and workers share the machine; executors have {_MEMORY_GB} GiB of Java memory.\n\n"
        f"{table(runs)}\n",
        encoding="utf-8",
    )
    raw = [asdict(one) for one in runs]
    path.with_suffix(".json").write_text(json.dumps(raw, indent=2) + "\n", encoding="utf-8")
    say(f"kept in {path}")


if __name__ == "__main__":
    main()
    sys.stdout.flush()
    os._exit(0)  # as in `bench.__main__`
