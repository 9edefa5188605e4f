"""The parts of a release as files that DuckDB reads and nothing else: known names, only reading.

A part has a made-up name, `lake://songplays/year_month=2018-11/year=2018/month=11/0.parquet`, in a
folder and in a bucket alike. So SQL can reach no other file, a filter by month is known before any
file is opened, and buckets need no extension of DuckDB. A part never changes: what was fetched from
a bucket stays in memory as long as there is room.
"""

from __future__ import annotations

import os
import threading
from abc import ABC, abstractmethod
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from fsspec import AbstractFileSystem

from sparkify_assets.analytics.block_cache import BlockCache
from sparkify_assets.errors import StorageError
from sparkify_assets.lake.log import StoredPart
from sparkify_assets.storage.failures import explained, is_missing
from sparkify_assets.storage.location import Location
from sparkify_assets.storage.requests import GET, REQUESTS

PROTOCOL = "lake"
CACHE_BYTES = 512 << 20


class PartGone(StorageError):  # noqa: N818 -- reads as what happened
    """A part of the release is no longer there."""


class _Known(NamedTuple):
    location: Location
    part: StoredPart


class PartFiles(AbstractFileSystem):  # type: ignore[misc]
    """fsspec's view of some parts.

    Attributes:
        failure: the last error in our own words; DuckDB tells it with words of its own around it.
        opened: how often each part was opened, by its path in the table.
        bytes_read: what DuckDB asked for, also where the cache had it.
    """

    protocol = PROTOCOL
    cachable = False

    def __init__(self, cache: BlockCache | None = None) -> None:
        super().__init__()
        self._parts: dict[str, _Known] = {}
        self._cache = cache or BlockCache(CACHE_BYTES)
        self.failure: StorageError | None = None
        self.opened: dict[str, int] = {}
        self.bytes_read = 0

    def add(self, folder: str, location: Location, part: StoredPart) -> str:
        """Make a part known; returns the path for DuckDB."""
        values = "".join(f"/{name}={value}" for name, value in part.partition.items())
        path = f"{folder}{values}/{len(self._parts)}.parquet"
        self._parts[path] = _Known(location, part)
        return f"{PROTOCOL}://{path}"

    def info(self, path: str, **_: Any) -> dict[str, Any]:
        known = self._known(path)
        return {"name": path, "size": known.part.size, "type": "file"}

    def exists(self, path: str, **_: Any) -> bool:
        return self._strip_protocol(path) in self._parts

    def isfile(self, path: str) -> bool:
        return self.exists(path)

    def modified(self, path: str) -> datetime:
        return datetime.fromtimestamp(self._known(path).part.added_at / 1000, UTC)

    def glob(self, path: str, **_: Any) -> list[str]:
        return [path] if self.exists(path) else []

    def open(self, path: str, mode: str = "rb", **_: Any) -> Any:
        known = self._known(path)
        if mode != "rb":
            raise PermissionError(f"{path}: only for reading")
        name = known.part.path
        self.opened[name] = self.opened.get(name, 0) + 1
        try:
            if known.location.on_s3:
                return RemotePart(known.location, known.part, self._cache, self)
            return LocalPart(Path(known.location.uri, name), known.part.size, self)
        except FileNotFoundError as error:
            raise self.failed(known, error) from None

    def failed(self, known: _Known, error: Exception) -> StorageError:
        """The error in our own words, kept until somebody asks."""
        where = f"{known.location.uri}/{known.part.path}"
        if is_missing(error) or isinstance(error, FileNotFoundError):
            self.failure = PartGone(f"{where} is gone")
        else:
            self.failure = explained(error, "GetObject", known.location)
        return self.failure

    def _known(self, path: str) -> _Known:
        found = self._parts.get(self._strip_protocol(path))
        if found is None:
            raise FileNotFoundError(path)
        return found


class PartFile(ABC):
    """A part as DuckDB's file.

    DuckDB's threads share it, and each first seeks and then reads: so each has a position of its
    own. They are not Python's threads: what `threading.local` holds is gone between the two.
    """

    closed = True

    def __init__(self, size: int, files: PartFiles) -> None:
        self.size = size
        self.closed = False
        self._files = files
        self._at: dict[int, int] = {}

    def seek(self, position: int, whence: int = 0) -> int:
        place = position + (0, self.tell(), self.size)[whence]
        self._at[threading.get_ident()] = place
        return place

    def tell(self) -> int:
        return self._at.get(threading.get_ident(), 0)

    def read(self, length: int = -1) -> bytes:
        start = self.tell()
        end = self.size if length < 0 else min(start + length, self.size)
        if end <= start:
            return b""
        self._at[threading.get_ident()] = end
        self._files.bytes_read += end - start
        return self.range(start, end)

    @abstractmethod
    def range(self, start: int, end: int) -> bytes:
        """Some of its bytes; for any number of threads."""

    def flush(self) -> None:  # noqa: B027 -- the same for all
        """Nothing to do: never written."""

    def close(self) -> None:
        self.closed = True


class LocalPart(PartFile):
    """A part in a folder."""

    def __init__(self, path: Path, size: int, files: PartFiles) -> None:
        self._descriptor = os.open(path, os.O_RDONLY)
        super().__init__(size, files)

    def range(self, start: int, end: int) -> bytes:
        return os.pread(self._descriptor, end - start, start)

    def close(self) -> None:
        if not self.closed:
            os.close(self._descriptor)
        super().close()

    def __del__(self) -> None:
        self.close()


class RemotePart(PartFile):
    """A part in a bucket: what the cache lacks is a request for each gap."""

    def __init__(
        self, location: Location, part: StoredPart, cache: BlockCache, files: PartFiles
    ) -> None:
        super().__init__(part.size, files)
        self._known = _Known(location, part)
        self._cache = cache

    def range(self, start: int, end: int) -> bytes:
        location, part = self._known
        name = f"{location.uri}/{part.path}"
        return self._cache.read(name, self.size, start, end, self._fetch)

    def _fetch(self, start: int, end: int) -> bytes:
        import obstore
        from obstore.exceptions import BaseError

        from sparkify_assets.storage.access import s3_access

        location, part = self._known
        REQUESTS.add(GET)
        try:
            store = s3_access().object_store(location.bucket)
            path = f"{location.above}{part.path}"
            content = bytes(obstore.get_range(store, path, start=start, end=end))
            if len(content) != end - start:
                raise OSError(f"{len(content)} bytes came in place of {end - start}")
            return content
        except (BaseError, OSError) as error:
            raise self._files.failed(self._known, error) from None
