"""Reading JSON: the rules, and that the fast reader never differs from them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sparkify_assets.ingest.fields import LOG_FIELDS, SONG_FIELDS, Field
from sparkify_assets.ingest.json_line import Rejected, read_line
from sparkify_assets.ingest.parse import Parser
from sparkify_assets_tests.zone import event, song

_LOGS = Parser(LOG_FIELDS, blank_is_line=False)
_SONGS = Parser(SONG_FIELDS, blank_is_line=True)


def fast(parser: Parser, *texts: str) -> tuple[dict[int, list[Any]], dict[int, str]]:
    """Rows and reasons by position, as the bulk reader has them."""
    lines = pa.table(
        {
            "file": pa.array([0] * len(texts), pa.int32()),
            "line": pa.array(range(len(texts)), pa.int64()),
            "text": pa.array(texts, pa.string()),
        }
    )
    parsed = parser.parse(lines)
    rows = {row.pop("line"): row for row in parsed.rows.drop_columns(["file"]).to_pylist()}
    rejects = {row["line"]: row["reason"] for row in parsed.rejects.to_pylist()}
    return {line: list(row.values()) for line, row in rows.items()}, rejects


def reason(text: str, parser: Parser = _LOGS) -> str:
    rows, rejects = fast(parser, text)
    assert not rows
    return rejects[0]


def value(column: str, **fields: Any) -> Any:
    rows, rejects = fast(_LOGS, json.dumps(event(**fields)))
    assert not rejects
    return rows[0][[field.column for field in LOG_FIELDS].index(column)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"artist":"Torn in the mid', "not JSON: Unterminated string"),
        ("not JSON at all", "not JSON: Expecting value"),
        ("[1, 2]", "not a JSON object: a list"),
        ("12", "not a JSON object: the number 12"),
        ("null", "not a JSON object: null"),
        ('{"a":1} {"b":2}', "not JSON: Extra data"),
        ('{"a":1}{"b":2}', "not JSON: Extra data"),
        ('{"a":1,}', "not JSON"),
        ('{"a":NaN}', "not JSON: NaN"),
        ('{"a":-Infinity}', "not JSON: -Infinity"),
        ('{"page":"Ho\x00me"}', "not JSON: Invalid control character"),
        ("[" * 100_000, "nested too deeply"),
    ],
)
def test_what_is_no_json_object_is_rejected(text: str, expected: str) -> None:
    assert expected in reason(text)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"ts": None}, "ts is missing"),
        ({"sessionId": None}, "sessionId is missing"),
        ({"itemInSession": None}, "itemInSession is missing"),
        ({"page": None}, "page is missing"),
        ({"page": ""}, "page is missing"),
        ({"ts": "1541207073796"}, 'ts: expected a whole number of 64 bits, found the text "1541'),
        ({"ts": 1541207073796.5}, "ts: expected a whole number"),
        ({"ts": 946_684_799_999}, "ts: 946684799999 is outside"),
        ({"ts": 4_133_980_800_000}, "ts: 4133980800000 is outside"),
        ({"sessionId": 3.0}, "sessionId: expected a whole number of 64 bits, found the number 3.0"),
        ({"sessionId": True}, "sessionId: expected a whole number of 64 bits, found true"),
        ({"sessionId": 2**63}, "sessionId: 9223372036854775808 is outside"),
        ({"sessionId": -(2**63) - 1}, "sessionId: -9223372036854775809 is outside"),
        ({"status": 10**4000}, "status: 1000000000"),
        ({"itemInSession": [0]}, "itemInSession: expected a whole number of 64 bits, found a list"),
        ({"page": 5}, "page: expected a text, found the number 5"),
        ({"page": {"x": 1}}, "page: expected a text, found an object"),
        ({"userId": True}, "userId: expected a text or a number, found true"),
        ({"userId": ["15"]}, "userId: expected a text or a number, found a list"),
        ({"artist": ["x"]}, "artist: expected a text or another scalar"),
        ({"song": {"title": "x"}}, "song: expected a text or another scalar"),
        ({"length": "269"}, 'length: expected a number, found the text "269"'),
        ({"registration": "soon"}, "registration: expected a number"),
        ({"status": "ok"}, "status: expected a whole number"),
    ],
)
def test_a_field_that_does_not_hold_what_it_should_rejects_the_line(
    fields: dict[str, Any], expected: str
) -> None:
    assert expected in reason(json.dumps(event(**fields)))


@pytest.mark.parametrize("digits", [19, 20, 21, 4_301, 100_000])
def test_a_number_of_any_length_is_only_rejected(digits: int) -> None:
    line = json.dumps(event()).replace('"status": 200', '"status": ' + "9" * digits)
    assert "status: 9999999999999999999" in reason(line)
    line = json.dumps(event()).replace('"length": 269.58322', '"length": ' + "9" * digits)
    assert fast(_LOGS, line)[1].keys() <= {0}


def test_a_number_where_text_belongs_is_kept_as_it_is_written() -> None:
    line = json.dumps(event()).replace('"Setanta matins"', "4.60").replace('"15"', "91.50")
    rows, _ = fast(_LOGS, line)
    names = [field.column for field in LOG_FIELDS]
    assert rows[0][names.index("song")] == "4.60"
    assert rows[0][names.index("user_id")] == "91.50"
    assert value("user_id", userId=182) == "182"
    assert value("song", song=True) == "true"
    assert value("song", song=-0.0) == "-0.0"


def test_null_and_lacking_are_the_same_and_empty_text_is_kept() -> None:
    assert value("user_id", userId=None) is None
    assert value("user_id", userId="") == ""
    without = event()
    del without["userId"], without["length"]
    rows, _ = fast(_LOGS, json.dumps(without))
    assert rows[0][-1] is None


def test_of_a_key_that_stands_twice_the_first_counts() -> None:
    line = json.dumps(event()).replace('"level"', '"song": "second", "level"')
    line = line.replace('"song": "second"', '"song": "first"', 1)
    assert read_line(line, LOG_FIELDS) == fast(_LOGS, line)[0][0]


@pytest.mark.parametrize(("deep", "read"), [(199, True), (200, False), (100_000, False)])
def test_how_deep_a_line_may_be_nested_does_not_depend_on_who_calls(deep: int, read: bool) -> None:
    def result(levels: int) -> bool:
        if levels:
            return result(levels - 1)
        line = json.dumps(event())[:-1] + ', "other": ' + "[" * deep + "]" * deep + "}"
        return bool(fast(_LOGS, line)[0])

    assert result(0) is result(500) is read


def test_brackets_within_a_text_are_no_nesting() -> None:
    text = '[{\\"' * 1_000
    assert value("song", song=text) == text


def test_unknown_fields_do_not_matter() -> None:
    assert value("page", extra={"deep": [1, {"page": 3}]}) == "NextSong"


def test_blank_lines_are_no_lines_but_an_empty_song_file_is_rejected() -> None:
    assert fast(_LOGS, "", "  \t", "\r\n") == ({}, {})
    assert fast(_SONGS, "", " \n") == ({}, {0: "empty", 1: "empty"})


def test_a_block_of_blank_lines_asks_neither_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    from sparkify_assets.ingest import parse

    def fail(*_: object) -> None:
        raise AssertionError("a blank line was read")

    monkeypatch.setattr(parse, "read_line", fail)
    monkeypatch.setattr(Parser, "_found", fail)
    assert fast(_LOGS, "\n", "\r\n", " \t \n", "") == ({}, {})


def test_a_song_without_its_ids_is_rejected() -> None:
    assert "song_id is missing" in reason(json.dumps(song("")), _SONGS)
    assert "artist_id is missing" in reason(json.dumps(song(artist_id=None)), _SONGS)


def test_rejected_text_is_kept_up_to_10_kb() -> None:
    lines = pa.table(
        {"file": pa.array([0], pa.int32()), "line": [1], "text": ["é" * 20_000 + "\r\n"]}
    )
    text = _LOGS.parse(lines).rejects["text"][0].as_py()
    assert text == "é" * 5_000


# --- the fast reader against the rules ------------------------------------------------------------

_SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.text(max_size=12),
    st.sampled_from(["", "1", "NaN", ": [", ',"ts":5', '"', "\\", "\x00", "\ud800", "é"]),
)
_VALUES = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=4,
)


def _objects(fields: Sequence[Field], base: dict[str, Any]) -> st.SearchStrategy[str]:
    names = st.sampled_from([field.name for field in fields] + ["other"])
    changed = st.dictionaries(names, _VALUES, max_size=3).map(lambda more: {**base, **more})
    return st.builds(
        lambda found, ascii_only: json.dumps(found, ensure_ascii=ascii_only),
        changed,
        st.booleans(),
    )


def _spoiled(texts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Texts with some characters replaced, put in or left out."""
    edits = st.lists(
        st.tuples(
            st.integers(0, 600),
            st.sampled_from(["", "0", "-", ".5", "e5", "E+400", "}", ",", "NaN", "\\u0074", '"']),
            st.integers(0, 2),
        ),
        max_size=2,
    )

    def spoil(text: str, changes: list[tuple[int, str, int]]) -> str:
        for position, put, drop in changes:
            text = text[:position] + put + text[position + drop :]
        return text

    return st.builds(spoil, texts, edits)


