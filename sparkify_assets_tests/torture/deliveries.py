"""Events and songs, drawn from a seed, and the ways in which they may be delivered."""

from __future__ import annotations

import gzip
import json
import random
from dataclasses import dataclass, field

from sparkify_assets_tests.zone import Json, event, song, ts

MONTHS = ("2018-11", "2018-12")
_TURN = ts("2018-12-01")
_SPAN = ts("2019-01-01") - ts("2018-11-01")
_TITLES = [("Setanta matins", "Elena"), ("Aurora", "Björk"), ("One", "Two"), ("Unheard", "Nobody")]


@dataclass
class Delivery:
    """What happens in the landing zone before one run: files put, then files deleted."""

    put: dict[str, bytes] = field(default_factory=dict)
    deleted: list[str] = field(default_factory=list)


def draw_songs(draw: random.Random) -> list[Json]:
    """Songs, of which two have title and artist in common."""
    found = [
        song(f"SO{number}", title=title, artist_name=artist, artist_id=f"AR{artist}",
             duration=200.5 + number, year=draw.choice([0, 1999, 2008]))
        for number, (title, artist) in enumerate([*_TITLES, _TITLES[0]])
    ]  # fmt: skip
    draw.shuffle(found)
    return found


def draw_lines(draw: random.Random) -> list[Json]:
    """Lines of two months: events, and some of them again with another payload."""
    moments = [ts("2018-11-01") + draw.randrange(_SPAN) for _ in range(30)]
    moments += [_TURN - 1, _TURN, _TURN + 1]
    lines = [_event(draw, number, moment) for number, moment in enumerate(moments)]
    for one in draw.sample(lines, 8):
        again = {
            **one,
            draw.choice(["level", "location", "song"]): draw.choice([None, "", "free", "z"]),
        }
        lines.append(again)
    draw.shuffle(lines)
    return lines


def _event(draw: random.Random, number: int, moment: int) -> Json:
    title, artist = draw.choice([*_TITLES[:3], ("Never in the catalogue", "Elena")])
    user = draw.choice(["1", "2", "3", "", None])
    return event(
        ts=moment,
        sessionId=draw.randrange(5),
        itemInSession=number,
        userId=user,
        level=draw.choice(["free", "paid"]),
        firstName=f"Name {user}",
        page=draw.choice(["NextSong", "NextSong", "NextSong", "Home"]),
        song=title,
        artist=artist,
        length=draw.choice([200.0, 203.5, 204.25, 300.0]),
    )


def clean(lines: list[Json], songs: list[Json]) -> Delivery:
    """Everything at once, in one file for each month and one for each song."""
    by_month = {month: [x for x in lines if (x["ts"] < _TURN) is (month == MONTHS[0])]
                for month in MONTHS}  # fmt: skip
    found = {f"log_data/{month}.json": _text(some) for month, some in by_month.items()}
    return Delivery(found | {f"song_data/{n}.json": _text([s]) for n, s in enumerate(songs)})


def disorder(
    draw: random.Random, lines: list[Json], songs: list[Json], runs: int
) -> list[Delivery]:
    """The same lines and songs by several deliveries, in some order or other.

    Among them: packed files, whole files again under another name, files that come in part and with
    something wrong first, one that is wrong and deleted for good, late ones of the older month,
    events in a file of the other month, and a file that is deleted and comes again (with at least
    three runs).
    """
    found = [Delivery() for _ in range(runs)]
    for number, some in enumerate(_split(draw, lines)):
        # Mostly the month of its first event; an event may lie in a file of the other one.
        month = MONTHS[some[0]["ts"] >= _TURN] if draw.random() < 0.8 else draw.choice(MONTHS)
        key = f"log_data/{month.replace('-', '/')}/{draw.randrange(10**6)}-{number}.json"
        packed = draw.random() < 0.3
        key, pack = (f"{key}.gz", gzip.compress) if packed else (key, bytes)
        run = draw.randrange(runs)
        found[run].put[key] = pack(_text(some))
        if run and draw.random() < 0.5:
            part = [*some[: len(some) // 2], _astray(draw)]
            found[draw.randrange(run)].put[key] = pack(_text(part))
        if draw.random() < 0.3:
            other = f"log_data/{draw.choice(MONTHS)}-again-{number}.json"
            found[draw.randrange(runs)].put[other] = _text(some)
    for number, one in enumerate(songs):
        found[draw.randrange(runs)].put[f"song_data/{draw.choice('AB')}/{number}.json"] = _text(
            [one]
        )
    wrong = "log_data/2018-11-wrong.json"
    found[0].put[wrong] = _text([_astray(draw)])
    found[-1].deleted.append(wrong)
    if runs >= 3:
        _delete_and_bring_again(draw, found)
    return found


def _astray(draw: random.Random) -> Json:
    """An event that does not count in the end: its file is replaced or deleted."""
    moment = ts("2018-11-01") + draw.randrange(_SPAN)
    return {**_event(draw, draw.randrange(10**6), moment), "page": "NextSong", "userId": "astray"}


def _delete_and_bring_again(draw: random.Random, found: list[Delivery]) -> None:
    begun = next(number for number, delivery in enumerate(found) if len(delivery.put) > 1)
    key = draw.choice(sorted(set(found[begun].put) - set(found[-1].deleted)))
    content = [delivery.put[key] for delivery in found if key in delivery.put][-1]
    for delivery in found[begun + 1 :]:
        delivery.put.pop(key, None)
    if begun + 1 < len(found) - 1:
        found[begun + 1].deleted.append(key)
    found[-1].put[key] = content


def _split(draw: random.Random, lines: list[Json]) -> list[list[Json]]:
    rest = draw.sample(lines, len(lines))
    found = []
    while rest:
        size = draw.randint(1, 9)
        found.append(rest[:size])
        rest = rest[size:]
    return found


def _text(lines: list[Json]) -> bytes:
    return "\n".join(json.dumps(line) for line in lines).encode()
