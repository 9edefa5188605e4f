"""The landing zone: which files lie there, and their bytes.

Only names, tags and bytes; what is inside the files is read elsewhere.
"""

from __future__ import annotations

import gzip
import os
import re
import stat
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from sparkify_assets.errors import LandingError
from sparkify_assets.partitions import is_month

LOGS = "log_data"
SONGS = "song_data"
# The scope of song files in the ledger; that of a log file is the month in its key.
SONG_SCOPE = "songs"

_DATA = re.compile(r"\.(json|jsonl|ndjson)(\.gz)?$", re.IGNORECASE)
_MONTH_FOLDERS = re.compile(r"(?:^|/)(\d{4})/(\d{2})(?=/)")
_MONTH_IN_NAME = re.compile(r"(?<!\d)(\d{4})-(\d{2})(?!\d)")
_BLOCK = 8 << 20


class LandingFile(NamedTuple):
    """One file of the landing zone.

    `key` is its path from the zone's root with `/`; key, etag and size together identify its
    content. `scope` is `songs`, or the month in the key.
    """

    key: str
    etag: str
    size: int
    scope: str


@dataclass
class Listing:
    """What lies in the landing zone.

    Attributes:
        files: song and log files, sorted by key.
        unplaced: files that are not loaded, with the reason, as `(key, reason)`.
        complete: whether every folder could be listed; if not, nothing counts as deleted.
    """

    files: list[LandingFile] = field(default_factory=list)
    unplaced: list[tuple[str, str]] = field(default_factory=list)
    complete: bool = True

    def of(self, scope: str) -> list[LandingFile]:
        """The files of one scope."""
        return [file for file in self.files if file.scope == scope]


class ContentChanged(Exception):  # noqa: N818 -- an outcome of a race, not a fault
    """The file is no longer the one that was listed; the next run takes the new one."""


@dataclass(frozen=True)
class Landing:
    """A folder with `log_data/` and `song_data/` in it."""

    root: str

    def list(self, months: set[str]) -> Listing:
        """Everything that lies there now.

        Args:
            months: the configured months; log files of other months are not loaded.

        Raises:
            LandingError: the folder is missing, or holds neither part.
        """
        root = Path(self.root)
        if not root.is_dir():
            raise LandingError(
                f"SPARKIFY_LANDING: there is no folder {root}; expected one with {LOGS}/ and "
                f"{SONGS}/ in it (`sparkify sample DIR` makes one to try)"
            )
        listing = Listing()
        parts = [part for part in (LOGS, SONGS) if (root / part).is_dir()]
        for part in parts:
            _walk(root / part, part, listing, months, frozenset())
        if not parts:
            raise LandingError(
                f"SPARKIFY_LANDING: {root} holds neither {LOGS}/ nor {SONGS}/; expected the "
                "folder above these two"
            )
        listing.files.sort()
        listing.unplaced.sort()
        return listing

    def blocks(self, file: LandingFile) -> Iterator[bytes]:
        """The content of a file, unpacked, in pieces of at most 8 MiB.

        Raises:
            ContentChanged: it is gone, or is not or no longer the file that was listed.
            EOFError, zlib.error, gzip.BadGzipFile: a torn or broken .gz file.
            OSError: it cannot be read.
        """
        path = Path(self.root, file.key)
        try:
            with path.open("rb", buffering=0) as raw:
                _same(file, os.fstat(raw.fileno()))
                packed = file.key.lower().endswith(".gz")
                opened = gzip.GzipFile(fileobj=raw) if packed else raw
                # A buffer of 8 MiB for each of many small files would be half of the time.
                most = _BLOCK if packed else min(_BLOCK, file.size + 1)
                while block := opened.read(most):
                    yield block
                _same(file, os.fstat(raw.fileno()))
            _same(file, path.stat())
        except FileNotFoundError as error:
            raise ContentChanged(f"{file.key} was deleted while it was read") from error


# What a broken .gz file raises while it is read.
GZIP_ERRORS = (EOFError, zlib.error, gzip.BadGzipFile)


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


def etag(status: os.stat_result) -> str:
    """The tag of a file's content in a folder: inode, modification time and size."""
    return f"{status.st_ino:x}-{status.st_mtime_ns:x}-{status.st_size:x}"


def _same(file: LandingFile, status: os.stat_result) -> None:
    if etag(status) != file.etag:
        raise ContentChanged(f"{file.key} was changed while it was read")


def _walk(
    folder: Path, prefix: str, listing: Listing, months: set[str], above: frozenset[str]
) -> None:
    try:
        here = os.path.realpath(folder)
        if here in above:
            listing.unplaced.append((f"{_shown(prefix)}/", "a link to a folder above it"))
            return
        with os.scandir(folder) as entries:
            found = [entry for entry in entries if not entry.name.startswith((".", "_"))]
    except FileNotFoundError:  # deleted since the folder above was read
        return
    except OSError as error:
        listing.complete = False
        listing.unplaced.append((f"{_shown(prefix)}/", f"cannot be listed: {error.strerror}"))
        return
    for entry in found:
        key = f"{prefix}/{entry.name}"
        try:
            if entry.is_dir():
                _walk(Path(entry.path), key, listing, months, above | {here})
            else:
                _place(listing, key, entry.stat(), months)
        except FileNotFoundError:
            if entry.is_symlink():
                listing.unplaced.append((_shown(key), "a link to nothing; mend or remove it"))
        except OSError as error:
            listing.complete = False
            listing.unplaced.append((_shown(key), f"cannot be looked at: {error.strerror}"))


def _shown(key: str) -> str:
    """A key as text; bytes that are no UTF-8 as `\\xNN`."""
    return os.fsencode(key).decode("utf-8", "backslashreplace")


def _place(listing: Listing, key: str, status: os.stat_result, months: set[str]) -> None:
    shown = _shown(key)
    scope: str | None = SONG_SCOPE
    if key.startswith(f"{LOGS}/"):
        scope = month_in_key(key)
    if shown != key:
        reason = "its name is not valid UTF-8; rename it"
    elif not stat.S_ISREG(status.st_mode):
        reason = "neither a file nor a folder; remove it"
    elif not _DATA.search(key):
        reason = "not .json, .jsonl, .ndjson or one of these with .gz; rename or remove it"
    elif scope is None:
        reason = (
            f"its key shows no month; name it {LOGS}/YYYY/MM/… or {LOGS}/YYYY-MM-DD-events.json"
        )
    elif scope != SONG_SCOPE and scope not in months:
        reason = (
            f"its month {scope} is outside the configured ones; set SPARKIFY_FIRST_MONTH or "
            "SPARKIFY_LAST_MONTH"
        )
    else:
        listing.files.append(LandingFile(key, etag(status), status.st_size, scope))
        return
    listing.unplaced.append((shown, reason))
