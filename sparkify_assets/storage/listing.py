"""Listing what may be a million keys: several prefixes at once, page by page, in bounded time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, Protocol

import pyarrow as pa

from sparkify_assets.errors import StorageError
from sparkify_assets.storage.access import s3_access
from sparkify_assets.storage.failures import explained
from sparkify_assets.storage.location import Location
from sparkify_assets.storage.objects import AT_ONCE
from sparkify_assets.storage.requests import PAGE_KEYS

if TYPE_CHECKING:
    from obstore.store import S3Store


class Place(NamedTuple):
    """Where to go on: below a prefix (with a slash at its end), after a key."""

    prefix: str
    after: str = ""


@dataclass
class Page:
    """A page of keys, relative to the lister's location, in order.

    Attributes:
        prefixes: the folders right below, where only one level was asked for.
        more: whether there are further keys behind these.
        requests: how many requests it took.
    """

    keys: list[str] = field(default_factory=list)
    etags: list[str] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    prefixes: list[str] = field(default_factory=list)
    more: bool = False
    requests: int = 1


class Lister(Protocol):
    """Gives pages of keys."""

    def page(self, place: Place) -> Page:
        """The next keys below a prefix, at any depth."""

    def level(self, prefix: str) -> Page:
        """The first page of keys and folders right below a prefix."""


def walk(
    lister: Lister,
    places: Iterable[Place],
    take: Callable[[Page], None],
    until: float | None = None,
) -> list[Place]:
    """List everything below these places.

    A prefix of more than one page is divided into its folders (if these are not more than a page)
    as long as there are threads without work. `take` gets every page, in the caller's thread and in
    no particular order.

    Args:
        until: when to stop (`time.monotonic()`), None for never.

    Returns:
        Where to go on, empty where everything was listed.
    """
    todo = list(places)
    running: set[Future[tuple[list[Page], list[Place]]]] = set()
    begun = False  # however late it is, every call gets on by a page
    with ThreadPoolExecutor(AT_ONCE) as pool:
        while todo or running:
            late = begun and until is not None and time.monotonic() > until
            while todo and len(running) < AT_ONCE and not late:
                divide = len(todo) + len(running) <= AT_ONCE
                running.add(pool.submit(_step, lister, todo.pop(0), divide=divide))
            if not running:
                break
            begun = True
            done, running = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                pages, further = future.result()
                for page in pages:
                    take(page)
                todo.extend(further)
    return todo


def _step(lister: Lister, place: Place, *, divide: bool) -> tuple[list[Page], list[Place]]:
    page = lister.page(place)
    if not page.more:
        return [page], []
    nested = any("/" in key[len(place.prefix) :] for key in page.keys)
    if divide and nested and not place.after:
        level = lister.level(place.prefix)
        if not level.more:
            level.requests += page.requests  # which is listed again, by its folders
            return [level], [Place(prefix) for prefix in level.prefixes]
        page.requests += level.requests  # too much on one level to divide it
    return [page], [Place(place.prefix, page.keys[-1])]


class BucketLister:
    """Keys below a location in a bucket.

    Listed with obstore, which is many times faster than botocore, but refuses keys with an empty
    part, one of dots or a control character, and takes the slash off the end of a key (with which
    some tools mark a folder). Where that matters, and for a level, botocore is asked.
    """

    def __init__(self, location: Location) -> None:
        self._location = location
        self._above = location.above

    def page(self, place: Place) -> Page:
        import obstore
        from obstore.exceptions import BaseError, InvalidPathError

        if place.after.endswith("/"):
            return self._exact_page(place, 0)
        after = f"{self._above}{place.after}" if place.after else None
        try:
            found = obstore.list(
                self._store,
                f"{self._above}{place.prefix}",
                offset=after,
                chunk_size=PAGE_KEYS,
                return_arrow=True,
            )
            chunk = next(iter(found), None)
        except InvalidPathError:
            return self._exact_page(place, 1)
        except ValueError:  # obstore refused the place itself and did not ask
            return self._exact_page(place, 0)
        except (BaseError, OSError) as error:
            raise self._explained(error) from None
        if chunk is None:
            return Page()
        page = self._page(pa.table(chunk))
        page.more = len(page.keys) >= PAGE_KEYS
        return self._exact_page(place, 1) if _unclear(page) else page

    def level(self, prefix: str) -> Page:
        return self._exact(0, Prefix=f"{self._above}{prefix}", Delimiter="/")

    def _page(self, table: pa.Table) -> Page:
        keys = [key.removeprefix(self._above) for key in table["path"].to_pylist()]
        return Page(keys, table["e_tag"].to_pylist(), table["size"].to_pylist())

    def _exact_page(self, place: Place, requests: int) -> Page:
        after = {"StartAfter": f"{self._above}{place.after}"} if place.after else {}
        return self._exact(requests, Prefix=f"{self._above}{place.prefix}", **after)

    def _exact(self, requests: int, **arguments: str) -> Page:
        """A page, by botocore; `requests` were made in vain before."""
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            found = s3_access().client("s3").list_objects_v2(
                Bucket=self._location.bucket, MaxKeys=PAGE_KEYS, **arguments
            )  # fmt: skip
        except (BotoCoreError, ClientError, StorageError) as error:
            raise self._explained(error) from None
        contents = found.get("Contents", [])
        return Page(
            keys=[entry["Key"].removeprefix(self._above) for entry in contents],
            etags=[entry["ETag"] for entry in contents],
            sizes=[entry["Size"] for entry in contents],
            prefixes=[
                entry["Prefix"].removeprefix(self._above)
                for entry in found.get("CommonPrefixes", [])
            ],
            more=bool(found.get("IsTruncated")),
            requests=requests + 1,
        )

    @property
    def _store(self) -> S3Store:
        return s3_access().object_store(self._location.bucket)

    def _explained(self, error: BaseException) -> StorageError:
        return explained(error, "ListObjectsV2", self._location)


def _unclear(page: Page) -> bool:
    """Whether a key may have lost the slash at its end, and would be taken for another one.

    One without a dot is no data either way, unless the next page begins after it.
    """
    empty = [key for key, size in zip(page.keys, page.sizes, strict=True) if size == 0]
    if not empty:
        return False
    return (page.more and empty[-1] == page.keys[-1]) or any(
        "." in key.rpartition("/")[2] for key in empty
    )
