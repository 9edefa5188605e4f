"""Cutting bytes into lines."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparkify_assets.ingest import lines
from sparkify_assets.ingest.lines import Torn, pieces, whole


def cut(*blocks: bytes) -> tuple[list[tuple[int, str]], list[Torn]]:
    found = list(pieces(blocks))
    kept = [
        (number, text)
        for piece in found
        for number, text in zip(piece.numbers.to_pylist(), piece.texts.to_pylist(), strict=True)
    ]
    return kept, [torn for piece in found for torn in piece.torn]


def test_lines_are_numbered_over_blocks() -> None:
    assert cut(b"one\ntw", b"o\nthree") == ([(1, "one\n"), (2, "two\n"), (3, "three")], [])


def test_no_file_no_line() -> None:
    assert cut() == ([], [])
    assert cut(b"") == ([], [])


def test_a_byte_order_mark_is_no_text_even_in_two_blocks() -> None:
    assert cut(b"\xef\xbb", b"\xbf{}\n") == ([(1, "{}\n")], [])
    assert cut(b"\xef\xbb\xbf") == ([], [])


def test_a_line_that_is_not_utf8_is_torn_and_its_neighbours_are_not() -> None:
    kept, torn = cut(b"good\ncaf\xe9 x\nalso\n")
    assert kept == [(1, "good\n"), (3, "also\n")]
    assert torn == [Torn(2, "not UTF-8 at byte 4", "caf\\xe9 x")]


@pytest.mark.parametrize("size", [7, 64, 1000])
def test_a_line_that_is_too_long_is_torn_and_shortened(
    monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    monkeypatch.setattr(lines, "MAX_LINE", 100)
    monkeypatch.setattr(lines, "KEPT_TEXT", 10)
    data = b"a\n" + b"b" * 1000 + b"\nc\n" + b"d" * 500
    kept, torn = cut(*[data[start : start + size] for start in range(0, len(data), size)])
    assert [(number, text.strip()) for number, text in kept] == [(1, "a"), (3, "c")]
    assert [(one.line, one.text) for one in torn] == [(2, "b" * 10), (4, "d" * 10)]
    assert all("longer than" in one.reason for one in torn)


def test_a_line_of_100_mb_is_rejected_and_the_rest_is_there() -> None:
    block = b"x" * (1 << 20)
    kept, torn = cut(b"first\n", *[block] * 100, b"\nlast\n")
    assert [number for number, _ in kept] == [1, 3]
    assert torn[0].reason == "longer than 16 MiB (104,857,600 bytes)"
    assert len(torn[0].text) == 10_000


def test_a_piece_has_few_lines_however_short_they_are() -> None:
    found = list(pieces([b"\n" * 3_000_000 + b"x" * 1_000_000 + b"\n\n"]))
    assert sum(len(piece.numbers) for piece in found) == 3_000_002
    assert max(len(piece.numbers) for piece in found) <= 256 << 10
    numbers = [number for piece in found for number in piece.numbers.to_pylist()]
    assert numbers == list(range(1, 3_000_003))


@given(st.binary(max_size=300), st.lists(st.integers(1, 50), max_size=30))
def test_every_line_comes_out_once_however_the_file_is_cut(data: bytes, cuts: list[int]) -> None:
    data = data.replace(b"\xef\xbb\xbf", b"")
    blocks, start = [], 0
    for size in cuts:
        blocks.append(data[start : start + size])
        start += size
    blocks.append(data[start:])
    kept, torn = cut(*blocks)
    expected = data.split(b"\n")
    if expected[-1] == b"":
        expected.pop()
    numbers = sorted([number for number, _ in kept] + [one.line for one in torn])
    assert numbers == list(range(1, len(expected) + 1))
    for number, text in kept:
        assert text.rstrip("\n").encode() == expected[number - 1]


def test_a_song_file_is_one_line() -> None:
    assert whole([b'{\n "a":', b" 1\n}\n"]) == '{\n "a": 1\n}\n'
    assert whole([]) == ""
    assert whole([b"\xff"]) == Torn(1, "not UTF-8 at byte 1", "\\xff")


def test_a_song_file_that_is_too_long_is_rejected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "MAX_LINE", 100)
    found = whole([b"x" * 60, b"y" * 60])
    assert isinstance(found, Torn)
    assert "longer than" in found.reason
