"""What was fetched of files in buckets, in memory, as blocks.

DuckDB asks for other ranges of the same columns from one run of a query to the next, as its threads
happen to divide the work. Kept by the ranges asked for, bytes would be fetched and held again and
again; in blocks with fixed borders each is fetched once.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future

# Of the ranges that questions ask for most are larger: so one of them is one request, and what lies
# around it and was not asked for is little.
BLOCK_BYTES = 256 << 10

Fetch = Callable[[int, int], bytes]
_Block = tuple[str, int]


class BlockCache:
    """Blocks of files that never change, the least recently used leaving first; for all threads.

    Attributes:
        held: bytes in memory.
    """

    def __init__(self, most_bytes: int, block_bytes: int = BLOCK_BYTES) -> None:
        self.held = 0
        self._most = most_bytes
        self._size = block_bytes
        self._lock = threading.Lock()
        self._blocks: OrderedDict[_Block, bytes] = OrderedDict()
        self._coming: dict[_Block, Future[bytes]] = {}

    def read(self, file: str, size: int, start: int, end: int, fetch: Fetch) -> bytes:
        """The bytes from `start` to before `end` of a file.

        Blocks that are missing side by side are fetched together, and what another thread is
        fetching is waited for.

        Args:
            file: its name, the same for the same content.
            size: of the file.
            start: 0 <= start < end.
            end: at most `size`.
            fetch: reads from one position to before another.

        Raises:
            Exception: what `fetch` raised, here or in the thread that was waited for.
        """
        numbers = range(start // self._size, (end - 1) // self._size + 1)
        found, coming, missing = self._look(file, numbers)
        try:
            for run in _runs(missing):
                at = run.start * self._size
                content = fetch(at, min(run.stop * self._size, size))
                found |= self._keep(file, run, content)
        except BaseException as error:
            self._give_up(file, missing, error)
            raise
        found |= {number: block.result() for number, block in coming.items()}
        content = b"".join(found[number] for number in numbers)
        offset = numbers.start * self._size
        return content[start - offset : end - offset]

    def _look(
        self, file: str, numbers: range
    ) -> tuple[dict[int, bytes], dict[int, Future[bytes]], list[int]]:
        """What is held, what others are fetching, and what is now ours to fetch."""
        found: dict[int, bytes] = {}
        coming: dict[int, Future[bytes]] = {}
        missing: list[int] = []
        with self._lock:
            for number in numbers:
                key = file, number
                if key in self._blocks:
                    self._blocks.move_to_end(key)
                    found[number] = self._blocks[key]
                elif key in self._coming:
                    coming[number] = self._coming[key]
                else:
                    self._coming[key] = Future()
                    missing.append(number)
        return found, coming, missing

    def _keep(self, file: str, run: range, content: bytes) -> dict[int, bytes]:
        """Blocks side by side; who waits for them has them, and what is too much leaves."""
        blocks = {
            number: content[place * self._size : (place + 1) * self._size]
            for place, number in enumerate(run)
        }
        with self._lock:
            for number, block in blocks.items():
                self._blocks[file, number] = block
                self.held += len(block)
                self._coming.pop((file, number)).set_result(block)
            while self.held > self._most:
                _, dropped = self._blocks.popitem(last=False)
                self.held -= len(dropped)
        return blocks

    def _give_up(self, file: str, missing: list[int], error: BaseException) -> None:
        """Who waits for what did not come learns why; the next to ask tries again."""
        with self._lock:
            for number in missing:
                waited_for = self._coming.pop((file, number), None)
                if waited_for is not None:
                    waited_for.set_exception(error)


def _runs(numbers: list[int]) -> list[range]:
    """Numbers in order, those side by side together."""
    runs: list[range] = []
    for number in numbers:
        if runs and runs[-1].stop == number:
            runs[-1] = range(runs[-1].start, number + 1)
        else:
            runs.append(range(number, number + 1))
    return runs
