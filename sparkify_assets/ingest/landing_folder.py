"""A landing zone that is a folder: every way in which a folder can surprise."""

from __future__ import annotations

import gzip
import io
import os
import stat
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from sparkify_assets.errors import LandingError
from sparkify_assets.ingest.files import LandingFile
from sparkify_assets.ingest.landing import (
    BLOCK,
    GZIP_ERRORS,
    LOGS,
    PARTS,
    SONGS,
    ContentChanged,
    Listing,
    is_packed,
    unpacked,
)
from sparkify_assets.storage.listing import Place
from sparkify_assets.storage.objects import file_tag
from sparkify_assets.storage.requests import Requests


@dataclass(frozen=True)
class FolderLanding:
    """A folder with `log_data/` and `song_data/` in it."""

    root: str

    def list(
        self,
        months: set[str],
        parts: Collection[str] = PARTS,
        places: Sequence[Place] = (),  # noqa: ARG002 -- a folder is always listed whole
        until: float | None = None,  # noqa: ARG002
    ) -> Listing:
        root = Path(self.root)
        if not root.is_dir():
            raise LandingError(
                f"SPARKIFY_LANDING: there is no folder {root}; expected one with {LOGS}/ and "
                f"{SONGS}/ in it (`sparkify sample DIR` makes one to try)"
            )
        listing = Listing(parts=parts)
        found = [part for part in PARTS if (root / part).is_dir()]
        # These may be links themselves: they are whoever's who set the landing zone up.
        zone = [os.path.realpath(root / part) for part in found]
        for part in found:
            if part in parts:
                _walk(root / part, part, listing, months, zone)
        if not found:
            raise LandingError(
                f"SPARKIFY_LANDING: {root} holds neither {LOGS}/ nor {SONGS}/; expected the "
                "folder above these two"
            )
        listing.unplaced.sort()
        return listing

    def read(
        self,
        files: Iterable[LandingFile],
        requests: Requests,  # noqa: ARG002 -- a folder takes none
    ) -> Iterator[tuple[LandingFile, Iterator[bytes]]]:
        for file in files:
            yield file, self.blocks(file)

    def blocks(self, file: LandingFile) -> Iterator[bytes]:
        """The content of one file."""
        path = f"{self.root}/{file.key}"
        try:
            # Neither pathlib nor a buffer of 8 MiB: of many small files they take half of the time.
            with open(path, "rb", buffering=0) as raw:  # noqa: PTH123
                _same(file, os.fstat(raw.fileno()))
                try:
                    yield from _content(file, raw)
                except GZIP_ERRORS:
                    # Broken, or only cut off and written anew while it was read.
                    _same(file, os.stat(path))  # noqa: PTH116
                    raise
                _same(file, os.fstat(raw.fileno()))
            _same(file, os.stat(path))  # noqa: PTH116
        except FileNotFoundError as error:
            raise ContentChanged(f"{file.key} was deleted while it was read") from error


def _content(file: LandingFile, raw: io.FileIO) -> Iterator[bytes]:
    if is_packed(file.key):
        yield from unpacked(gzip.GzipFile(fileobj=raw))
        return
    while block := raw.read(min(BLOCK, file.size + 1)):
        yield block


def _same(file: LandingFile, status: os.stat_result) -> None:
    if file_tag(status) != file.etag:
        raise ContentChanged(f"{file.key} was changed while it was read")


class _Folder(NamedTuple):
    path: str
    key: str
    above: frozenset[tuple[int, int]]  # device and inode of the folders that it lies in


def _within(path: str, zone: Collection[str]) -> bool:
    """Whether a link leads to one of these folders or into it, or to nothing there."""
    target = os.path.realpath(path)
    return any(os.path.commonpath([folder, target]) == folder for folder in zone)


def _walk(root: Path, part: str, listing: Listing, months: set[str], zone: Collection[str]) -> None:
    """List a folder.

    Args:
        zone: the real paths of the folders that make up the landing zone. Whoever may put files
            there may put links, too: they must not make us read what they cannot read themselves.
    """
    # Not by recursion: folders may lie deeper within each other than Python's calls may.
    todo = [_Folder(str(root), part, frozenset())]
    while todo:
        todo += _folder(todo.pop(), listing, months, zone)


def _folder(
    folder: _Folder, listing: Listing, months: set[str], zone: Collection[str]
) -> Iterator[_Folder]:
    """Take the files of one folder into the listing; the folders in it."""
    try:
        status = os.stat(folder.path)  # noqa: PTH116
        here = (status.st_dev, status.st_ino)
        if here in folder.above:
            listing.unplaced.append((f"{_shown(folder.key)}/", "a link to a folder above it"))
            return
        with os.scandir(folder.path) as entries:
            found = [entry for entry in entries if not entry.name.startswith((".", "_"))]
    except FileNotFoundError:  # deleted since the folder above was read
        return
    except OSError as error:
        listing.complete = False
        reason = f"cannot be listed: {error.strerror}"
        listing.unplaced.append((f"{_shown(folder.key)}/", reason))
        return
    below = folder.above | {here}
    for entry in found:
        key = f"{folder.key}/{entry.name}"
        try:
            if entry.is_symlink() and not _within(entry.path, zone):
                # It is there, so what was taken in through it before is not gone.
                listing.complete = False
                listing.unplaced.append(
                    (_shown(key), "a link out of the landing zone; put the file itself there")
                )
            elif entry.is_dir():
                yield _Folder(entry.path, key, below)
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
    if shown != key:
        listing.unplaced.append((shown, "its name is not valid UTF-8; rename it"))
    elif not stat.S_ISREG(status.st_mode):
        listing.unplaced.append((shown, "neither a file nor a folder; remove it"))
    else:
        listing.place(key, file_tag(status), status.st_size, months)
