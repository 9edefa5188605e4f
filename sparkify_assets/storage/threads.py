"""Threads for requests that are made at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from sparkify_assets.storage.objects import AT_ONCE


def threads_of_a_generator() -> ThreadPoolExecutor:
    """Threads for a generator, which must neither use them in a `with` block nor shut them down.

    A generator that is dropped before its end may be closed by the garbage collector, at any point
    of any thread: also of one that is just being started and holds a lock of `threading`. Shutting
    threads down waits for them and takes that lock, so neither this thread nor who started it would
    ever go on. Left alone, the threads end once they are idle and nothing refers to them.
    """
    return ThreadPoolExecutor(AT_ONCE)
