"""Users and their sessions: what the app writes to its log."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sparkify_assets.partitions import DAY_MS
from sparkify_assets.sample.catalogue import Song
from sparkify_assets.sample.words import AGENTS, FIRST_NAMES, LAST_NAMES, PLACES

Event = dict[str, Any]

# Pages between songs, with how often they come and their HTTP method and status.
_PAGES = (
    ("Home", 10, "GET", 200),
    ("Settings", 2, "GET", 200),
    ("Help", 1, "GET", 200),
    ("About", 1, "GET", 200),
    ("Error", 1, "GET", 404),
    ("Save Settings", 1, "PUT", 307),
)


@dataclass
class User:
    """A user; `level` changes as time goes by."""

    user_id: str
    first_name: str
    last_name: str
    gender: str
    place: str
    agent: str
    registration: float
    level: str
    weight: float


def make_users(number: int, first_ts: int, rng: random.Random) -> list[User]:
    """Users, a quarter of them paying; few of them listen much, most a little."""
    return [
        User(
            user_id=str(index + 2),
            first_name=rng.choice(FIRST_NAMES),
            last_name=rng.choice(LAST_NAMES),
            gender=rng.choice("FFM"),
            place=rng.choice(PLACES),
            agent=rng.choice(AGENTS),
            registration=float(first_ts - rng.randint(1, 40) * DAY_MS),
            level="paid" if rng.random() < 0.25 else "free",
            weight=rng.paretovariate(1.2),
        )
        for index in range(number)
    ]


class Radio:
    """Chooses what is played: popular songs often; about a third from the catalogue."""

    def __init__(self, catalogue: Sequence[Song], others: Sequence[Song]) -> None:
        self._lists = [(songs, _popularity(len(songs))) for songs in (catalogue, others)]

    def next(self, rng: random.Random) -> Song:
        """The next song."""
        songs, weights = self._lists[0 if rng.random() < 0.35 else 1]
        return rng.choices(songs, cum_weights=weights)[0]


def make_session(
    number: int, user: User, start: int, radio: Radio, rng: random.Random
) -> Iterator[Event]:
    """The events of one session, itemInSession from 0. `start` in milliseconds."""
    now = start
    items = itertools.count()
    if rng.random() < 0.3:
        for page, method, status in (("Home", "GET", 200), ("Login", "PUT", 307)):
            yield _logged_out(page, method, status, number, next(items), now, user.level)
            now += rng.randint(5, 60) * 1000
    for _ in range(min(1 + int(rng.expovariate(1 / 9)), 120)):
        if rng.random() < 0.18:
            page, _weight, method, status = rng.choices(_PAGES, [p[1] for p in _PAGES])[0]
            yield _event(user, page, method, status, number, next(items), now)
            now += rng.randint(2, 40) * 1000
        if rng.random() < 0.004:
            for page, method, status in _change_of_level(user):
                yield _event(user, page, method, status, number, next(items), now)
                now += rng.randint(5, 90) * 1000
            user.level = "free" if user.level == "paid" else "paid"
        song = radio.next(rng)
        yield _event(user, "NextSong", "PUT", 200, number, next(items), now, song)
        now += int(song.duration) * 1000
    if rng.random() < 0.2:
        yield _event(user, "Logout", "PUT", 307, number, next(items), now)


def _change_of_level(user: User) -> tuple[tuple[str, str, int], tuple[str, str, int]]:
    name = "Downgrade" if user.level == "paid" else "Upgrade"
    return (name, "GET", 200), (f"Submit {name}", "PUT", 307)


def _event(
    user: User,
    page: str,
    method: str,
    status: int,
    session: int,
    item: int,
    ts: int,
    song: Song | None = None,
) -> Event:
    return {
        "artist": twice_encoded(song.artist_name) if song else None,
        "auth": "Logged In",
        "firstName": twice_encoded(user.first_name),
        "gender": user.gender,
        "itemInSession": item,
        "lastName": twice_encoded(user.last_name),
        "length": song.duration if song else None,
        "level": user.level,
        "location": user.place,
        "method": method,
        "page": page,
        "registration": user.registration,
        "sessionId": session,
        "song": twice_encoded(song.title) if song else None,
        "status": status,
        "ts": ts,
        "userAgent": user.agent,
        "userId": user.user_id,
    }


def _logged_out(
    page: str, method: str, status: int, session: int, item: int, ts: int, level: str
) -> Event:
    empty = ("artist", "firstName", "gender", "lastName", "length", "location", "registration")
    return {
        **dict.fromkeys((*empty, "song", "userAgent")),
        "auth": "Logged Out",
        "itemInSession": item,
        "level": level,
        "method": method,
        "page": page,
        "sessionId": session,
        "status": status,
        "ts": ts,
        "userId": "",
    }


def twice_encoded(text: str) -> str:
    """As the app's log has names beyond ASCII: encoded as UTF-8 two times too often."""
    if text.isascii():
        return text
    for _ in range(2):
        text = text.encode("utf-8").decode("latin-1")
    return text


def _popularity(number: int) -> list[float]:
    return list(itertools.accumulate(1 / (rank + 3) for rank in range(number)))
