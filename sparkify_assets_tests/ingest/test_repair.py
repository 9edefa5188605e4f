"""Repairing texts that were encoded too often."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparkify_assets.ingest.repair import _beyond_ascii, repair_columns, repair_text


def encoded(text: str, times: int) -> str:
    for _ in range(times):
        text = text.encode().decode("latin-1")
    return text


@pytest.mark.parametrize("text", ["Björk", "Beyoncé", "Sigur Rós", "Motörhead", "东京", "₤ €"])
@pytest.mark.parametrize("times", [0, 1, 2])
def test_text_comes_right_and_correct_text_is_not_touched(text: str, times: int) -> None:
    assert repair_text(encoded(text, times)) == text


def test_the_text_of_the_real_logs() -> None:
    assert repair_text("BjÃ\x83Â¶rk") == "Björk"


def test_at_most_twice() -> None:
    assert repair_text(encoded("Björk", 3)) == encoded("Björk", 1)


@given(st.text(alphabet=st.characters(max_codepoint=127)))
def test_ascii_is_never_touched(text: str) -> None:
    assert repair_text(text) == text


def test_columns_are_repaired_and_rows_counted_once() -> None:
    rows = pa.table(
        {
            "artist": ["plain", encoded("Björk", 2), "Björk", None],
            "song": [None, encoded("Jóga", 1), "x", encoded("é", 2)],
            "ts": [1, 2, 3, 4],
        }
    )
    repaired, changed = repair_columns(rows)
    assert repaired["artist"].to_pylist() == ["plain", "Björk", "Björk", None]
    assert repaired["song"].to_pylist() == [None, "Jóga", "x", "é"]
    assert changed.to_pylist() == [False, True, False, True]


_TEXTS = st.lists(
    st.none()
    | st.text(st.sampled_from("aé¤Ã©"), max_size=4)
    | st.text(max_size=4).map(lambda text: encoded(text, 2)),
    max_size=12,
)


@given(_TEXTS, _TEXTS)
def test_a_column_is_repaired_text_by_text(one: list[str | None], two: list[str | None]) -> None:
    column = pa.chunked_array([pa.array(one, pa.string()), pa.array(two, pa.string())])
    repaired, changed = repair_columns(pa.table({"song": column, "ts": [0] * len(column)}))
    before = [*one, *two]
    expected = [text if text is None else repair_text(text) for text in before]
    assert repaired["song"].to_pylist() == expected
    assert changed.to_pylist() == [a != b for a, b in zip(before, expected, strict=True)]


@given(_TEXTS, st.integers(0, 3), st.integers(0, 12))
def test_rows_beyond_ascii_are_found_in_a_part_of_an_array(
    texts: list[str | None], first: int, length: int
) -> None:
    part = pa.array(texts, pa.string()).slice(first, length)
    expected = [n for n, text in enumerate(part.to_pylist()) if text and not text.isascii()]
    assert _beyond_ascii(part).tolist() == expected
