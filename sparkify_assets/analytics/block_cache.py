"""What was fetched of files in buckets, in memory, as blocks.

DuckDB asks for other ranges of the same columns from one run of a query to the next, as its threads
happen to divide the work. Kept by the ranges asked for, bytes would be fetched and held again and
again; in blocks with fixed borders each is fetched once, as long as there is room for it.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future

# Most ranges that questions ask for are larger: so what lies around them and was not asked for is
# little, and a small part is one block.
BLOCK_BYTES = 256 << 10

Fetch = Callable[[int, int], bytes]
_Block = tuple[str, int]


class BlockCache:
    """Blocks of files that never change, the least recently used leaving first; for all threads.

    Attributes:
        held: bytes in memory; a read that is under way has some of its own beside them, up to three
            times its range.
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

        Blocks that are missing side by side are fetched together, one such gap after the other;
        what another thread is fetching is waited for.

        Args:
            file: its name, the same for the same content.
            size: of the file.
            start: 0 <= start < end.
            end: at most `size`.
            fetch: reads all bytes from one position to before another, or raises.

        Raises:
            Exception: what `fetch` raised, here or in the thread that was waited for.
        """
        numbers = range(start // self._size, (end - 1) // self._size + 1)
        missing: list[int] = []
        try:
            found, coming = self._look(file, numbers, missing)
            for run in _runs(missing):
                at = run.start * self._size
                content = fetch(at, min(run.stop * self._size, size))
                found |= self._keep(file, run, content)
                # No longer ours: dropped for want of room, another thread may be fetching it.
                del missing[: len(run)]
        except BaseException as error:
            self._give_up(file, missing, error)
            raise
        found |= {number: block.result() for number, block in coming.items()}
        views = [memoryview(found[number]) for number in numbers]
        views[-1] = views[-1][: end - numbers[-1] * self._size]
        views[0] = views[0][start - numbers[0] * self._size :]
        return b"".join(views)

    def _look(
        self, file: str, numbers: range, missing: list[int]
    ) -> tuple[dict[int, bytes], dict[int, Future[bytes]]]:
        """What is held, and what others fetch; to `missing` goes what is now ours to fetch."""
        found: dict[int, bytes] = {}
        coming: dict[int, Future[bytes]] = {}
        with self._lock:
            for number in numbers:
                key = file, number
                if key in self._blocks:
                    self._blocks.move_to_end(key)
                    found[number] = self._blocks[key]
                elif key in self._coming:
                    coming[number] = self._coming[key]
                else:
                    missing.append(number)
                    self._coming[key] = Future()
        return found, coming

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
