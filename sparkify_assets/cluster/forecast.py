"""What a month of so many events will be: files, tasks, parts, the logs, requests to S3, money.

Nothing is read or written. Files are cut into tasks, and rows into parts, by the very functions
that a run uses; bytes, seconds and requests are those of `MEASURED`, times how many there are.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from sparkify_assets.ingest.files import LandingFile
from sparkify_assets.ingest.ingest import tasks_of
from sparkify_assets.ingest.landing_bucket import RANGE
from sparkify_assets.lake.frames import SLICE_BYTES, slices
from sparkify_assets.lake.parts import puts
from sparkify_assets.lake.row_groups import GROUP_ROWS
from sparkify_assets.lake.writers import FILE_BYTES
from sparkify_assets.partitions import DAY_MS
from sparkify_assets.storage.access import PART_BYTES
from sparkify_assets.storage.requests import GET, LIST, PUT, listed
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

HEAD = "HEAD"
_MB = 1 << 20
# Spark's own: how much of small and large files one task reads.
_SPLIT_BYTES, _OPEN_BYTES = 128 * _MB, 4 * _MB


@dataclass(frozen=True)
class Measured:
    """What one line, part, task or run was found to take (`python -m bench.month`).

    Attributes:
        line: bytes of JSON a line.
        plays: share of events that are plays.
        read_seconds: of a core, for a million lines of JSON until they are raw rows.
        build_seconds: of a core, for a million raw rows until all tables are made and checked.
        shuffled: bytes that tasks write for other tasks, a raw row.
        add: bytes that one part takes in a commit.
        kept: bytes that one part takes in a checkpoint, and `checkpoint` those of an empty one.
        account: bytes that a task reports of a file.
        report: bytes that a task of any kind sends to the driver.
        raw_passes, play_passes: how often a run reads the rows of raw_logs and of songplays.
        heads, lists: requests that Spark makes for a part whenever it reads it, besides one GET
            for each group of rows.
        own_seconds: of any run by the clock, for its start and for planning its steps.
        own_tasks: of any run, for the tables of songs, for users, and to put results together.
        own_lists, own_heads, own_gets, own_puts: requests of any run, for its look at the lake,
            its ledger and its logs.
    """

    line: float = 455
    plays: float = 0.85
    read_seconds: float = 7
    build_seconds: float = 16
    shuffled: float = 175
    add: float = 700
    kept: float = 65
    checkpoint: float = 22_000
    account: float = 220
    report: float = 8_000
    raw_passes: int = 5
    play_passes: int = 6
    heads: int = 3
    lists: int = 1
    own_seconds: float = 60
    own_tasks: int = 80
    own_lists: int = 150
    own_heads: int = 60
    own_gets: int = 50
    own_puts: int = 40


MEASURED = Measured()


@dataclass(frozen=True)
class Prices:
    """Dollars: a core's hour, a thousand requests (PUT and LIST; GET and HEAD), a GB a month."""

    core_hour: float = 0.05
    changes: float = 0.005
    reads: float = 0.0004
    kept: float = 0.023


PRICES = Prices()

