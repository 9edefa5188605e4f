"""What a month of so many events will be: files, tasks, parts, the logs, requests to S3, hours.

Nothing is read or written. Files are cut into tasks, and rows into parts, by the very functions
that a run uses; bytes and requests are those of `MEASURED`, times how many there are.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

from sparkify_assets.ingest.files import LandingFile
from sparkify_assets.ingest.ingest import tasks_of
from sparkify_assets.ingest.landing_bucket import RANGE
from sparkify_assets.lake.frames import ROWS_PER_SLICE, slices
from sparkify_assets.lake.parts import puts
from sparkify_assets.lake.writers import ROWS_PER_FILE
from sparkify_assets.storage.access import PART_BYTES
from sparkify_assets.tables import (
    HEARD_SONGS,
    LANDED_FILES,
    RAW_LOGS,
    SONG_MATCHES,
    SONGPLAYS,
    TIME,
    USER_MONTHS,
    Table,
)

_MB = 1 << 20
_LISTED = 1_000  # keys in one answer of S3
# Each run lists the landing zone to plan, to ingest, and to see what is left.
_LISTINGS = 3


@dataclass(frozen=True)
class Measured:
    """What one line, row, part or commit was found to take (docs/clusters.md: where).

    Attributes:
        line: bytes of JSON a line.
        raw_row, play, moment: bytes a row in a part of raw_logs, songplays and time.
        small_row: bytes a row of the other tables made from logs.
        plays: share of events that are plays.
        add: bytes that one part takes in a commit.
        kept: bytes that one part takes in a checkpoint.
        account, note: bytes of a task's report: for a file, and for a part of a month.
        reads: of each raw row in a first load: the look for repeats, three tables, the checks.
        gets: requests that Spark makes to read one part.
        read_seconds: of a core, for a million lines of JSON until they are raw rows.
        build_seconds: of a core, for a million raw rows until all tables are made and checked.
    """

    line: float = 445
    raw_row: float = 35
    play: float = 30
    moment: float = 10
    small_row: float = 40
    plays: float = 0.85
    add: float = 900
    kept: float = 250
    account: float = 220
    note: float = 3_000
    reads: int = 5
    gets: float = 6
    read_seconds: float = 20
    build_seconds: float = 40


MEASURED = Measured()

FORMULAS = f"""\
landing   bytes = events x {MEASURED.line:g}; files = days x files a day
tasks     files in their order, up to a 64th of all bytes each (at least 32 MiB, at most 768 MiB;
          2,000 files): a file is never cut, so the largest task is as large as the largest file
parts     raw_logs: one for each task, one more for each {ROWS_PER_FILE:,} lines in it; others:
          one for each {ROWS_PER_SLICE:,} expected rows, of which there are events / \
{USER_MONTHS.lines_a_row} in
          user_months, / {HEARD_SONGS.lines_a_row} in heard_songs and song_matches, one each in \
