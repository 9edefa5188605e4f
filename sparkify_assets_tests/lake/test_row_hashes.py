"""Hashes of rows: which are equal, and that those that are stored stay what they are."""

from __future__ import annotations

import pyarrow as pa

from sparkify_assets.lake.row_hashes import content_hashes, key_hashes

_NAMES = ["song", "artist", "length"]


def _rows(*rows: tuple[str | None, str | None, float | None]) -> pa.RecordBatch:
    columns = zip(*rows, strict=True)
    types = [pa.string(), pa.string(), pa.float64()]
    arrays = [pa.array(column, kind) for column, kind in zip(columns, types, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, _NAMES)


def test_the_hash_of_a_rows_content_is_the_same_for_ever() -> None:
    found = content_hashes(_rows(("Undo", "Björk", 313.05), (None, "", None)))
    assert found.to_pylist() == [16633664103549130306, 14630475069618964910]


def test_rows_with_other_values_have_other_hashes_wherever_a_text_is_cut() -> None:
    rows = _rows(
        ("ab", "c", None), ("a", "bc", None), ("abc", "", None), ("abc", None, None),
        ("a2:b", "c", None), ("-", None, None), (None, "-", None), ("1", "1", 1.0),
    )  # fmt: skip
    for hashes in (content_hashes(rows), key_hashes(rows)):
        assert len(set(hashes.to_pylist())) == rows.num_rows


def test_equal_keys_have_equal_hashes_null_equals_null() -> None:
    first, second, third = key_hashes(
        _rows(("a", None, 1.5), ("b", None, 1.5), ("a", None, 1.5))
    ).to_pylist()
    assert first == third != second
