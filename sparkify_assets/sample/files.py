"""Writing a sample to a folder: the same options give the same bytes."""

from __future__ import annotations

import datetime as dt
import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from sparkify_assets.errors import UsageError
from sparkify_assets.partitions import DAY_MS, days_in, first_instant, months_between
from sparkify_assets.sample.catalogue import make_songs
from sparkify_assets.sample.listeners import Radio, User, make_session, make_users
from sparkify_assets.sample.traps import BROKEN_SONG, with_bad_lines
from sparkify_assets.settings import DEMO_MONTH

_EVENTS_A_SESSION = 11.8  # about; sessions are made until a day has its events


@dataclass(frozen=True)
class Sample:
    """What to generate.

    Attributes:
        songs: number of song files.
        events: log events a month, about.
        first_month, last_month: YYYY-MM, both included.
        bad_lines: how many lines to spoil, in all log files together; with any, a broken song
            file, too.
        layout: `nested` (log_data/2018/11/2018-11-01-events.json) or `flat`.
    """

    songs: int = 250
    users: int = 100
    events: int = 8_000
    first_month: str = DEMO_MONTH
    last_month: str = DEMO_MONTH
    bad_lines: int = 0
    layout: Literal["nested", "flat"] = "nested"
    seed: int = 1


@dataclass
class Made:
    """What was generated."""

    files: int = 0
    unchanged: int = 0
    songs: int = 0
    lines: int = 0
    bad_lines: int = 0
    bytes: int = 0


def write_sample(
    folder: Path, sample: Sample, progress: Callable[[str], Any] = lambda _key: None
) -> Made:
    """Write song_data/ and log_data/ below `folder`.

    A file that is there already with the same content is left alone, so that making a sample
    twice lands nothing new. Nothing is ever overwritten.

    Args:
        progress: called with the key of each log file as it is done.

    Raises:
        UsageError: a file of that name is there already, with other content.
    """
    made = Made()
    rng = random.Random(sample.seed)
    catalogue = make_songs(sample.songs, rng)
    others = make_songs(max(200, sample.songs * 2), rng)
    for song in catalogue:
        _write(folder / song.key, json.dumps(song.to_json()).encode(), made)
    made.songs = len(catalogue)
    if sample.bad_lines:
        _write(folder / "song_data/A/A/A/TRAAABROKEN.json", BROKEN_SONG.encode(), made)
    months = months_between(sample.first_month, sample.last_month)
    users = make_users(sample.users, first_instant(sample.first_month), rng)
    days = [day for month in months for day in _days(month)]
    spoiled = [0] * len(days)
    for _ in range(sample.bad_lines):
        spoiled[rng.randrange(len(days))] += 1
    # Leaves room for the end of the last session of one day in the file of the next.
    carried: list[dict[str, Any]] = []
    radio = Radio(catalogue, others)
    sessions = iter(range(1, 1 << 62))
    for index, day in enumerate(days):
        start = int(day.timestamp() * 1000)
        wanted = sample.events * len(months) / len(days)
        events = carried + list(_day_events(start, wanted, users, radio, sessions, rng))
        last = index == len(days) - 1
        today = [e for e in events if e["ts"] < start + DAY_MS]
        carried = [] if last else [e for e in events if e["ts"] >= start + DAY_MS]
        today.sort(key=lambda event: event["ts"])
        lines = with_bad_lines([_line(event) for event in today], spoiled[index], rng)
        key = _log_key(day, sample.layout)
        _write(folder / key, b"\n".join(lines) + b"\n", made)
        made.lines += len(lines)
        progress(key)
    made.bad_lines = sample.bad_lines
    return made


def _day_events(
    start: int,
    wanted: float,
    users: list[User],
    radio: Radio,
    sessions: Iterator[int],
    rng: random.Random,
) -> Iterator[dict[str, Any]]:
    weekday = dt.datetime.fromtimestamp(start / 1000, dt.UTC).weekday()
    share = wanted * (1.15 if weekday < 5 else 0.65) * rng.uniform(0.8, 1.2)
    weights = [user.weight for user in users]
    for _ in range(max(1, round(share / _EVENTS_A_SESSION))):
        user = rng.choices(users, weights)[0]
        # Most listen in the afternoon; sessions of the late evening run over midnight.
        moment = start + int(rng.triangular(0, DAY_MS - 1, DAY_MS * 0.68))
        yield from make_session(next(sessions), user, moment, radio, rng)


def _line(event: dict[str, Any]) -> bytes:
    return json.dumps(event, separators=(",", ":")).replace("/", "\\/").encode()


def _days(month: str) -> list[dt.datetime]:
    first = dt.datetime.fromtimestamp(first_instant(month) / 1000, dt.UTC)
    number = days_in(month)
    return [first + dt.timedelta(days=day) for day in range(number)]


def _log_key(day: dt.datetime, layout: str) -> str:
    name = f"{day:%Y-%m-%d}-events.json"
    return f"log_data/{day:%Y/%m}/{name}" if layout == "nested" else f"log_data/{name}"


def _write(path: Path, content: bytes, made: Made) -> None:
    made.files += 1
    made.bytes += len(content)
    if path.exists():
        if path.read_bytes() != content:
            raise UsageError(
                f"{path} is there already, with other content, and is not overwritten; choose "
                "another folder, or remove this one if it only holds an older sample"
            )
        made.unchanged += 1
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    # Under its name only when it is whole: also after a crash, nothing has to be overwritten.
    partial = path.with_name(f".{path.name}.partial")
    partial.write_bytes(content)
    partial.rename(path)
