"""Files that change between listing and reading, or while they are read."""

from __future__ import annotations

import gzip
import json
import os
import random
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

from sparkify_assets.ingest.files import LandingFile
from sparkify_assets.ingest.landing import PARTS, Landing, Listing
from sparkify_assets.storage.listing import Place
from sparkify_assets.storage.requests import Requests
from sparkify_assets_tests.torture.oracle import differences
from sparkify_assets_tests.torture.reading import Reading
from sparkify_assets_tests.torture.tally import OTHER, Tally
from sparkify_assets_tests.zone import event

_CONTROL = "log_data/2018-11-02-control.json"
_PLAIN, _PACKED = "log_data/2018-11-01-victim.json", "log_data/2018-11-01-victim.json.gz"
# Bytes. A folder is read in blocks of 8 MiB. A bucket in ranges of 16 MiB, two at once: of three,
# the last is asked for later.
_LARGE = {"in a folder": 9 << 20, "in a bucket": 36 << 20}


def _lines(size: int) -> bytes:
    """So many bytes of events that can hardly be compressed, with whole lines."""
    draw = random.Random(size)
    line = [
        json.dumps(event(sessionId=number, song=draw.randbytes(20_000).hex())).encode() + b"\n"
        for number in range(-(-size // 40_000))
    ]
    return b"".join(line)


Way = Callable[[bytes], bytes | None]

# What takes the place of the content; None for nothing.
WAYS: dict[str, Way] = {
    "shorter": lambda _: json.dumps(event(sessionId=-1)).encode(),
    "longer": lambda old: old + json.dumps(event(sessionId=-2)).encode(),
    "of the same size": lambda old: old.replace(b"Elena", b"Alena"),
    "deleted": lambda _: None,
    "cut off": lambda old: old[: len(old) // 2],
}


class _Meddled:
    """A landing zone in which something happens once the first block of a file was read."""

    def __init__(self, landing: Landing, key: str, happens: Callable[[], None]) -> None:
        self._landing, self._key, self._happens = landing, key, happens

    def list(
        self,
        months: set[str],
        parts: Collection[str] = PARTS,
        places: Sequence[Place] = (),
        until: float | None = None,
    ) -> Listing:
        return self._landing.list(months, parts, places, until)

    def read(
        self, files: Iterable[LandingFile], requests: Requests
    ) -> Iterator[tuple[LandingFile, Iterator[bytes]]]:
        for file, blocks in self._landing.read(files, requests):
            yield file, self._blocks(file, blocks)

    def _blocks(self, file: LandingFile, blocks: Iterator[bytes]) -> Iterator[bytes]:
        for number, block in enumerate(blocks):
            yield block
            if number == 0 and file.key == self._key:
                self._happens()


def files_that_change(
    reading: Reading, tally: Tally, repeat: str, ways: Mapping[str, Way] = WAYS
) -> None:
    """Each way of changing, before and while it is read, of a plain and of a packed file."""
    control = json.dumps(event(sessionId=10**6)).encode()
    reading.zone.write(_CONTROL, control)
    small, large = _lines(100), _lines(_LARGE[reading.where])
    for key in (_PLAIN, _PACKED):
        pack = (lambda data: gzip.compress(data, 0, mtime=0)) if key == _PACKED else bytes
        for name, way in ways.items():
            for while_read, old in ((False, small), (True, large)):
                reading.zone.write(key, pack(old))
                new = way(pack(old)) if name == "cut off" else _packed(way(old), pack)
                files = reading.listing().files
                change = _change(reading, key, new)
                if not while_read:
                    change()
                meddled = _Meddled(reading.landing, key, change if while_read else _nothing)
                first = reading.read(files, meddled)
                when = "while it is read" if while_read else "before it is read"
                about = f"{reading.where}, {key}, {name} {when}"
                tally.counts["changes"] += 1
                if first.changed != [key] or first.unreadable:
                    told = f"changed {first.changed}, unreadable {first.unreadable}"
                    tally.fail(OTHER, f"{about}: {told}", repeat)
                first_accounts = [account.key for account in first.accounts]
                if first_accounts != [_CONTROL]:
                    tally.fail(OTHER, f"{about}: accounts of {first_accounts}", repeat)
                expected = {_CONTROL: control} | ({} if new is None else {key: new})
                then = reading.read(reading.listing().files)
                rows, rejects = reading.rows(then), reading.rejects(then)
                for what in differences(expected, then, rows, rejects):
                    tally.fail(OTHER, f"{about}, and then: {what[:500]}", repeat)
        if key in {file.key for file in reading.listing().files}:
            reading.zone.delete(key)


def _packed(data: bytes | None, pack: Callable[[bytes], bytes]) -> bytes | None:
    return None if data is None else pack(data)


def _nothing() -> None:
    pass


def _change(reading: Reading, key: str, new: bytes | None) -> Callable[[], None]:
    """Does it, so that the store sees another state of the file."""

    def change() -> None:
        if new is None:
            reading.zone.delete(key)
            return
        before = _tags(reading)
        reading.zone.write(key, new)
        while _tags(reading) == before:  # within one tick of a file system's clock
            path = reading.zone.root / key
            os.utime(path)

    return change


def _tags(reading: Reading) -> set[tuple[str, str]]:
    return {(file.key, file.etag) for file in reading.listing().files}
