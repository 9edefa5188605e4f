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
    # The same texts come again and again: each of them once.
    encoded = column.combine_chunks().dictionary_encode()
    texts = encoded.dictionary
    beyond = pc.not_equal(pc.binary_length(texts), pc.utf8_length(texts))
    right = pa.array(map(repair_text, texts.filter(beyond).to_pylist()), pa.string())
    repaired = pc.replace_with_mask(texts, beyond, right)
    changed = pc.not_equal(texts, repaired)
    if not pc.any(changed).as_py():
        return column, None
    mask = changed.take(encoded.indices).fill_null(False)
    return pa.chunked_array([repaired.take(encoded.indices)]), pa.chunked_array([mask])


def _is_ascii(texts: pa.StringArray) -> bool:
    """Whether there is no byte beyond ASCII; looks at all of the buffer that the texts share."""
    characters = texts.buffers()[2]
    return characters is None or not len(characters) or _largest(characters) < _BEYOND_ASCII


def _largest(characters: pa.Buffer) -> int:
    return int(np.frombuffer(characters, np.uint8).max())
