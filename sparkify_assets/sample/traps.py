"""Lines and files that come up in real landing zones and must harm nothing else."""

from __future__ import annotations

import json
import random

_TRAPS: tuple[bytes, ...] = (
    b'{"artist":"Torn in the mid',
    b"not JSON at all",
    b"[1, 2, 3]",
    b'{"page":"NextSong","sessionId":1,"itemInSession":0,"userId":"2"}',
    b'{"page":"NextSong","sessionId":1,"itemInSession":0,"userId":"2","ts":"yesterday"}',
    b'{"page":"NextSong","sessionId":1.5,"itemInSession":0,"userId":"2","ts":1541207073796}',
    b'{"page":"NextSong","sessionId":1,"itemInSession":0,"userId":"2","ts":99}',
    b'{"page":"NextSong","sessionId":1,"itemInSession":0,"artist":["x"],"ts":1541207073796}',
    b'{"page":"Home","song":"caf\xe9","sessionId":1,"itemInSession":0,"ts":1541207073796}',
    b'{"page":"Ho\x00me","sessionId":1,"itemInSession":0,"ts":1541207073796}',
)

# Two objects in one file, pretty-printed, as it was once seen.
BROKEN_SONG = json.dumps({"song_id": "SOBROKEN1", "artist_id": "ARBROKEN1"}, indent=2) * 2


def with_bad_lines(lines: list[bytes], number: int, rng: random.Random) -> list[bytes]:
    """The lines with `number` bad ones put between them at random."""
    result = list(lines)
    for _ in range(number):
        result.insert(rng.randint(0, len(result)), rng.choice(_TRAPS))
    return result
