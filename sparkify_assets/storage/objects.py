"""Whole objects below a location, the same in a folder and in a bucket: list, get, put, delete.

`put_new` is what commits stand on: of several writers of one key exactly one succeeds.
"""

from __future__ import annotations

import errno
import os
import time
import uuid
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

from sparkify_assets.storage.access import s3_access
from sparkify_assets.storage.failures import explained, explained_on_disk, is_missing
from sparkify_assets.storage.location import Location
from sparkify_assets.storage.requests import DELETE, GET, LIST, PUT, REQUESTS, listed

if TYPE_CHECKING:
    from obstore.store import S3Store

AT_ONCE = 16
# Some file systems and network shares have no sync, or none for folders.
_NO_SYNC = {errno.EINVAL, errno.ENOTSUP, errno.EBADF, errno.ENOSYS}
# Who may write into a folder need not be allowed to read it, which opening it for a sync takes.
_NOT_TO_BE_READ = {errno.EACCES, errno.EPERM}


class Entry(NamedTuple):
    """One object: `key` relative to the location, `etag` of its content, `modified` in ms."""

    key: str
    etag: str
    size: int
    modified: int


class Objects(Protocol):
    """Objects below one location; every key is relative to it."""

    def list(self, below: str = "", after: str = "") -> list[Entry]:
        """All objects whose key begins with `below` and sorts after `after`, sorted."""

    def folders(self) -> tuple[str, ...]:
        """The names of the folders right below, sorted; of a bucket's, up to the first slash."""

    def get(self, key: str, first: int | None = None) -> bytes:
        """The content, or its `first` bytes. Raises FileNotFoundError."""

    def put_new(self, key: str, content: bytes) -> Entry:
        """Write an object that must not be there yet. Raises FileExistsError."""

    def put(self, key: str, content: bytes, content_type: str | None = None) -> None:
        """Write an object, in place of what may be there.

        Args:
            content_type: what a bucket is to tell a browser about it; folders keep none.
        """

    def settle(self, keys: Iterable[str]) -> None:
        """Have objects that were written in another way outlast a loss of power, too.

        Raises:
            FileNotFoundError: one is not there. A bucket is not asked.
        """

    def delete(self, keys: Iterable[str]) -> None:
        """Remove objects; those that are gone already are no error."""


def objects(location: Location) -> Objects:
    """The objects below a location."""
    return BucketObjects(location) if location.on_s3 else FolderObjects(location)


def get_all(source: Objects, keys: Iterable[str]) -> list[bytes]:
    """Several objects at once, in the order of the keys. Raises FileNotFoundError."""
    wanted = list(keys)
    if len(wanted) < 2 or isinstance(source, FolderObjects):
        return [source.get(key) for key in wanted]
    with ThreadPoolExecutor(min(AT_ONCE, len(wanted))) as pool:
        return list(pool.map(source.get, wanted))


def entry_of(source: Objects, key: str) -> Entry | None:
    """The object with this key, None where there is none."""
    return next((entry for entry in source.list(key) if entry.key == key), None)


class FolderObjects:
    """Files below a folder."""

    def __init__(self, location: Location) -> None:
        self._location = location
        self._root = Path(location.uri)

    def list(self, below: str = "", after: str = "") -> list[Entry]:
        folder, _, start = below.rpartition("/")
        prefix = f"{folder}/" if folder else ""
        with self._told():
            return sorted(self._walk(self._root / folder, prefix, start, after))

    def folders(self) -> tuple[str, ...]:
        try:
            with self._told(), os.scandir(self._root) as entries:
                return tuple(sorted(entry.name for entry in entries if entry.is_dir()))
        except FileNotFoundError:
            return ()

    def get(self, key: str, first: int | None = None) -> bytes:
        with self._told(), (self._root / key).open("rb") as file:
            return file.read(-1 if first is None else first)

    def put_new(self, key: str, content: bytes) -> Entry:
        # Linked: nobody sees it unfinished, and a link never replaces a file.
        path = self._root / key
        with self._told(), self._aside(key, content) as aside:
            os.link(aside, path)
            self._sync_folders([path])
            return _entry(key, aside.stat())

    def put(self, key: str, content: bytes, content_type: str | None = None) -> None:  # noqa: ARG002
        path = self._root / key
        with self._told(), self._aside(key, content) as aside:
            aside.replace(path)
            self._sync_folders([path])

    def settle(self, keys: Iterable[str]) -> None:
        paths = [self._root / key for key in keys]
        if not paths:
            return
        with self._told(), ThreadPoolExecutor(min(AT_ONCE, len(paths))) as pool:
            list(pool.map(_sync, paths))
            self._sync_folders(paths)

    def _sync_folders(self, paths: Iterable[Path]) -> None:
        """The folders of these files, up to the lake's: there a name is, and not in its file."""
        top = self._root.parent
        folders = {top}
        for path in paths:
            folders.update(folder for folder in path.parents if top in folder.parents)
        for folder in sorted(folders, reverse=True):
            _sync_folder(folder)

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except (FileNotFoundError, FileExistsError):
            raise
        except NotADirectoryError as error:
            raise FileNotFoundError(str(error)) from None
        except OSError as error:
            raise explained_on_disk(error, self._location) from None

    @contextmanager
    def _aside(self, key: str, content: bytes) -> Iterator[Path]:
        folder = (self._root / key).parent
        folder.mkdir(parents=True, exist_ok=True)
        aside = folder / f".{uuid.uuid4().hex}.tmp"
        try:
            with aside.open("wb") as file:
                file.write(content)
                file.flush()
                _sync_opened(file.fileno())
            yield aside
        finally:
            aside.unlink(missing_ok=True)

    def delete(self, keys: Iterable[str]) -> None:
        for key in keys:
            with suppress(FileNotFoundError), self._told():
                (self._root / key).unlink()

    def _walk(self, folder: Path, prefix: str, start: str, after: str) -> Iterator[Entry]:
        try:
            with os.scandir(folder) as entries:
                found = [entry for entry in entries if entry.name.startswith(start)]
        except (FileNotFoundError, NotADirectoryError):
            return
        for entry in found:
            key = f"{prefix}{entry.name}"
            if entry.is_dir():
                # What is listed may be removed: never what a link leads to.
                if entry.is_symlink():
                    continue
                yield from self._walk(Path(entry.path), f"{key}/", "", after)
                continue
            if key <= after or key.endswith(".tmp"):
                continue
            with suppress(FileNotFoundError):  # removed since the folder was read
                yield _entry(key, entry.stat())


