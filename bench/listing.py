"""A million landing files listed, and compared with the ledger: seconds and memory.

`python -m bench.listing [FILES]`. S3 is simulated: a page of 1,000 keys takes 0.1 s. The
ledger is a real one, written by the project's own code in a process of its own, so that what is
measured is what a run holds in memory.
"""

from __future__ import annotations

import datetime as dt
import multiprocessing
import resource
import sys
import tempfile
import time
from collections.abc import Iterator

from sparkify_assets.ingest.landing import LOGS, SONG_SCOPE, SONGS, Listing
from sparkify_assets.ingest.landing_bucket import take
from sparkify_assets.ingest.ledger import LandedFile, Ledger
from sparkify_assets.ingest.plan import READER_VERSION, Rules, plan_scope, scopes_of
from sparkify_assets.lake.lake import Lake
from sparkify_assets.storage.listing import Page, Place, walk
from sparkify_assets.tables import LANDED_FILES

FILES, NEW = 1_000_000, 10
PAGE_SECONDS = 0.1
PAGE_KEYS = 1000
MOST_SECONDS, MOST_MB = 60, 500
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_MONTH = "2018-11"


class Songs:
    """A lister of song files in 26 * 26 * 26 folders and of a thousandth as many logs.

    Keys are made as they are asked for; none is kept.

    Args:
        new: so many files more than without.
        changed: so many files with other tags.
        gone: so many files less.
    """

    def __init__(
        self, files: int, new: int = 0, changed: int = 0, gone: int = 0, seconds: float = 0.0
    ) -> None:
        self.logs = files // 1000
        self._songs = files - self.logs
        self._new, self._changed, self._gone = new, changed, gone
        self._seconds = seconds
        self._folders = len(_LETTERS) ** 3

    def all(self) -> Iterator[tuple[str, str, int]]:
        """Key, tag and size of each file."""
        for folder in range(self._folders):
            yield from self._in(folder)
        yield from (self._log(number) for number in range(self.logs))

    def page(self, place: Place) -> Page:
        time.sleep(self._seconds)
        page = Page()
        for key, etag, size in self._below(place):
            if len(page.keys) == PAGE_KEYS:
                page.more = True
                break
            page.keys.append(key)
            page.etags.append(etag)
            page.sizes.append(size)
        return page

    def level(self, prefix: str) -> Page:
        time.sleep(self._seconds)
        if prefix.startswith(SONGS) and prefix.count("/") <= len("ABC"):
            return Page(prefixes=[f"{prefix}{letter}/" for letter in _LETTERS])
        if prefix in (f"{LOGS}/", f"{LOGS}/2018/"):
            return Page(prefixes=[f"{prefix}{'11' if prefix.endswith('2018/') else '2018'}/"])
        raise ValueError(f"the simulated bucket has no level {prefix}")

    def _below(self, place: Place) -> Iterator[tuple[str, str, int]]:
        if place.prefix.startswith(LOGS):
            first = int(place.after[-12:-5]) + 1 if place.after else 0
            yield from (self._log(number) for number in range(first, self.logs))
            return
        start, end = self._range(place.prefix)
        if place.after:
            start = self._range(place.after.rpartition("/")[0] + "/")[0]
        for folder in range(start, end):
            yield from (file for file in self._in(folder) if file[0] > place.after)

    def _range(self, prefix: str) -> tuple[int, int]:
        """The folders below a prefix, as numbers."""
        letters = prefix.split("/")[1:-1]
        start, count = 0, self._folders
        for letter in letters:
            count //= len(_LETTERS)
            start += _LETTERS.index(letter) * count
        return start, start + count

    def _in(self, folder: int) -> Iterator[tuple[str, str, int]]:
        base = len(_LETTERS)
        a, b, c = folder // base**2, folder // base % base, folder % base
        path = f"{SONGS}/{_LETTERS[a]}/{_LETTERS[b]}/{_LETTERS[c]}"
        files = range(folder, self._songs, self._folders)
        for number in files:
            if folder == 0 and number // self._folders < self._gone:
                continue
            changed = folder == 1 and number // self._folders < self._changed
            yield self._file(f"{path}/TR{number:016d}.json", number + changed * 10**9)
        if folder == self._folders // 2:
            for number in range(self._new):
                yield self._file(f"{path}/TRX{number:015d}.json", number)

    def _log(self, number: int) -> tuple[str, str, int]:
        return self._file(f"{LOGS}/2018/11/events-{number:07d}.json", number)

    def _file(self, key: str, number: int) -> tuple[str, str, int]:
        return key, f'"{number * 0x9E3779B97F4A7C15 % (1 << 128):032x}"', 200 + number % 100


def put_ledger(lake: Lake, files: Songs) -> None:
    """A ledger in which all these files are landed."""
    lake.create_missing()
    now = dt.datetime(2018, 12, 1, tzinfo=dt.UTC)
    scopes: dict[str, list[LandedFile]] = {SONG_SCOPE: [], _MONTH: []}
    for key, etag, size in files.all():
        song = key.startswith(SONGS)
        scopes[SONG_SCOPE if song else _MONTH].append(
            LandedFile(
                key, etag, size, f"{hash(key) % 20:032x}", READER_VERSION, 1, 1, 0, 0,
                [] if song else [_MONTH], None, None, now, SONG_SCOPE if song else _MONTH,
            )
        )  # fmt: skip
    Ledger(lake.snapshot(LANDED_FILES)).commit(lake, scopes)


def _prepare(uri: str, files: int) -> None:
    put_ledger(Lake.at(uri), Songs(files))
    _say("the ledger was written")


def _measure(uri: str, files: int) -> None:
    from sparkify_assets.sensors.new_files import use_little_memory

    use_little_memory()
    _say("before, with Dagster and the libraries")
    ledger = Ledger(Lake.at(uri).snapshot(LANDED_FILES))
    lister, listing = Songs(files, new=NEW, seconds=PAGE_SECONDS), Listing()
    started = time.monotonic()
    places = [Place(f"{part}/") for part in (LOGS, SONGS)]
    walk(lister, places, lambda page: take(page, listing, {_MONTH}))
    listed = time.monotonic()
    _say(f"{len(listing):,} keys listed in {listed - started:.1f} s, {listing.requests:,} requests")
    rules = Rules(frozenset({_MONTH}))
    plans = [
        plan_scope(scope, listing, ledger, rules) for scope in scopes_of(listing, ledger, {_MONTH})
    ]
    found = sum(len(plan.to_read) for plan in plans)
    compared = time.monotonic()
    _say(f"compared with the ledger in {compared - listed:.1f} s: {found} new files")
    seconds, megabytes = compared - started, _peak()
    met = seconds < MOST_SECONDS and megabytes < MOST_MB and found == NEW
    _say(f"{'within' if met else 'NOT within'} {MOST_SECONDS} s and {MOST_MB} MB")
    sys.exit(not met)


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _say(what: str) -> None:
    sys.stdout.write(f"{what}; peak memory of this process {_peak():,.0f} MB\n")
    sys.stdout.flush()


def main(files: int) -> int:
    """Prepare and measure, each in a process of its own; 0 if all targets were met."""
    context = multiprocessing.get_context("spawn")
    code = 0
    with tempfile.TemporaryDirectory() as folder:
        for work in (_prepare, _measure):
            process = context.Process(target=work, args=(f"{folder}/lake", files))
            process.start()
            process.join()
            code = code or process.exitcode or 0
    return code


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else FILES))