the others
bytes     of a row: raw_logs {MEASURED.raw_row:g}, songplays {MEASURED.play:g}, time \
{MEASURED.moment:g}, others {MEASURED.small_row:g}
log       a commit: parts x {MEASURED.add:g} bytes; a checkpoint: parts x {MEASURED.kept:g}
requests  LIST: {_LISTINGS} x files / {_LISTED:,}; GET: each file, in pieces of \
{RANGE // _MB} MiB, and
          raw parts x {MEASURED.reads} passes x {MEASURED.gets:g}; PUT: each part, in pieces of \
{PART_BYTES // _MB} MiB, and each commit
driver    files x {MEASURED.account:g} + parts x {MEASURED.note:g} bytes: what tasks report
hours     events x ({MEASURED.read_seconds:g} + {MEASURED.build_seconds:g}) s a million / cores, \
or tasks where these are fewer
a day     a day's events x {MEASURED.read_seconds:g} + all of the month x \
{MEASURED.build_seconds:g}: a month is made anew as a whole
"""


@dataclass(frozen=True)
class Load:
    """What is to land.

    Attributes:
        events: log lines of the month.
        days: over which they are spread.
        files_a_day: log files of a day.
        users, songs: different ones of the month.
        cores: that work at once.
    """

    events: int
    days: int = 30
    files_a_day: int = 24
    users: int = 1_000_000
    songs: int = 1_000_000
    cores: int = 64


@dataclass(frozen=True)
class Part:
    """The parts that a table gets: how many rows and bytes in all, and in how many files."""

    table: str
    rows: int
    bytes: int
    parts: int

    @property
    def part_bytes(self) -> int:
        """Of one part."""
        return self.bytes // max(1, self.parts)


@dataclass(frozen=True)
class Forecast:
    """What comes of a load, from nothing, in one run.

    Attributes:
        landing_bytes, files, file_bytes: what lands.
        tasks, task_bytes: that read it; bytes of the largest.
        parts: of each table.
        commits: to the logs of all tables.
        log_bytes, checkpoint_bytes: of the largest commit, and of the largest checkpoint.
        requests: to S3, by kind.
        driver_bytes: that tasks report.
        core_hours, hours: of all cores, and by the clock.
        day_core_hours: of the run that takes in the last day alone.
    """

    landing_bytes: int
    files: int
    file_bytes: int
    tasks: int
    task_bytes: int
    parts: list[Part]
    commits: int
    log_bytes: int
    checkpoint_bytes: int
    requests: dict[str, int]
    driver_bytes: int
    core_hours: float
    hours: float
    day_core_hours: float

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def forecast(load: Load, measured: Measured = MEASURED) -> Forecast:
    """What a run makes of this load."""
    files = _landing(load, measured)
    tasks = tasks_of(files)
    parts = _parts(load, measured, [sum(file.size for file in task) for task in tasks])
    raw = parts[0]
    most = max(one.parts for one in parts)
    millions = load.events / 1e6
    build_hours = millions * measured.build_seconds / 3600
    core_hours = millions * measured.read_seconds / 3600 + build_hours
    return Forecast(
        landing_bytes=sum(file.size for file in files),
        files=len(files),
        file_bytes=files[0].size,
        tasks=len(tasks),
        task_bytes=max(sum(file.size for file in task) for task in tasks),
        parts=parts,
        commits=len(parts) + 1,
        log_bytes=int(most * measured.add),
        # A month is replaced as a whole, so a table never has more parts than its months do.
        checkpoint_bytes=int(most * measured.kept),
        requests=_requests(files, parts, raw, measured),
        driver_bytes=int(
            len(files) * measured.account + sum(one.parts for one in parts) * measured.note
        ),
        core_hours=core_hours,
        hours=core_hours / min(load.cores, len(tasks)),
        day_core_hours=millions / load.days * measured.read_seconds / 3600 + build_hours,
    )


def _landing(load: Load, measured: Measured) -> list[LandingFile]:
    number = load.days * load.files_a_day
    size = math.ceil(load.events * measured.line / number)
    return [LandingFile(f"log_data/{i:06}.json", "", size, "2018-11") for i in range(number)]


def _parts(load: Load, measured: Measured, tasks: list[int]) -> list[Part]:
    rows_of_tasks = [math.ceil(size / measured.line) for size in tasks]
    raw = sum(max(1, math.ceil(rows / ROWS_PER_FILE)) for rows in rows_of_tasks)
    plays = int(load.events * measured.plays)
    heard = min(plays, load.songs)
    return [
        Part(RAW_LOGS.name, load.events, int(load.events * measured.raw_row), raw),
        _table(load, SONGPLAYS, plays, measured.play),
        # No two plays begin in the same millisecond, or few.
        _table(load, TIME, plays, measured.moment),
        _table(load, USER_MONTHS, load.users, measured.small_row),
        _table(load, HEARD_SONGS, heard, measured.small_row),
        _table(load, SONG_MATCHES, heard, measured.small_row),
        Part(
            LANDED_FILES.name, load.days * load.files_a_day,
            int(load.days * load.files_a_day * measured.small_row), 1,
        ),
    ]  # fmt: skip


def _table(load: Load, table: Table, rows: int, row: float) -> Part:
    pieces = slices(load.events // table.lines_a_row)
    parts = max(pieces, math.ceil(rows / ROWS_PER_FILE))
    return Part(table.name, rows, int(rows * row), parts)


def _requests(
    files: list[LandingFile], parts: list[Part], raw: Part, measured: Measured
) -> dict[str, int]:
    lists = _LISTINGS * math.ceil(len(files) / _LISTED)
    landing = sum(max(1, math.ceil(file.size / RANGE)) for file in files)
    reads = int(raw.parts * measured.reads * measured.gets)
    wrote = sum(one.parts * puts(one.part_bytes) for one in parts)
    return {"LIST": lists, "GET": landing + reads, "PUT": wrote + len(parts) + 1}