def make_folder(folder: Path) -> None:
    """Make a folder and those above it that are missing, with their names on the disk.

    Its own name also where it is there: who made it may not have come to that.
    """
    missing = [one for one in folder.parents if not one.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for one in (folder, *missing):
        _sync_folder(one.parent)


def _sync_folder(folder: Path) -> None:
    try:
        _sync(folder)
    except OSError as error:
        if error.errno not in _NOT_TO_BE_READ:
            raise


def _sync(path: Path) -> None:
    """Have a file, or the names in a folder, on the disk."""
    opened = os.open(path, os.O_RDONLY)
    try:
        _sync_opened(opened)
    finally:
        os.close(opened)


def _sync_opened(opened: int) -> None:
    try:
        os.fsync(opened)
    except OSError as error:
        if error.errno not in _NO_SYNC:
            raise


def file_tag(status: os.stat_result) -> str:
    """The tag of a file's content in a folder: inode, modification time and size."""
    return f"{status.st_ino:x}-{status.st_mtime_ns:x}-{status.st_size:x}"


def _entry(key: str, status: os.stat_result) -> Entry:
    return Entry(key, file_tag(status), status.st_size, status.st_mtime_ns // 1_000_000)


class BucketObjects:
    """Objects below a prefix of a bucket."""

    def __init__(self, location: Location) -> None:
        self._location = location
        self._prefix = location.above

    @property
    def _store(self) -> S3Store:
        return s3_access().object_store(self._location.bucket)

    def list(self, below: str = "", after: str = "") -> list[Entry]:
        import obstore

        entries: list[Entry] = []
        # obstore lists whole folders; the rest of `below` is compared here.
        folder = f"{self._prefix}{below}".rpartition("/")[0]
        offset = f"{self._prefix}{after}" if after else None
        with self._told("ListObjectsV2"):
            for chunk in obstore.list(self._store, folder, offset=offset, chunk_size=1000):
                for found in chunk:
                    key = found["path"].removeprefix(self._prefix)
                    modified = int(found["last_modified"].timestamp() * 1000)
                    entries.append(Entry(key, found["e_tag"] or "", found["size"], modified))
        REQUESTS.add(LIST, listed(len(entries)))
        return [entry for entry in entries if entry.key.startswith(below)]

    def folders(self) -> tuple[str, ...]:
        import obstore

        REQUESTS.add(LIST)
        with self._told("ListObjectsV2"):
            found = obstore.list_with_delimiter(self._store, self._prefix)
        paths = found["common_prefixes"]
        return tuple(sorted(path.rstrip("/").rpartition("/")[2] for path in paths))

    def get(self, key: str, first: int | None = None) -> bytes:
        import obstore

        REQUESTS.add(GET)
        path = f"{self._prefix}{key}"
        with self._told("GetObject"):
            if first is not None:
                return bytes(obstore.get_range(self._store, path, start=0, length=first))
            return bytes(obstore.get(self._store, path).bytes())

    def put_new(self, key: str, content: bytes) -> Entry:
        import obstore
        from obstore.exceptions import AlreadyExistsError

        REQUESTS.add(PUT)
        with self._told("PutObject"):
            try:
                done = obstore.put(
                    self._store, f"{self._prefix}{key}", content,
                    mode="create", use_multipart=False,
                )  # fmt: skip
            except AlreadyExistsError as error:
                raise FileExistsError(key) from error
        return Entry(key, done["e_tag"] or "", len(content), time.time_ns() // 1_000_000)

    def put(self, key: str, content: bytes, content_type: str | None = None) -> None:
        import obstore

        REQUESTS.add(PUT)
        path = f"{self._prefix}{key}"
        attributes = {"Content-Type": content_type} if content_type else None
        with self._told("PutObject"):
            obstore.put(self._store, path, content, attributes=attributes, use_multipart=False)

    def settle(self, keys: Iterable[str]) -> None:
        """Nothing to do: what a bucket has acknowledged stays."""

    def delete(self, keys: Iterable[str]) -> None:
        import obstore

        names = [f"{self._prefix}{key}" for key in keys]
        if names:
            REQUESTS.add(DELETE, listed(len(names)))
            with self._told("DeleteObject"):
                obstore.delete(self._store, names)

    @contextmanager
    def _told(self, operation: str) -> Iterator[None]:
        from obstore.exceptions import BaseError

        try:
            yield
        except FileExistsError:
            raise
        except (BaseError, OSError) as error:
            if is_missing(error):
                raise FileNotFoundError(f"{self._location.uri}: {error}".splitlines()[0]) from None
            raise explained(error, operation, self._location) from None
