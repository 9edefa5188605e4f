"""The landing zone that every lake of yesterday was written from, and what lands in it today.

As it stood at the end of yesterday it lies in `lakes/landing.tar.xz`: there the tests take it from,
so that it stays the same whatever becomes of the functions here. These are for `make`, which writes
it, and for what comes after.
"""

from __future__ import annotations

import json

from sparkify_assets_tests.zone import Zone, event

REPLACED = "log_data/2018/11/2018-11-15-events.json"
_OVER_THE_TURN = "log_data/2018/11/2018-11-30-events.json"
_TORN = "log_data/2018/12/2018-12-01-events.json"
_AGAIN = "log_data/2018/12/2018-12-15-events.json"
NEW = "log_data/2018/12/2018-12-16-events.json"

_EVENING = event("2018-11-30 23:58:00.100", sessionId=7, userId="16", firstName="Jon", level="free")
_MIDNIGHT = event(
    "2018-12-01 00:02:00.200", sessionId=7, itemInSession=1, userId="16", level="free"
)


def first(zone: Zone) -> None:
    """What landed first: two songs, and four files of logs."""
    zone.song()
    zone.song(
        "SOTWO", title="Second", artist_id="AR2", artist_name="Zoë", duration=200.5, year=1999
    )
    zone.logs(
        REPLACED,
        event(song="replaced and gone", sessionId=2),
        event("2018-11-15 13:00:00", sessionId=2, itemInSession=1, page="Home", song=None),
    )
    zone.logs(_OVER_THE_TURN, _EVENING, _MIDNIGHT)
    # The last line is torn; the text of the second one was encoded twice.
    lines = [json.dumps(event("2018-12-01 10:00:00", sessionId=9, userId="", auth="Logged Out"))]
    lines.append(
        json.dumps(
            event("2018-12-01 10:05:00", sessionId=10, song="Second", artist="ZoÃ«", length=200.5)
        )
    )
    zone.write(_TORN, "\n".join([*lines, '{"artist": "Elena", "ts": 15']))


def second(zone: Zone) -> None:
    """What landed then: another song, a file in place of the first one, an event once more."""
    zone.song("SOTHREE", title="Third", artist_id="AR3", artist_name="Mo", duration=100.0)
    zone.logs(
        REPLACED,
        event(sessionId=2),
        event("2018-11-15 13:00:00", sessionId=2, itemInSession=1, page="Home", song=None),
        event("2018-11-15 13:05:00", sessionId=2, itemInSession=2, song="of nobody", artist="Mo"),
    )
    zone.logs(
        _AGAIN,
        event("2018-12-15 10:00:00", sessionId=11, song="Third", artist="Mo", length=100.0),
        _MIDNIGHT,
    )


def new_file(zone: Zone) -> None:
    """What lands today: another day."""
    zone.logs(
        NEW,
        event("2018-12-16 08:00:00", sessionId=20, userId="17", firstName="Ann"),
        event("2018-12-16 08:05:00", sessionId=20, itemInSession=1, userId="17", song="Second",
              artist="Zoë", length=200.5),
    )  # fmt: skip


def replaced_file(zone: Zone) -> None:
    """What lands today: another content of a file that was replaced yesterday, too."""
    zone.logs(
        REPLACED,
        event(sessionId=2),
        event("2018-11-15 13:06:00", sessionId=2, itemInSession=3, song="of today", level="free"),
    )
