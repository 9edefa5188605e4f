"""Three of the tables from events and songs, by their rules, in plain Python."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any

from sparkify_assets.ingest.fields import LOG_FIELDS
from sparkify_assets_tests.zone import Json

Row = tuple[Any, ...]
PLAY_COLUMNS = (
    "start_time", "user_id", "level", "song_id", "artist_id", "session_id", "location",
    "user_agent", "month", "year", "song", "artist", "length",
)  # fmt: skip
_KEY = ("sessionId", "itemInSession", "ts", "userId")
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def counted(lines: Iterable[Json]) -> list[Json]:
    """Each event once: of several payloads the smallest, field by field, null first."""
    chosen: dict[Row, Json] = {}
    for line in lines:
        key = tuple(line[name] or "" if name == "userId" else line[name] for name in _KEY)
        if key not in chosen or _payload(line) < _payload(chosen[key]):
            chosen[key] = line
    return list(chosen.values())


def _payload(line: Json) -> list[Row]:
    values = [line[field.name] for field in LOG_FIELDS if field.name not in _KEY]
    return [(value is not None, value if value is not None else "") for value in values]


def songplays(events: Sequence[Json], songs: Sequence[Json]) -> list[Row]:
    """A row for each play, in the order of PLAY_COLUMNS: all columns but the id."""
    found = []
    for one in events:
        if one["page"] != "NextSong":
            continue
        start = _start(one)
        match = _match(one, songs)
        found.append(
            (
                start, one["userId"] or None, one["level"] or None, match and match["song_id"],
                match and match["artist_id"], one["sessionId"], one["location"] or None,
                _without_quotes(one["userAgent"]), start.month, start.year, one["song"] or None,
                one["artist"] or None, one["length"],
            )
        )  # fmt: skip
    return found


def _match(one: Json, songs: Sequence[Json]) -> Json | None:
    same = [
        song
        for song in songs
        if one["song"] and (song["title"], song["artist_name"]) == (one["song"], one["artist"])
    ]
    order = [(abs(song["duration"] - one["length"]), song["song_id"]) for song in same]
    return same[order.index(min(order))] if same else None


def users(events: Sequence[Json]) -> list[Row]:
    """The state of each user in the last event, of whatever page."""
    last: dict[str, Json] = {}
    for one in sorted(events, key=lambda e: (e["ts"], e["sessionId"], e["itemInSession"])):
        if one["userId"]:
            last[one["userId"]] = one
    names = ("firstName", "lastName", "gender", "level")
    return [(user, *(one[name] or None for name in names)) for user, one in last.items()]


def times(events: Sequence[Json]) -> list[Row]:
    """Each moment at which a song was played: hour, day, ISO week, month, year, weekday from 1."""
    moments = {_start(one) for one in events if one["page"] == "NextSong"}
    return [
        (at, at.hour, at.day, at.isocalendar().week, at.month, at.year, at.isoweekday())
        for at in moments
    ]


def _start(one: Json) -> dt.datetime:
    return _EPOCH + dt.timedelta(milliseconds=one["ts"])


def _without_quotes(text: str | None) -> str | None:
    if text and len(text) >= 2 and text.startswith('"') and text.endswith('"'):
        text = text[1:-1]
    return text or None