FORMULAS = f"""\
landing   bytes = events x {MEASURED.line:g}; files = days x files a day
tasks     files in their order, up to a 64th of all bytes each (at least 32 MiB, at most 3 GiB;
          2,000 files): a file is never cut, so the largest task is as large as the largest file
rows      songplays = events x {MEASURED.plays:g}; time = milliseconds of the month in which a \
play begins:
          m x (1 - e^(-plays / m)); user_months = users; heard_songs, song_matches = songs at most
bytes     rows x {RAW_LOGS.row_bytes:g} in raw_logs, {SONGPLAYS.row_bytes:g} songplays, \
{TIME.row_bytes:g} time, {USER_MONTHS.row_bytes:g} user_months, {HEARD_SONGS.row_bytes:g} \
heard_songs, {SONG_MATCHES.row_bytes:g} song_matches
parts     raw_logs: one for each task; others: one for each {SLICE_BYTES // _MB} MiB of expected \
rows, which are events,
          / {USER_MONTHS.lines_a_row} in user_months, heard_songs and song_matches; none is \
larger than {FILE_BYTES // _MB} MiB
log       a commit: parts x {MEASURED.add:g} bytes; a checkpoint: {MEASURED.checkpoint:,g} + \
parts x {MEASURED.kept:g}
opened    raw parts x {MEASURED.raw_passes} passes + parts of songplays x {MEASURED.play_passes}
requests  LIST: {MEASURED.own_lists} + files / 1,000 + opened; HEAD: {MEASURED.own_heads} + \
opened x {MEASURED.heads}; GET: {MEASURED.own_gets} + each
          file, in pieces of {RANGE // _MB} MiB + groups of {GROUP_ROWS:,} rows in what is opened;
          PUT: {MEASURED.own_puts} + each part, in pieces of {PART_BYTES // _MB} MiB
shuffle   blocks = tasks that read raw rows ({_SPLIT_BYTES // _MB} MiB each) x parts of \
songplays; bytes = events x {MEASURED.shuffled:g}
driver    files x {MEASURED.account:g} + tasks of all steps x {MEASURED.report:,g} bytes
hours     (events read x {MEASURED.read_seconds:g} + events of the month so far x \
{MEASURED.build_seconds:g}) s a million, of one core:
          a run makes a month anew as a whole; by the clock / cores + {MEASURED.own_seconds:g} s
dollars   {PRICES.core_hour:g} a core's hour (--core-hour), {PRICES.changes:g} for 1,000 PUT or \
LIST, {PRICES.reads:g} for 1,000 GET or HEAD,
          {PRICES.kept:g} for a GB in the lake a month
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

    @property
    def groups(self) -> int:
        """Of rows, in all parts."""
        return max(self.parts, math.ceil(self.rows / GROUP_ROWS))


@dataclass(frozen=True)
class Cost:
    """What one run, or several, take: requests to S3 by kind, hours of a core, dollars of both."""

    requests: dict[str, int]
    core_hours: float
    dollars: float


@dataclass(frozen=True)
class Run:
    """One run.

    Attributes:
        tasks, task_bytes: that read files; bytes of the largest.
        blocks, block_bytes: of the largest shuffle: from each reading task to each writing one.
        driver_bytes: that tasks send to the driver.
        hours: by the clock.
    """

    tasks: int
    task_bytes: int
    blocks: int
    block_bytes: int
    driver_bytes: int
    hours: float
    cost: Cost


@dataclass(frozen=True)
class Forecast:
    """What comes of a load.

    Attributes:
        landing_bytes, files, file_bytes: what lands.
        parts: of each table, once the month is in.
        commits: to the logs of all tables, by a run.
        log_bytes, checkpoint_bytes: of the largest commit, and of the largest checkpoint.
        at_once: one run of all of it.
        last_day: the run that takes in the last day alone.
        daily: what all runs of the month take, where there is one a day.
        kept_dollars: a month, for the lake.
    """

    landing_bytes: int
    files: int
    file_bytes: int
    parts: list[Part]
    commits: int
    log_bytes: int
    checkpoint_bytes: int
    at_once: Run
    last_day: Run
    daily: Cost
    kept_dollars: float

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def forecast(load: Load, prices: Prices = PRICES, measured: Measured = MEASURED) -> Forecast:
    """What runs make of this load."""
    month = _Month(load, prices, measured)
    files = month.files(load.days)
    parts = month.parts(load.days, tasks_of(files))
    most = max(one.parts for one in parts)
    days = [month.run(1, day) for day in range(1, load.days + 1)]
    return Forecast(
        landing_bytes=sum(file.size for file in files),
        files=len(files),
        file_bytes=files[0].size,
        parts=parts,
        commits=len(parts) + 1,
        log_bytes=int(most * measured.add),
        # A month is replaced as a whole, so a table never has more parts than its months do.
        checkpoint_bytes=int(measured.checkpoint + most * measured.kept),
        at_once=month.run(load.days, load.days),
        last_day=days[-1],
        daily=_together(days),
        kept_dollars=sum(one.bytes for one in parts) / 1e9 * prices.kept,
    )


@dataclass(frozen=True)
class _Month:
    load: Load
    prices: Prices
    measured: Measured

    def files(self, days: int) -> list[LandingFile]:
        load = self.load
        size = math.ceil(load.events * self.measured.line / (load.days * load.files_a_day))
        return [
            LandingFile(f"log_data/{i:06}.json", "", size, "2018-11")
            for i in range(days * load.files_a_day)
        ]

    def run(self, read: int, held: int) -> Run:
        """The run that takes in so many days, after which the lake has the first `held` ones."""
        load, measured = self.load, self.measured
        files = self.files(read)
        tasks = tasks_of(files)
        parts = self.parts(held, tasks * (held // read))
        raw, plays = parts[0], parts[1]
        maps = math.ceil((raw.bytes + raw.parts * _OPEN_BYTES) / _SPLIT_BYTES)
        blocks = maps * plays.parts
        millions = load.events / load.days / 1e6
        hours = millions * (read * measured.read_seconds + held * measured.build_seconds) / 3600
        requests = self._requests(files, parts, len(tasks))
        sent = (
            measured.own_tasks
            + len(tasks)
            + maps * measured.raw_passes
            + sum(one.parts for one in parts[1:])
        )
        return Run(
            tasks=len(tasks),
            task_bytes=max(sum(file.size for file in task) for task in tasks),
            blocks=blocks,
            block_bytes=int(raw.rows * measured.shuffled / blocks),
            driver_bytes=int(len(files) * measured.account + sent * measured.report),
            hours=hours / load.cores + measured.own_seconds / 3600,
            cost=Cost(requests, hours, hours * self.prices.core_hour + self._price(requests)),
        )

    def parts(self, days: int, tasks: list[list[LandingFile]]) -> list[Part]:
        """Of each table, with so many days in it, whose files were read by these tasks."""
        load, measured = self.load, self.measured
        events = load.events * days // load.days
        rows_of_tasks = [sum(file.size for file in task) / measured.line for task in tasks]
        raw = sum(
            max(1, math.ceil(rows * RAW_LOGS.row_bytes / FILE_BYTES)) for rows in rows_of_tasks
        )
        plays = int(events * measured.plays)
        heard = min(plays, load.songs)
        landed = load.files_a_day * days
        return [
            Part(RAW_LOGS.name, events, int(events * RAW_LOGS.row_bytes), raw),
            _part(SONGPLAYS, events, plays),
            _part(TIME, events, _instants(plays, days)),
            _part(USER_MONTHS, events, min(events, load.users)),
            _part(HEARD_SONGS, events, heard),
            _part(SONG_MATCHES, events, heard),
            Part(LANDED_FILES.name, landed, int(landed * LANDED_FILES.row_bytes), 1),
        ]

    def _requests(self, files: list[LandingFile], parts: list[Part], tasks: int) -> dict[str, int]:
        raw, plays, measured = parts[0], parts[1], self.measured
        opened = raw.parts * measured.raw_passes + plays.parts * measured.play_passes
        groups = raw.groups * measured.raw_passes + plays.groups * measured.play_passes
        landing = sum(max(1, math.ceil(file.size / RANGE)) for file in files)
        wrote = tasks * puts(raw.part_bytes)
        wrote += sum(one.parts * puts(one.part_bytes) for one in parts[1:])
        return {
            LIST: measured.own_lists + listed(parts[-1].rows) + opened * measured.lists,
            HEAD: measured.own_heads + opened * measured.heads,
            GET: measured.own_gets + landing + groups,
            PUT: measured.own_puts + wrote,
        }

    def _price(self, requests: Mapping[str, int]) -> float:
        changes = requests[LIST] + requests[PUT]
        reads = requests[GET] + requests[HEAD]
        return (changes * self.prices.changes + reads * self.prices.reads) / 1000


def _part(table: Table, events: int, rows: int) -> Part:
    size = int(rows * table.row_bytes)
    pieces = slices(table, events // table.lines_a_row)
    return Part(table.name, rows, size, max(pieces, math.ceil(size / FILE_BYTES)))


def _instants(plays: int, days: int) -> int:
    """How many different milliseconds so many plays begin in, each as likely as another."""
    there = days * DAY_MS
    return round(there * -math.expm1(-plays / there))


def _together(runs: list[Run]) -> Cost:
    requests: Counter[str] = Counter()
    for run in runs:
        requests.update(run.cost.requests)
    return Cost(
        requests=dict(requests),
        core_hours=sum(run.cost.core_hours for run in runs),
        dollars=sum(run.cost.dollars for run in runs),
    )
