"""A landing zone in a bucket: listed in parallel, read with one request per file."""

from __future__ import annotations

import gzip
import io
import re
from collections import deque
from collections.abc import Collection, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sparkify_assets.errors import (
    LandingError,
    LandingUnavailable,
    StorageError,
    StorageUnavailable,
)
from sparkify_assets.ingest.files import LandingFile
from sparkify_assets.ingest.landing import (
    BLOCK,
    PARTS,
    ContentChanged,
    Listing,
    is_packed,
    unpacked,
)
from sparkify_assets.storage.access import s3_access
from sparkify_assets.storage.failures import explained, is_missing
from sparkify_assets.storage.listing import BucketLister, Page, Place, walk
from sparkify_assets.storage.location import Location
from sparkify_assets.storage.objects import AT_ONCE
from sparkify_assets.storage.requests import GET, LIST, REQUESTS, Requests
from sparkify_assets.storage.threads import threads_of_a_generator

if TYPE_CHECKING:
    from obstore.store import S3Store

# Files up to this size are read whole with one request, larger ones in ranges of it.
RANGE = 16 << 20
_AHEAD_BYTES = 64 << 20

_HIDDEN = re.compile(r"/[._](?!\.?/)")
# Obstore takes no key with these.
_ODD = re.compile(r"//|/\.\.?(/|$)|[\x00-\x1f\x7f]")
_ODD_REASON = "its key has an empty part, one that is . or .., or a control character; rename it"


@dataclass(frozen=True)
class BucketLanding:
    """`log_data/` and `song_data/` below a prefix of a bucket."""

    location: Location

    def list(
        self,
        months: set[str],
        parts: Collection[str] = PARTS,
        places: Sequence[Place] = (),
        until: float | None = None,
    ) -> Listing:
        listing = Listing(parts=parts)
        begin = places or [Place(f"{part}/") for part in parts]
        lister = BucketLister(self.location)
        try:
            listing.rest = walk(lister, begin, lambda page: take(page, listing, months), until)
        except StorageError as error:
            passing = isinstance(error, StorageUnavailable)
            raise (LandingUnavailable if passing else LandingError)(str(error)) from None
        listing.complete = not (places or listing.rest)
        listing.unplaced.sort()
        REQUESTS.add(LIST, listing.requests)
        return listing

    def read(
        self, files: Iterable[LandingFile], requests: Requests
    ) -> Iterator[tuple[LandingFile, Iterator[bytes]]]:
        # Small files are latency, so many are asked for at once; 64 MiB of them at most.
        waiting: deque[tuple[LandingFile, Future[bytes] | None]] = deque()
        ahead = 0
        rest = iter(files)
        pool = threads_of_a_generator()
        more = True
        while more or waiting:
            while more and len(waiting) < 2 * AT_ONCE and ahead < _AHEAD_BYTES:
                file = next(rest, None)
                if file is None:
                    more = False
                elif file.size <= RANGE:
                    waiting.append((file, pool.submit(self._get, file, requests)))
                    ahead += file.size
                else:
                    waiting.append((file, None))
            if not waiting:
                break
            file, content = waiting.popleft()
            if content is None:
                yield file, _blocks(file, self._ranges(file, pool, requests))
            else:
                ahead -= file.size
                yield file, _blocks(file, _whole(content))

    def _ranges(
        self, file: LandingFile, pool: ThreadPoolExecutor, requests: Requests
    ) -> Iterator[bytes]:
        starts = range(0, file.size, RANGE)
        following = pool.submit(self._get, file, requests, 0)
        for start in starts:
            content = following.result()
            if start + RANGE < file.size:
                following = pool.submit(self._get, file, requests, start + RANGE)
            yield content

    def _get(self, file: LandingFile, requests: Requests, start: int | None = None) -> bytes:
        """The content, or a range of it, of exactly the file that was listed."""
        import obstore
        from obstore.exceptions import BaseError, PreconditionError

        key = f"{self.location.above}{file.key}"
        requests.add(GET)
        try:
            if start is None:
                found = obstore.get(self._store, key, options={"if_match": file.etag})
            else:
                end = min(start + RANGE, file.size)
                found = obstore.get(
                    self._store, key, options={"if_match": file.etag, "range": (start, end)}
                )
            return bytes(found.bytes())
        except PreconditionError:
            raise ContentChanged(f"{file.key} was changed since it was listed") from None
        except (BaseError, OSError) as error:
            if is_missing(error):
                raise ContentChanged(f"{file.key} was deleted since it was listed") from None
            raise explained(error, "GetObject", self.location) from None

    @property
    def _store(self) -> S3Store:
        return s3_access().object_store(self.location.bucket)


def take(page: Page, listing: Listing, months: set[str]) -> None:
    """Take a page of keys into a listing."""
    listing.requests += page.requests
    for key, etag, size in zip(page.keys, page.etags, page.sizes, strict=True):
        if _ODD.search(key):
            listing.unplaced.append((key, _ODD_REASON))
        elif _HIDDEN.search(key) or (size == 0 and "." not in key.rsplit("/", 1)[-1]):
            continue  # hidden, or the empty object that some tools put in place of a folder
        else:
            listing.place(key, etag, size, months)


def _whole(content: Future[bytes]) -> Iterator[bytes]:
    yield content.result()


def _blocks(file: LandingFile, contents: Iterator[bytes]) -> Iterator[bytes]:
    if is_packed(file.key):
        yield from unpacked(gzip.GzipFile(fileobj=_Reader(contents)))
        return
    for content in contents:
        for start in range(0, len(content), BLOCK):
            yield content[start : start + BLOCK]


class _Reader(io.RawIOBase):
    """Blocks as a file, for the gzip module."""

    def __init__(self, contents: Iterator[bytes]) -> None:
        self._contents = contents
        self._left = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._left:
            content = next(self._contents, None)
            if content is None:
                return 0
            self._left = memoryview(content)
        count = min(len(buffer), len(self._left))
        buffer[:count] = self._left[:count]
        self._left = self._left[count:]
        return count
