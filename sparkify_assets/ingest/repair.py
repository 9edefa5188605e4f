"""Texts that were encoded as UTF-8 twice or thrice, put right: `BjÃ¶rk` to `Björk`.

Only texts of the logs are repaired; the song files are encoded correctly.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

_TIMES = 2
_BEYOND_ASCII = 0x80


def repair_text(text: str) -> str:
    """Read as Latin-1 and decode as UTF-8, at most twice, where that works out exactly.

    Correct text stays as it is: it hardly ever is valid UTF-8 when read as Latin-1.
    """
    for _ in range(_TIMES):
        try:
            decoded = text.encode("latin-1").decode("utf-8")
        except UnicodeError:
            break
        if decoded == text:
            break
        text = decoded
    return text


def repair_columns(rows: pa.Table) -> tuple[pa.Table, pa.ChunkedArray]:
    """Repair every text column; also which rows changed, as a boolean array."""
    changed = pa.chunked_array([pa.repeat(pa.scalar(False), rows.num_rows)])
    for index, field in enumerate(rows.schema):
        if field.type != pa.string():
            continue
        repaired, mask = _repair(rows.column(index))
        if mask is not None:
            rows = rows.set_column(index, field, repaired)
            changed = pc.or_(changed, mask)
    return rows, changed


def _repair(column: pa.ChunkedArray) -> tuple[pa.ChunkedArray, pa.ChunkedArray | None]:
    texts = column.combine_chunks()
    rows = _beyond_ascii(texts)
    if not len(rows):
        return column, None
    # The same texts come again and again: each of them once.
    found = texts.take(pa.array(rows)).dictionary_encode()
    right = pa.array(map(repair_text, found.dictionary.to_pylist()), pa.string())
    wrong = pc.not_equal(found.dictionary, right).take(found.indices).fill_null(False)
    changed = np.zeros(len(texts), np.bool_)
    changed[rows] = wrong.to_numpy(zero_copy_only=False)
    if not changed.any():
        return column, None
    mask = pa.array(changed)
    repaired = pc.replace_with_mask(texts, mask, right.take(found.indices).filter(wrong))
    return pa.chunked_array([repaired]), pa.chunked_array([mask])


def _beyond_ascii(texts: pa.StringArray) -> npt.NDArray[np.int64]:
    """The numbers of the rows with a byte beyond ASCII: only these can be wrong, mostly few."""
    _, offsets, characters = texts.buffers()
    if characters is None or not len(texts):
        return np.array([], np.int64)
    ends = np.frombuffer(offsets, np.int32)[texts.offset : texts.offset + len(texts) + 1]
    held = np.frombuffer(characters, np.uint8)[ends[0] : ends[-1]]
    where = np.flatnonzero(held >= _BEYOND_ASCII) + ends[0]
    return np.unique(np.searchsorted(ends, where, side="right") - 1)
