"""Cutting a file's bytes into lines, in bounded memory, without a loop over the lines.

A `Piece` holds consecutive lines of one file as an Arrow array that shares the bytes read. Lines
that cannot be text for a JSON reader (too long, not UTF-8) come out beside it, as `Torn`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Self

import numpy as np
import pyarrow as pa

from sparkify_assets.ingest.landing import GZIP_ERRORS

MAX_LINE = 16 << 20
KEPT_TEXT = 10_000
# Cut at once: a piece has so many lines at most, however short they are.
_CUT = 256 << 10
_LINE_FEED = 10
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class Torn:
    """A line that is rejected before any JSON reader sees it. `text` is shortened to 10 kB."""

    line: int
    reason: str
    text: str


@dataclass
class Piece:
    """Lines of one file: their numbers (from 1), their texts, and those that are none."""

    numbers: pa.Array = field(default_factory=lambda: pa.array([], pa.int64()))
    texts: pa.Array = field(default_factory=lambda: pa.array([], pa.string()))
    torn: list[Torn] = field(default_factory=list)


def pieces(blocks: Iterable[bytes]) -> Iterator[Piece]:
    """Cut a file into lines. A line ends with a line feed, or with the file.

    At most the longest line and one block are in memory. Where a .gz file is broken, the line that
    was begun comes out as torn, with what there is of it. A byte order mark at the start and
    carriage returns at the ends of lines do no harm.
    """
    number = 1
    carry = b""
    skipped = 0  # bytes already dropped of a line that is too long
    sound = _Sound(blocks)
    for block in _without_bom(sound):
        data = block if skipped else carry + block
        start = 0
        if skipped:
            end = data.find(b"\n")
            if end < 0:
                skipped += len(data)
                continue
            yield Piece(torn=[_too_long(number, skipped + end, carry)])
            number, carry, skipped, start = number + 1, b"", 0, end + 1
        end = data.rfind(b"\n", start) + 1
        while start < end:
            # Whole lines; one that is longer alone.
            stop = data.rfind(b"\n", start, start + _CUT) + 1 or data.find(b"\n", start) + 1
            piece, count = _cut(data[start:stop], number)
            yield piece
            number, start = number + count, stop
        carry = data[start:]
        if len(carry) > MAX_LINE:
            skipped, carry = len(carry), carry[:KEPT_TEXT]
    if sound.error is not None:
        yield Piece(torn=[_broken(number, sound.error, carry)])
    elif skipped:
        yield Piece(torn=[_too_long(number, skipped, carry)])
    elif carry:
        yield _cut(carry, number)[0]


def whole(blocks: Iterable[bytes]) -> str | Torn:
    """A whole file as one line, number 1: what a song file is."""
    kept: list[bytes] = []
    size = 0
    sound = _Sound(blocks)
    for block in _without_bom(sound):
        size += len(block)
        if size <= MAX_LINE:
            kept.append(block)
        elif not kept:
            kept.append(block[:KEPT_TEXT])
    data = b"".join(kept)
    if sound.error is not None:
        return _broken(1, sound.error, data)
    if size > MAX_LINE:
        return _too_long(1, size, data)
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        return Torn(1, not_utf8(error), shown(data))


def shown(data: bytes) -> str:
    """The first 10 kB of a line as text; bytes that are no UTF-8 as `\\xNN`."""
    return data[:KEPT_TEXT].rstrip(b"\r\n").decode("utf-8", "backslashreplace")


def not_utf8(error: UnicodeDecodeError) -> str:
    """The reason for a line that is not UTF-8."""
    return f"not UTF-8 at byte {error.start + 1}"


class _Sound:
    """Blocks up to the place where a .gz file is broken; then `error` says how."""

    def __init__(self, blocks: Iterable[bytes]) -> None:
        self._blocks = iter(blocks)
        self.error: Exception | None = None

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> bytes:
        try:
            return next(self._blocks)
        except GZIP_ERRORS as error:
            self.error = error
            raise StopIteration from None


def _broken(number: int, error: Exception, data: bytes) -> Torn:
    return Torn(number, f"broken .gz file: {error}", shown(data))


def _without_bom(blocks: Iterable[bytes]) -> Iterator[bytes]:
    iterator = iter(blocks)
    head = b""
    for block in iterator:
        head += block
        if len(head) >= len(_BOM):
            break
    if head:
        yield head.removeprefix(_BOM)
    yield from iterator


def _cut(data: bytes, first: int) -> tuple[Piece, int]:
    ends = np.flatnonzero(np.frombuffer(data, np.uint8) == _LINE_FEED) + 1
    if not data.endswith(b"\n"):
        ends = np.append(ends, len(data))
    offsets = np.concatenate(([0], ends), dtype=np.int32)
    count = len(offsets) - 1
    lines = pa.Array.from_buffers(
        pa.binary(), count, [None, pa.py_buffer(offsets.tobytes()), pa.py_buffer(data)]
    )
    numbers = np.arange(first, first + count, dtype=np.int64)
    too_long = np.diff(offsets) > MAX_LINE
    texts = lines.view(pa.string())
    try:
        texts.validate(full=True)
    except pa.ArrowInvalid:
        return _cut_carefully(lines, numbers), count
    if too_long.any():
        return _cut_carefully(lines, numbers), count
    return Piece(pa.array(numbers), texts), count


def _cut_carefully(lines: pa.Array, numbers: np.ndarray) -> Piece:
    """As `_cut`, line by line: some line of these is not UTF-8 or too long."""
    kept_numbers, texts, torn = [], [], []
    for number, scalar in zip(numbers.tolist(), lines, strict=True):
        data = scalar.as_py()
        if len(data) > MAX_LINE:
            torn.append(_too_long(number, len(data), data))
            continue
        try:
            texts.append(data.decode())
            kept_numbers.append(number)
        except UnicodeDecodeError as error:
            torn.append(Torn(number, not_utf8(error), shown(data)))
    return Piece(pa.array(kept_numbers, pa.int64()), pa.array(texts, pa.string()), torn)


def _too_long(number: int, size: int, data: bytes) -> Torn:
    reason = f"longer than {MAX_LINE >> 20} MiB ({size:,} bytes)"
    return Torn(number, reason, shown(data))
