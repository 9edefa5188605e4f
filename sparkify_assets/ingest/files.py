"""Landing files by the hundred thousand: their names kept small, and compared by digests.

The same few numbers are made of a listing and of the ledger, so that what is equal can be passed
over without a second look.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Numbers = npt.NDArray[np.uint64]

_MASK = (1 << 63) - 1
_CHUNK = 8_192


class LandingFile(NamedTuple):
    """One file of the landing zone.

    `key` is its path from the zone's root with `/`; key, etag and size together identify its
    content. `scope` is `songs`, or the month in the key.
    """

    key: str
    etag: str
    size: int
    scope: str


def file_digest(key: str, etag: str, size: int, reader_version: int) -> bytes:
    """What identifies a file's content as it is read by one version of the rules: 16 bytes."""
    text = f"{key}\0{etag}\0{size}\0{reader_version}"
    return hashlib.blake2b(text.encode("utf-8", "surrogateescape"), digest_size=16).digest()


def numbers_of(digests: Iterable[bytes]) -> Numbers:
    """Half of each digest as a number, in the same order; 8 bytes each in memory.

    That a new file has the number of one among a million others: 1 in 10^13.
    """
    return np.fromiter((int.from_bytes(digest[:8], "big") for digest in digests), np.uint64)


def sum_of(numbers: Numbers) -> int:
    """One number for a set of files in any order: 63 bits, 0 for none."""
    return max(1, int(numbers.sum(dtype=np.uint64)) & _MASK) if len(numbers) else 0


class Files:
    """The files of one scope, about 100 bytes each."""

    def __init__(self, scope: str) -> None:
        self.scope = scope
        self._chunks: list[pa.RecordBatch] = []
        self._open: list[tuple[str, str, int]] = []
        self._count = 0
        self.bytes = 0

    def add(self, key: str, etag: str, size: int) -> None:
        """Add one file."""
        self._open.append((key, etag, size))
        self._count += 1
        self.bytes += size
        if len(self._open) == _CHUNK:
            keys, etags, sizes = zip(*self._open, strict=True)
            self._chunks.append(
                pa.RecordBatch.from_arrays(
                    [pa.array(keys), pa.array(etags), pa.array(sizes, pa.int64())],
                    names=["key", "etag", "size"],
                )
            )
            self._open = []

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[LandingFile]:
        for chunk in self._chunks:
            columns = (chunk.column(index).to_pylist() for index in range(3))
            for key, etag, size in zip(*columns, strict=True):
                yield LandingFile(key, etag, size, self.scope)
        for key, etag, size in self._open:
            yield LandingFile(key, etag, size, self.scope)
