"""Texts that were encoded as UTF-8 twice or thrice, put right: `BjÃ¶rk` to `Björk`.

Only texts of the logs are repaired; the song files are encoded correctly.
"""

from __future__ import annotations

import numpy as np
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
    # Only text beyond ASCII can be wrong: that is where bytes outnumber characters.
    if all(map(_is_ascii, column.chunks)):
        return column, None
    beyond = pc.not_equal(pc.binary_length(column), pc.utf8_length(column)).fill_null(False)
    if not pc.any(beyond).as_py():
        return column, None
    repairs = {
        text: repaired
        for text in pc.unique(column.filter(beyond)).to_pylist()
        if (repaired := repair_text(text)) != text
    }
    if not repairs:
        return column, None
    wrong = pa.array(list(repairs), pa.string())
    position = pc.index_in(column, value_set=wrong)
    right = pa.array(list(repairs.values()), pa.string()).take(position.combine_chunks())
    mask = pc.is_valid(position)
    return pa.chunked_array(
        [pc.if_else(mask.combine_chunks(), right, column.combine_chunks())]
    ), mask


def _is_ascii(texts: pa.StringArray) -> bool:
    """Whether there is no byte beyond ASCII; looks at all of the buffer that the texts share."""
    characters = texts.buffers()[2]
    return characters is None or not len(characters) or _largest(characters) < _BEYOND_ASCII


def _largest(characters: pa.Buffer) -> int:
    return int(np.frombuffer(characters, np.uint8).max())