def _check_equal(parser: Parser, fields: Sequence[Field], text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:  # such a line is rejected before any JSON reader
        return
    rows, rejects = fast(parser, text)
    try:
        expected = read_line(text, fields)
    except Rejected as why:
        assert not rows
        if text.strip() or parser is _SONGS:
            assert rejects[0] == str(why)
    else:
        assert rows[0] == expected
        assert not rejects


@settings(max_examples=400, deadline=None)
@given(_spoiled(_objects(LOG_FIELDS, event())))
def test_the_fast_reader_agrees_with_the_rules_on_logs(text: str) -> None:
    _check_equal(_LOGS, LOG_FIELDS, text)


@settings(max_examples=200, deadline=None)
@given(_spoiled(_objects(SONG_FIELDS, song())))
def test_the_fast_reader_agrees_with_the_rules_on_songs(text: str) -> None:
    _check_equal(_SONGS, SONG_FIELDS, text)


def test_plain_lines_take_the_fast_way(monkeypatch: pytest.MonkeyPatch) -> None:
    from sparkify_assets.ingest import parse

    def fail(*_: object) -> None:
        raise AssertionError("a plain line was read one by one")

    monkeypatch.setattr(parse, "read_line", fail)
    assert len(fast(_LOGS, json.dumps(event()), json.dumps(event(userId=15)))[0]) == 2
    assert len(fast(_SONGS, json.dumps(song(), indent=2))[0]) == 1
