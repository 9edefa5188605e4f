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
from sparkify_assets.lake.frames import (
    PIECE_BYTES,
    SHUFFLED_BYTES,
    SLICE_BYTES,
    SLICE_ROWS,
    shuffle_pieces,
    slices,
)
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
    USERS,
    Table,
)

HEAD = "HEAD"
_MB = 1 << 20
# Spark's own: how much of small and large files one task reads.
_SPLIT_BYTES, _OPEN_BYTES = 128 * _MB, 4 * _MB
_DAYS_KEPT = 7  # that a checkpoint keeps the names of parts that were replaced
_ID_BITS = 64


@dataclass(frozen=True)
class Measured:
    """What one line, part, task or run was found to take (`python -m bench.month`).

    Attributes:
        line: bytes of JSON a line.
        plays: share of events that are plays.
        read_seconds: of a core, for a million lines of JSON until they are raw rows.
        build_seconds: of a core, for a million raw rows until all tables are made and checked.
        add, gone: bytes that a part takes in a commit that adds or replaces it.
        kept, removed: bytes that such a part takes in a checkpoint; `checkpoint` has an empty one.
        account: bytes that a task reports of a file.
        report: bytes that a task of any kind sends to the driver.
        raw_passes, play_passes: how often a run reads the rows of raw_logs and of songplays.
        heads, lists: requests that Spark makes for a part whenever it reads it, besides one GET
            for each group of rows.
        own_seconds: of any run by the clock, for its start and for planning its steps.
        own_tasks: of any run, for the tables of songs, and to put results together.
        exchanges: of a run, cut as its largest one is.
        own_lists, own_heads, own_gets, own_puts: requests of any run, for its look at the lake,
            its ledger and its logs.
    """

    line: float = 455
    plays: float = 0.85
    read_seconds: float = 7
    build_seconds: float = 16
    add: float = 700
    gone: float = 230
    kept: float = 65
    removed: float = 20
    checkpoint: float = 22_000
    account: float = 220
    report: float = 8_000
    raw_passes: int = 5
    play_passes: int = 6
    heads: int = 3
    lists: int = 1
    own_seconds: float = 60
    own_tasks: int = 40
    exchanges: int = 10
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
          m x (1 - e^(-plays / m)); users and user_months = users; heard_songs, song_matches = \
songs at most
bytes     rows x {RAW_LOGS.row_bytes:g} in raw_logs, {SONGPLAYS.row_bytes:g} songplays, \
{TIME.row_bytes:g} time, {USER_MONTHS.row_bytes:g} users and user_months, \
{HEARD_SONGS.row_bytes:g}
          heard_songs, {SONG_MATCHES.row_bytes:g} song_matches: of a sample with 10,000 users and \
