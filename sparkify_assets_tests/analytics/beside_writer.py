"""Queries in a loop beside a writer that rebuilds months all the time: none fails, none is wrong.

Run as `python -m sparkify_assets_tests.analytics.beside_writer [SECONDS]`. The writer is this
process: it replaces the files of a month, runs, and notes for each release what is right then, from
what it wrote and not from the tables. Readers are processes of their own; every answer of theirs
has to be that of the release which they read.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sparkify_assets.analytics.session import Session, open_session
from sparkify_assets.errors import SparkifyError
from sparkify_assets.lake.lake import Lake
from sparkify_assets.lake.release import last_release
from sparkify_assets.maintenance.maintain import maintain
from sparkify_assets.refresh.run import refresh
from sparkify_assets.settings import EMBEDDED, load_settings
from sparkify_assets_tests.processes import COMMAND
from sparkify_assets_tests.zone import Zone, event

MONTHS = ("2018-10", "2018-11", "2018-12")
READERS = 2
# Every so many answers one comes from a process of its own, as people ask.
_COLD_EVERY = 50
_MAINTAIN_EVERY = 15
QUESTIONS = {
    "by month": (
        "SELECT month, count(*) AS plays, count(DISTINCT user_id) AS users, "
        "count(*) FILTER (matched) AS matched, count(DISTINCT session_id) AS sessions "
        "FROM plays GROUP BY month ORDER BY month"
    ),
    "one month": (
        "SELECT song, count(*) AS plays FROM plays WHERE month = '2018-11' GROUP BY song "
        "ORDER BY song"
    ),
    "all tables": (
        "SELECT (SELECT count(*) FROM songplays) AS plays, (SELECT count(*) FROM time) AS times, "
        "(SELECT count(*) FROM songplays ANTI JOIN time USING (start_time)) AS without_time, "
        "(SELECT count(*) FROM songplays ANTI JOIN users USING (user_id)) AS without_user, "
        "(SELECT count(*) FROM raw_logs) AS lines, (SELECT sum(lines) FROM landed_files "
        "WHERE scope <> 'songs')::BIGINT AS landed, (SELECT sum(plays) FROM sessions)::BIGINT AS s"
    ),
}
Answers = dict[str, list[dict[str, Any]]]


@dataclass
class Watched:
    """What was seen.

    Attributes:
        failed: answers that were none.
        wrong: answers that differ from what was right for their release.
    """

    answers: int = 0
    cold: int = 0
    runs: int = 0
    maintenances: int = 0
    releases_seen: set[int] = field(default_factory=set)
    failed: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return (
            f"{self.answers:,} answers ({self.cold} of them by `sparkify query`) over "
            f"{len(self.releases_seen)} of the releases of {self.runs} runs, "
            f"{self.maintenances} maintenances: {len(self.failed)} failed, {len(self.wrong)} wrong"
        )


class Truth:
    """What each state of the landing zone has to give."""

    def __init__(self, zone: Zone) -> None:
        self._zone = zone
        self._plays: dict[str, list[dict[str, Any]]] = {}

    def write(self, month: str, generation: int) -> None:
        """Replace the file of a month by other plays."""
        number = 20 + (generation * 7) % 31
        self._plays[month] = [
            event(
                f"{month}-{1 + item % 27:02d} {item % 24:02d}:{generation % 60:02d}:{item:02d}",
                sessionId=int(month[-2:]) * 1000 + item // 5,
                itemInSession=item % 5,
                userId=str(item % (3 + generation % 5)),
                song="Setanta matins" if (item + generation) % 3 else f"Song {item % 4}",
            )
            for item in range(number)
        ]
        self._zone.logs(f"log_data/{month}-01-events.json", *self._plays[month])

    def answers(self) -> Answers:
        """To each question, counted in Python."""
        by_month, songs = [], dict[str, int]()
        for month, plays in sorted(self._plays.items()):
            by_month.append(
                {
                    "month": month,
                    "plays": len(plays),
                    "users": len({play["userId"] for play in plays}),
                    "matched": sum(play["song"] == "Setanta matins" for play in plays),
                    "sessions": len({play["sessionId"] for play in plays}),
                }
            )
            for play in plays if month == "2018-11" else []:
                songs[play["song"]] = songs.get(play["song"], 0) + 1
        total = sum(row["plays"] for row in by_month)
        times = len({play["ts"] for plays in self._plays.values() for play in plays})
        return {
            "by month": by_month,
            "one month": [{"song": song, "plays": n} for song, n in sorted(songs.items())],
            "all tables": [
                {
                    "plays": total,
                    "times": times,
                    "without_time": 0,
                    "without_user": 0,
                    "lines": total,
                    "landed": total,
                    "s": total,
                }
            ],
        }


def watch(
    folder: Path, seconds: float, tell: Callable[[str], None] = lambda _text: None
) -> Watched:
    """Write and read for so long, in an empty folder."""
    zone = Zone(folder / "landing")
    zone.song()
    settings = load_settings(
        landing=str(zone.root),
        lake=str(folder / "lake"),
        engine=EMBEDDED,
        first_month=MONTHS[0],
        last_month=MONTHS[-1],
    )
    lake, truth, right = Lake.at(settings.lake), Truth(zone), dict[int, Answers]()
    lake.create_missing()
    for month in MONTHS:
        truth.write(month, 0)
    seen = Watched()

    def run() -> None:
        refresh(settings)
        seen.runs += 1
        right[last_release(lake).number] = truth.answers()

    run()
    ends = time.monotonic() + seconds
    with _readers(settings.lake, folder) as results:
        while time.monotonic() < ends:
            truth.write(MONTHS[seen.runs % len(MONTHS)], seen.runs)
            run()
            if seen.runs % _MAINTAIN_EVERY == 0:
                maintain(lake, settings.grace_hours, settings.months)
                right[last_release(lake).number] = truth.answers()
                seen.maintenances += 1
            if seen.runs % 20 == 0:
                tell(f"{seen.runs} runs, {ends - time.monotonic():.0f} s to go")
    for path in results:
        for line in path.read_text().splitlines():
            _compare(seen, json.loads(line), right)
    return seen


def _compare(seen: Watched, found: dict[str, Any], right: dict[int, Answers]) -> None:
    seen.answers += 1
    seen.cold += found["cold"]
    if "error" in found:
        seen.failed.append(found["error"])
        return
    question, answer = found["question"], found["answer"]
    if found["cold"]:  # it does not say which release it read
        if all(answer != answers[question] for answers in right.values()):
            seen.wrong.append(f"{question}: {answer} was never right")
        return
    seen.releases_seen.add(found["release"])
    if answer != right[found["release"]][question]:
        seen.wrong.append(
            f"release {found['release']}: {question}: {answer}, "
            f"right is {right[found['release']][question]}"
        )


@contextmanager
def _readers(lake: str, folder: Path) -> Iterator[list[Path]]:
    """Reading processes; what they saw lies in these files afterwards."""
    files = [folder / f"seen-{number}.jsonl" for number in range(READERS)]
    stop = folder / "stop"
    command = [sys.executable, "-m", "sparkify_assets_tests.analytics.beside_writer", "read", lake]
    processes = [subprocess.Popen([*command, str(file), str(stop)]) for file in files]
    try:
        yield files
    finally:
        stop.touch()
        codes = [process.wait(120) for process in processes]
    assert codes == [0] * READERS, codes


def read(lake: str, target: Path, stop: Path) -> None:
    """Ask in a loop until the file `stop` is there."""
    number = 0
    with open_session(Lake.at(lake)) as session, target.open("w") as out:
        while not stop.exists():
            question = list(QUESTIONS)[number % len(QUESTIONS)]
            number += 1
            cold = number % _COLD_EVERY == 0
            try:
                answer = _cold(lake, question) if cold else _warm(session, question)
                found = {"answer": answer, "release": session.release.number}
            except (SparkifyError, subprocess.CalledProcessError) as error:
                found = {"error": f"{question}: {error}"}
            out.write(json.dumps({"question": question, "cold": cold, **found}) + "\n")


def _warm(session: Session, question: str) -> list[dict[str, Any]]:
    session.refresh()
    return list(session.table(QUESTIONS[question]).to_pylist())


def _cold(lake: str, question: str) -> list[dict[str, Any]]:
    command = [*COMMAND, "query", QUESTIONS[question], "--lake", lake, "--format", "json"]
    done = subprocess.run(command, check=True, capture_output=True)
    return list(json.loads(done.stdout))


def main(arguments: list[str]) -> None:
    if arguments[:1] == ["read"]:
        read(arguments[1], Path(arguments[2]), Path(arguments[3]))
        # Arrow may abort a process that ends right after it read Parquet (apache/arrow#34314).
        os._exit(0)
    seconds = float(arguments[0]) if arguments else 600.0
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
        Path(home, "dagster.yaml").write_text("telemetry: {enabled: false}\n")
        os.environ["DAGSTER_HOME"] = home
        seen = watch(Path(home), seconds, lambda text: print(text, flush=True))  # noqa: T201
    print(seen)  # noqa: T201
    for text in (seen.failed + seen.wrong)[:10]:
        print(text)  # noqa: T201
    sys.stdout.flush()
    os._exit(1 if seen.failed or seen.wrong else 0)


if __name__ == "__main__":
    main(sys.argv[1:])
