"""How fast SQL answers: every named question on a lake of 10 million plays over 24 months.

Run as `python -m bench.answers make FOLDER` once (sample data and a lake, some twenty minutes
and 8 GB), then `python -m bench.answers FOLDER`. Each question is asked so many times in one
session, for the month 2018-06 and for all months, with the lake in a folder and in a bucket of an
S3 server that is started for it; then `sparkify query` and `sparkify ask` as processes of their
own.
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from bench.measure import p95
from bench.results import say
from sparkify_assets.analytics.question import Question, Value, all_questions, answer
from sparkify_assets.analytics.session import Session, open_session
from sparkify_assets.lake.lake import Lake
from sparkify_assets.storage.requests import REQUESTS
from sparkify_assets_tests.processes import COMMAND
from sparkify_assets_tests.s3.fixtures import environment, new_bucket
from sparkify_assets_tests.s3.servers import MOTO, start, upload

MONTH = "2018-06"
RUNS = 20
_SAMPLE = (
    "--songs", "20000", "--users", "20000", "--events", "540000",
    "--first-month", "2017-01", "--last-month", "2018-12",
)  # fmt: skip
_COLD = {
    "sparkify query, one month": (
        "query",
        f"SELECT song, artist, count(*) AS plays FROM plays WHERE month = '{MONTH}' "
        "GROUP BY ALL ORDER BY plays DESC LIMIT 10",
    ),
    "sparkify query, all months": (
        "query",
        "SELECT song, artist, count(*) AS plays FROM plays GROUP BY ALL ORDER BY plays DESC "
        "LIMIT 10",
    ),
    "sparkify ask top-songs, one month": ("ask", "top-songs", "--month", MONTH),
}


def make(folder: Path) -> None:
    """Sample data and its lake."""
    settings = {
        "SPARKIFY_LANDING": str(folder / "landing"),
        "SPARKIFY_LAKE": str(folder / "lake"),
        "SPARKIFY_FIRST_MONTH": "2017-01",
        "SPARKIFY_LAST_MONTH": "2018-12",
    }
    for command in (("sample", str(folder / "landing"), *_SAMPLE), ("run",)):
        subprocess.run([*COMMAND, *command], check=True, env={**os.environ, **settings})


def measure(lake: str) -> None:
    """All questions, warm and cold, on a lake in a folder or in a bucket."""
    with open_session(Lake.at(lake), keep=True) as session:
        plays = session.table("SELECT count(*) AS n FROM plays").to_pylist()[0]["n"]
        months = session.table("SELECT count(DISTINCT month) AS n FROM plays").to_pylist()[0]["n"]
        say(f"{lake}: {plays:,} plays, {months} months, {RUNS} runs each, milliseconds")
        say("| question | first | one month: median | p95 | first | all months: median | p95 |")
        say("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
        for question in all_questions():
            cells = [question.name]
            for month in (MONTH, None):
                given = {"month": month} if month else {}
                if month and "month" not in question.parameters:
                    cells += ["", "", ""]
                    continue
                values = question.values(given)
                cells += _times(lambda q=question, v=values: _ask(session, q, v))  # type: ignore[misc]
            say(f"| {' | '.join(cells)} |")
    say(f"requests: {REQUESTS.made() or 'none'}")
    for name, command in _COLD.items():
        seconds = [_cold(*command, "--lake", lake) for _ in range(5)]
        say(f"{name}, process: median {statistics.median(seconds):.2f} s, {seconds}")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    say(f"peak memory of this process so far: {peak:.0f} MB")


def _ask(session: Session, question: Question, values: dict[str, Value]) -> None:
    with answer(session, question, values) as reader:
        for _ in reader:
            pass


def _times(ask: Callable[[], None]) -> list[str]:
    taken = []
    for _ in range(RUNS + 1):
        before = time.perf_counter()
        ask()
        taken.append((time.perf_counter() - before) * 1000)
    first, *rest = taken
    return [f"{first:.0f}", f"{statistics.median(rest):.0f}", f"{p95(rest):.0f}"]


def _cold(*command: str) -> float:
    before = time.perf_counter()
    subprocess.run([*COMMAND, *command], check=True, stdout=subprocess.DEVNULL)
    return round(time.perf_counter() - before, 2)


def main(arguments: list[str]) -> None:
    """Make the lake, or measure on it."""
    if len(arguments) != 1 + (arguments[:1] == ["make"]):
        sys.exit("usage: python -m bench.answers make FOLDER, then … answers FOLDER")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
        Path(home, "dagster.yaml").write_text("telemetry: {enabled: false}\n")
        os.environ["DAGSTER_HOME"] = home
        if arguments[0] == "make":
            make(Path(arguments[1]))
            return
        lake = Path(arguments[0], "lake")
        measure(str(lake))
        with start(MOTO) as server:
            os.environ |= environment(server.endpoint)
            bucket = new_bucket(server)
            for name in ("songplays", "users", "songs", "artists", "time", "_releases"):
                upload(server.endpoint, lake / name, bucket, f"lake/{name}/")
            measure(f"s3://{bucket}/lake")


if __name__ == "__main__":
    main(sys.argv[1:])
    sys.stdout.flush()
    # Arrow may abort a process that ends right after it read Parquet (apache/arrow#34314).
    os._exit(0)
