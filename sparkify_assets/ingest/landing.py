"""The landing zone: what counts as data there and to which month it belongs.

Only names, tags and bytes; what is inside the files is read elsewhere. `landing_folder` and
`landing_bucket` list and read the two kinds of zones.
"""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from sparkify_assets.ingest.files import Files, LandingFile
from sparkify_assets.partitions import is_month
from sparkify_assets.storage.listing import Place
from sparkify_assets.storage.location import Location
from sparkify_assets.storage.requests import Requests

LOGS = "log_data"
SONGS = "song_data"
PARTS = (LOGS, SONGS)
# The scope of song files in the ledger; that of a log file is the month in its key.
SONG_SCOPE = "songs"
BLOCK = 8 << 20
# Unpacked at once, at most.
_UNPACKED = 1 << 20
# What a broken .gz file raises while it is read.
GZIP_ERRORS = (EOFError, zlib.error, gzip.BadGzipFile)

_DATA = re.compile(r"\.(json|jsonl|ndjson)(\.gz)?$", re.IGNORECASE)
_MONTH_FOLDERS = re.compile(r"(?:^|/)(\d{4})/(\d{2})(?=/)")
_MONTH_IN_NAME = re.compile(r"(?<!\d)(\d{4})-(\d{2})(?!\d)")


@dataclass
class Listing:
    """What lies in the landing zone.

    Attributes:
        scopes: song and log files, by scope.
        unplaced: files that are not loaded, with the reason, as `(key, reason)`.
        complete: whether everything could be listed; if not, nothing counts as deleted.
        parts: `log_data`, `song_data` or both: what was listed at all.
        rest: where to go on, if there was no time for everything.
        requests: how many LIST requests it took.
    """

    scopes: dict[str, Files] = field(default_factory=dict)
    unplaced: list[tuple[str, str]] = field(default_factory=list)
    complete: bool = True
    parts: Collection[str] = PARTS
    rest: list[Place] = field(default_factory=list)
    requests: int = 0

    def covers(self, scope: str) -> bool:
        """Whether a file of this scope that is not here is gone."""
        return self.complete and (SONGS if scope == SONG_SCOPE else LOGS) in self.parts

    def of(self, scope: str) -> Files:
        """The files of one scope."""
        return self.scopes.get(scope) or Files(scope)

    @property
    def files(self) -> list[LandingFile]:
        """All files, sorted by key."""
        return sorted(file for files in self.scopes.values() for file in files)

    def __len__(self) -> int:
        return sum(len(files) for files in self.scopes.values())

    def place(self, key: str, etag: str, size: int, months: set[str]) -> None:
        """Take in one file: as data of its scope, or with the reason why it is none."""
        reason = self._reason(key, months)
        if reason is not None:
            self.unplaced.append((key, reason))
        else:
            scope = scope_of(key) or ""
            if scope not in self.scopes:
                self.scopes[scope] = Files(scope)
            self.scopes[scope].add(key, etag, size)

    def _reason(self, key: str, months: set[str]) -> str | None:
        if not _DATA.search(key):
            return "not .json, .jsonl, .ndjson or one of these with .gz; rename or remove it"
        scope = scope_of(key)
        if scope is None:
            return (
                f"its key shows no month; name it {LOGS}/YYYY/MM/… or {LOGS}/YYYY-MM-DD-events.json"
            )
        if scope != SONG_SCOPE and scope not in months:
            return (
                f"its month {scope} is outside the configured ones; set SPARKIFY_FIRST_MONTH or "
                "SPARKIFY_LAST_MONTH"
            )
        return None


class ContentChanged(Exception):  # noqa: N818 -- an outcome of a race, not a fault
    """The file is no longer the one that was listed; the next run takes the new one."""


class Landing(Protocol):
    """A place with `log_data/` and `song_data/` in it. Small, and can be pickled."""

    def list(
        self,
        months: set[str],
        parts: Collection[str] = PARTS,
        places: Sequence[Place] = (),
        until: float | None = None,
    ) -> Listing:
        """Everything that lies there now.

        Args:
            months: the configured months; log files of other months are not loaded.
            parts: `log_data`, `song_data` or both; of the other nothing is told then.
            places: only what is left of an earlier listing (its `rest`).
            until: when to stop (`time.monotonic()`); only a bucket can take that long.

        Raises:
            LandingError: it is missing, or cannot be listed.
        """

    def read(
        self, files: Iterable[LandingFile], requests: Requests
    ) -> Iterator[tuple[LandingFile, Iterator[bytes]]]:
        """The content of files, unpacked, in blocks of at most 8 MiB.

        Args:
            requests: counts what it takes.

        The blocks of a file raise:
            ContentChanged: it is gone, or is not or no longer the file that was listed.
            EOFError, zlib.error, gzip.BadGzipFile: a torn or broken .gz file.
            OSError: it cannot be read.
        """


def landing_at(uri: str) -> Landing:
    """The landing zone at a URI (see `settings.Settings.landing`)."""
    location = Location(uri.rstrip("/"), "SPARKIFY_LANDING")
    if location.on_s3:
        from sparkify_assets.ingest.landing_bucket import BucketLanding

        return BucketLanding(location)
    from sparkify_assets.ingest.landing_folder import FolderLanding

    return FolderLanding(uri)


def scope_of(key: str) -> str | None:
    """The scope of a key below `log_data/` or `song_data/`; None where a log shows no month."""
    return month_in_key(key) if key.startswith(f"{LOGS}/") else SONG_SCOPE


def month_in_key(key: str) -> str | None:
    """The month that a log file's key shows: by its folders (`2018/11/`), else by its name."""
    for pattern, text in (
        (_MONTH_FOLDERS, key.removeprefix(f"{LOGS}/")),
        (_MONTH_IN_NAME, key.rsplit("/", 1)[-1]),
    ):
        for year, month in pattern.findall(text):
            if is_month(f"{year}-{month}"):
                return f"{year}-{month}"
    return None


def unpacked(packed: gzip.GzipFile) -> Iterator[bytes]:
    """The content of a .gz file in blocks of about 8 MiB.

    Of a broken one, everything before the place where it is broken.

    Raises:
        EOFError, zlib.error, gzip.BadGzipFile: it is torn or broken.
    """
    held: list[bytes] = []
    size = 0
    try:
        # `read` would lose what it has unpacked of a block in which an error comes.
        while found := packed.read1(_UNPACKED):
            held.append(found)
            size += len(found)
            if size >= BLOCK:
                yield b"".join(held)
                held, size = [], 0
    except GZIP_ERRORS:
        yield b"".join(held)
        raise
    if held:
        yield b"".join(held)


def is_packed(key: str) -> bool:
    """Whether a file is compressed."""
    return key.lower().endswith(".gz")
