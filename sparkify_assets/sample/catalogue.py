"""Songs: those of the catalogue, which get a file each, and those that are only ever heard."""

from __future__ import annotations

import random
import string
from dataclasses import dataclass
from typing import Any

from sparkify_assets.sample.words import ADJECTIVES, HOMES, NOUNS, TAILS

_LETTERS = string.ascii_uppercase
_SYMBOLS = string.ascii_uppercase + string.digits


@dataclass(frozen=True)
class Song:
    """One song as its file has it; `track` names the file."""

    track: str
    song_id: str
    title: str
    artist_id: str
    artist_name: str
    place: str
    latitude: float | None
    longitude: float | None
    duration: float
    year: int

    def to_json(self) -> dict[str, Any]:
        """The content of the song file."""
        return {
            "num_songs": 1,
            "artist_id": self.artist_id,
            "artist_latitude": self.latitude,
            "artist_longitude": self.longitude,
            "artist_location": self.place,
            "artist_name": self.artist_name,
            "song_id": self.song_id,
            "title": self.title,
            "duration": self.duration,
            "year": self.year,
        }

    @property
    def key(self) -> str:
        """Where the file lands: in folders by the third to fifth letter of its name."""
        return f"song_data/{'/'.join(self.track[2:5])}/{self.track}.json"


def make_songs(number: int, rng: random.Random) -> list[Song]:
    """Songs with distinct ids, about three to an artist, of whom one in 25 has two names."""
    songs: list[Song] = []
    while len(songs) < number:
        songs.extend(_of_one_artist(rng, len(songs)))
    return songs[:number]


def _of_one_artist(rng: random.Random, first: int) -> list[Song]:
    name = f"{rng.choice(ADJECTIVES)} {rng.choice(NOUNS)}"
    if rng.random() < 0.5:
        name = f"The {name}"
    artist_id = "AR" + _code(rng, 16)
    place = rng.choice(HOMES)
    known = rng.random() < 0.4
    latitude = round(rng.uniform(-60, 70), 5) if known else None
    longitude = round(rng.uniform(-180, 180), 5) if known else None
    return [
        Song(
            track="TR" + "".join(rng.choice(_LETTERS[:3]) for _ in range(3)) + _code(rng, 13),
            song_id=f"SO{_code(rng, 10)}{first + index:06d}",
            title=f"{rng.choice(ADJECTIVES)} {rng.choice(NOUNS)}{rng.choice(TAILS)}",
            artist_id=artist_id,
            artist_name=name if rng.random() > 0.04 else f"{name} feat. {rng.choice(NOUNS)}",
            place=place,
            latitude=latitude,
            longitude=longitude,
            duration=round(rng.uniform(90, 420), 5),
            year=0 if rng.random() < 0.4 else rng.randint(1955, 2018),
        )
        for index in range(rng.randint(1, 6))
    ]


def _code(rng: random.Random, length: int) -> str:
    return "".join(rng.choices(_SYMBOLS, k=length))
