"""A landing zone for tests: events and songs with sensible defaults, written as files."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

Json = dict[str, Any]


def ts(text: str) -> int:
    """Milliseconds of a UTC time: `ts("2018-11-30 23:59:59.796")`."""
    moment = dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)
    return round(moment.timestamp() * 1000)


def event(when: str = "2018-11-15 12:00:00.796", **fields: Any) -> Json:
    """A NextSong event; `fields` go over the defaults."""
    return {
        "artist": "Elena",
        "auth": "Logged In",
        "firstName": "Lily",
        "gender": "F",
        "itemInSession": 0,
        "lastName": "Koch",
        "length": 269.58322,
        "level": "paid",
        "location": "Chicago-Naperville-Elgin, IL-IN-WI",
        "method": "PUT",
        "page": "NextSong",
        "registration": 1541048010796.0,
        "sessionId": 1,
        "song": "Setanta matins",
        "status": 200,
        "ts": ts(when),
        "userAgent": '"Mozilla/5.0 (X11; Linux x86_64)"',
        "userId": "15",
        **fields,
    }


def song(song_id: str = "SOZCTXZ12AB0182364", **fields: Any) -> Json:
    """The content of a song file."""
    return {
        "num_songs": 1,
        "artist_id": "AR5KOSW1187FB35FF4",
        "artist_latitude": 49.80388,
        "artist_longitude": 15.47491,
        "artist_location": "Dubai UAE",
        "artist_name": "Elena",
        "song_id": song_id,
        "title": "Setanta matins",
        "duration": 269.58322,
        "year": 0,
        **fields,
    }


class Zone:
    """A folder with log_data/ and song_data/."""

    def __init__(self, root: Path) -> None:
        self.root = root
        for part in ("log_data", "song_data"):
            (root / part).mkdir(parents=True, exist_ok=True)

    def write(self, key: str, content: bytes | str) -> str:
        """A file as it is."""
        path = self.root / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return key

    def logs(self, key: str, *events: Json) -> str:
        """A log file, an event a line."""
        return self.write(key, "\n".join(json.dumps(one) for one in events))

    def song(self, song_id: str = "SOZCTXZ12AB0182364", **fields: Any) -> str:
        """A song file, named after its song."""
        return self.write(f"song_data/A/B/C/TR{song_id}.json", json.dumps(song(song_id, **fields)))

    def delete(self, key: str) -> None:
        """Remove a file."""
        (self.root / key).unlink()


@contextmanager
def deep_file(zone: Zone, key: str, content: str) -> Iterator[None]:
    """A file below more folders than Python's own functions go down; they are removed afterwards.

    These call themselves for each folder, also where a test's folder is removed.
    """
    folders = [zone.root / key[:end] for end, mark in enumerate(key) if mark == "/"]
    made = [folder for folder in folders if not folder.exists()]
    try:
        for folder in made:
            folder.mkdir()
        zone.write(key, content)
        yield
    finally:
        (zone.root / key).unlink(missing_ok=True)
        for folder in reversed(made):
            if folder.exists():
                folder.rmdir()
