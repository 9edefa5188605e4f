"""What of a file is fetched, how often, and what stays in memory."""

from __future__ import annotations

import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from random import Random

import pytest

from sparkify_assets.analytics.block_cache import BlockCache, Fetch

BLOCK = 10
CONTENT = bytes(range(95))


class Source:
    """A file, and what was fetched of it."""

    def __init__(self, content: bytes = CONTENT) -> None:
        self.content = content
        self.fetched: list[tuple[int, int]] = []

    def fetch(self, start: int, end: int) -> bytes:
        self.fetched.append((start, end))
        return self.content[start:end]

    def read(self, cache: BlockCache, start: int, end: int, file: str = "part") -> bytes:
        return cache.read(file, len(self.content), start, end, self.fetch)


class WatchedCache(BlockCache):
    """Tells how many reads have found that another one is fetching what they want.

    Attributes:
        waiting: one more for each of them.
    """

    def __init__(self, most_bytes: int, block_bytes: int) -> None:
        super().__init__(most_bytes, block_bytes)
        self.waiting = threading.Semaphore(0)

    def _look(
        self, file: str, numbers: range, missing: list[int]
    ) -> tuple[dict[int, bytes], dict[int, Future[bytes]]]:
        found, coming = super()._look(file, numbers, missing)
        if coming:
            self.waiting.release()
        return found, coming


def test_whatever_is_asked_for_is_what_the_file_holds_and_nothing_is_fetched_twice() -> None:
    source, cache, random = Source(), BlockCache(1000, BLOCK), Random(7)
    for _ in range(500):
        start = random.randrange(95)
        end = random.randint(start + 1, 95)
        assert source.read(cache, start, end) == CONTENT[start:end]
    bytes_fetched = [n for start, end in source.fetched for n in range(start, end)]
    assert sorted(bytes_fetched) == list(range(95))
    assert cache.held == 95


def test_ranges_that_overlap_fetch_only_the_blocks_that_are_missing() -> None:
    source, cache = Source(), BlockCache(1000, BLOCK)
    assert source.read(cache, 32, 38) == CONTENT[32:38]
    assert source.read(cache, 5, 71) == CONTENT[5:71]
    assert source.fetched == [(30, 40), (0, 30), (40, 80)]
    assert source.read(cache, 90, 95) == CONTENT[90:]
    assert source.fetched[3:] == [(90, 95)]


def test_files_are_told_apart_by_their_names() -> None:
    one, other, cache = Source(), Source(bytes(95)), BlockCache(1000, BLOCK)
    assert one.read(cache, 3, 9, "one") == CONTENT[3:9]
    assert other.read(cache, 3, 9, "other") == bytes(6)


def test_what_was_not_used_for_longest_leaves_first() -> None:
    source, cache = Source(), BlockCache(30, BLOCK)
    for start in (0, 10, 20, 0, 30):
        source.read(cache, start, start + 5)
    assert cache.held == 30
    source.fetched.clear()
    for start in (0, 20, 30):
        source.read(cache, start, start + 5)
    assert source.fetched == []
    source.read(cache, 10, 15)
    assert source.fetched == [(10, 20)]


def test_more_than_there_is_room_for_is_read_all_the_same() -> None:
    source, cache = Source(), BlockCache(30, BLOCK)
    assert source.read(cache, 0, 95) == CONTENT
    assert cache.held <= 30


def test_threads_that_want_the_same_at_once_fetch_it_once() -> None:
    source, cache = Source(), WatchedCache(1000, BLOCK)
    asked, go_on = threading.Event(), threading.Event()

    def slow(start: int, end: int) -> bytes:
        asked.set()
        assert go_on.wait(30)
        return source.fetch(start, end)

    with ThreadPoolExecutor(4) as pool:
        first = pool.submit(cache.read, "part", 95, 0, 40, slow)
        assert asked.wait(30)
        others = [pool.submit(source.read, cache, start, 50) for start in (2, 13, 34)]
        for _ in others:
            assert cache.waiting.acquire(timeout=30)
        go_on.set()
        assert first.result(30) == CONTENT[:40]
        assert [read.result(30) for read in others] == [CONTENT[s:50] for s in (2, 13, 34)]
    assert sorted(source.fetched) == [(0, 40), (40, 50)]


def test_a_fetch_that_fails_is_told_to_all_who_wait_and_tried_again_by_the_next() -> None:
    source, cache = Source(), WatchedCache(1000, BLOCK)
    source.read(cache, 20, 30)
    asked, go_on = threading.Event(), threading.Event()

    def failing(_start: int, _end: int) -> bytes:
        asked.set()
        assert go_on.wait(30)
        raise OSError("gone")

    with ThreadPoolExecutor(2) as pool:
        # Two requests would be needed, and the first fails already.
        first = pool.submit(cache.read, "part", 95, 0, 50, failing)
        assert asked.wait(30)
        waiting = pool.submit(source.read, cache, 40, 45)
        assert cache.waiting.acquire(timeout=30)
        go_on.set()
        for read in (first, waiting):
            with pytest.raises(OSError, match="gone"):
                read.result(30)
    source.fetched.clear()
    assert source.read(cache, 0, 50) == CONTENT[:50]
    assert source.fetched == [(0, 20), (30, 50)]


@pytest.mark.parametrize("most", [5, 30])
def test_many_threads_with_little_room_and_fetches_that_fail_now_and_then(most: int) -> None:
    cache = BlockCache(most, BLOCK)

    def fetch_for(random: Random) -> Fetch:
        def fetch(start: int, end: int) -> bytes:
            time.sleep(0)
            if random.random() < 0.1:
                raise OSError("gone")
            return CONTENT[start:end]

        return fetch

    def many(seed: int) -> int:
        random, right = Random(seed), 0
        fetch = fetch_for(Random(-seed))
        for _ in range(300):
            start = random.randrange(95)
            end = random.randint(start + 1, 95)
            with suppress(OSError):
                assert cache.read("part", 95, start, end, fetch) == CONTENT[start:end]
                right += 1
        return right

    with ThreadPoolExecutor(8) as pool:
        read = list(pool.map(many, range(1, 9)))
    assert min(read) > 100
    assert cache.held == sum(len(block) for block in cache._blocks.values()) <= most
    assert not cache._coming