2,000 songs, more of both take more
parts     raw_logs: one for each task of each run; others: 1 + one for each \
{SLICE_BYTES // _MB} MiB of expected rows, which
          are events, / {USER_MONTHS.lines_a_row} in user_months, heard_songs and song_matches, or \
for each {SLICE_ROWS:,} rows;
          none is larger than {FILE_BYTES // _MB} MiB
log       a commit of songplays: parts x {MEASURED.add:g} bytes + those that it replaces x \
{MEASURED.gone:g}; a checkpoint:
          {MEASURED.checkpoint:,g} + parts x {MEASURED.kept:g} + those replaced in \
{_DAYS_KEPT} days x {MEASURED.removed:g}
opened    raw parts x {MEASURED.raw_passes} passes + parts of songplays x {MEASURED.play_passes}
requests  LIST: {MEASURED.own_lists} + files / 1,000 + opened; HEAD: {MEASURED.own_heads} + \
opened x {MEASURED.heads}; GET: {MEASURED.own_gets} + each
          file, in pieces of {RANGE // _MB} MiB + groups of {GROUP_ROWS:,} rows in what is opened;
          PUT: {MEASURED.own_puts} + each part that a run writes, or its pieces of \
{PART_BYTES // _MB} MiB + 2
shuffle   pieces = events x {SHUFFLED_BYTES} bytes / {PIECE_BYTES // _MB} MiB; \
blocks = pieces x parts of songplays
driver    files x {MEASURED.account:g} + tasks x {MEASURED.report:,g} bytes; tasks = \
{MEASURED.own_tasks} + those that read files + pieces x {MEASURED.exchanges}
          + {_SPLIT_BYTES // _MB} MiB of rows each in every pass + parts
time      (events read x {MEASURED.read_seconds:g} + events of the month so far x \
{MEASURED.build_seconds:g}) s a million, of one core: a month
          is made anew as a whole; by the clock / cores, the first at least as long as the \
largest task,
          + {MEASURED.own_seconds:g} s
dollars   cores x time by the clock x {PRICES.core_hour:g} an hour (--core-hour) + \
{PRICES.changes:g} for 1,000 PUT or LIST +
          {PRICES.reads:g} for 1,000 GET or HEAD; {PRICES.kept:g} for a GB in the lake a month
same id   1 - e^(-plays^2 / 2^{_ID_BITS + 1}): songplay_id is a hash of {_ID_BITS} bits
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
    users: int = 20_000_000
    songs: int = 5_000_000
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
        pieces: into which the rows of a shuffle are cut.
        blocks, block_bytes: of the largest shuffle: from each piece to each task that writes.
        driver_bytes: that all tasks together send to the driver.
        log_bytes, checkpoint_bytes: of the largest commit, and of a checkpoint of its log after a
            week of such runs.
        hours: by the clock.
    """

    tasks: int
    task_bytes: int
    pieces: int
    blocks: int
    block_bytes: int
    driver_bytes: int
    log_bytes: int
    checkpoint_bytes: int
    hours: float
    cost: Cost


@dataclass(frozen=True)
class Forecast:
    """What comes of a load.

    Attributes:
        landing_bytes, files, file_bytes: what lands.
        parts: of each table, once the month is in.
        commits: to the logs of all tables, by a run.
        same_id: the chance that two plays of the month get the same songplay_id, by which the
            month would be refused.
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
    same_id: float
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
    plays = parts[1].rows
    days = [month.run(1, day) for day in range(1, load.days + 1)]
    return Forecast(
        landing_bytes=sum(file.size for file in files),
        files=len(files),
        file_bytes=files[0].size,
        parts=parts,
        commits=len(parts) + 1,
        same_id=-math.expm1(-plays * (plays - 1) / 2 / 2**_ID_BITS),
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
        pieces = shuffle_pieces(raw.rows)
        sent = (
            measured.own_tasks
            + len(tasks)
            + _splits(raw) * measured.raw_passes
            + _splits(plays) * measured.play_passes
            + pieces * measured.exchanges
            + sum(one.parts for one in parts[1:])
        )
        requests = self._requests(files, parts, len(tasks))
        task_bytes = max(sum(file.size for file in task) for task in tasks)
        before = self._songplays(held - read).parts if held > read else 0
        millions = load.events / load.days / 1e6
        reading = read * millions * measured.read_seconds
        building = held * millions * measured.build_seconds
        longest = task_bytes / measured.line / 1e6 * measured.read_seconds
        clock = max(reading / load.cores, longest) + building / load.cores + measured.own_seconds
        price = clock / 3600 * load.cores * self.prices.core_hour + self._price(requests)
        return Run(
            tasks=len(tasks),
            task_bytes=task_bytes,
            pieces=pieces,
            blocks=pieces * plays.parts,
            block_bytes=raw.rows * SHUFFLED_BYTES // (pieces * plays.parts),
            driver_bytes=int(len(files) * measured.account + sent * measured.report),
            log_bytes=int(plays.parts * measured.add + before * measured.gone),
            checkpoint_bytes=int(
                measured.checkpoint
                + plays.parts * measured.kept
                + before * _DAYS_KEPT * measured.removed
            ),
            hours=clock / 3600,
            cost=Cost(requests, (reading + building) / 3600, price),
        )

    def parts(self, days: int, tasks: list[list[LandingFile]]) -> list[Part]:
        """Of each table, with so many days in it, whose files were read by these tasks."""
        load, measured = self.load, self.measured
        events = load.events * days // load.days
        rows_of_tasks = [sum(file.size for file in task) / measured.line for task in tasks]
        raw = sum(
            max(1, math.ceil(rows * RAW_LOGS.row_bytes / FILE_BYTES)) for rows in rows_of_tasks
        )
        songplays = self._songplays(days)
        plays = songplays.rows
        heard = min(plays, load.songs)
        landed = load.files_a_day * days
        return [
            Part(RAW_LOGS.name, events, int(events * RAW_LOGS.row_bytes), raw),
            songplays,
            _part(TIME, events, _instants(plays, days)),
            _part(USER_MONTHS, events, min(events, load.users)),
            _part(USERS, min(events, load.users), min(events, load.users)),
            _part(HEARD_SONGS, events, heard),
            _part(SONG_MATCHES, events, heard),
            Part(LANDED_FILES.name, landed, int(landed * LANDED_FILES.row_bytes), 1),
        ]

    def _songplays(self, days: int) -> Part:
        events = self.load.events * days // self.load.days
        return _part(SONGPLAYS, events, int(events * self.measured.plays))

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


def _splits(table: Part) -> int:
    """How many tasks of Spark read a table."""
    return math.ceil((table.bytes + table.parts * _OPEN_BYTES) / _SPLIT_BYTES)


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
