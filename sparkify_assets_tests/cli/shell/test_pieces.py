"""Where a statement ends."""

from __future__ import annotations

import pytest

from sparkify_assets.cli.shell.pieces import Piece, is_complete, pieces, tokens, typed


def texts(*lines: str) -> list[str]:
    return [piece.text for piece in pieces(lines)]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 'a;b'",
        "SELECT 'it''s;'",
        "SELECT E'\\';'",
        'SELECT 1 AS "a;b"',
        "SELECT $$a;b$$",
        "SELECT $tag$a;$$;b$tag$",
        "SELECT 1 /* ; /* ; */ ; */ + 1",
        "SELECT 'ä;ö', '🎵;'",
    ],
)
def test_a_semicolon_in_a_string_a_name_or_a_comment_ends_nothing(sql: str) -> None:
    assert texts(f"{sql}; SELECT 2;") == [sql, "SELECT 2"]
    assert is_complete(f"{sql};")
    assert not is_complete(sql)


def test_a_comment_to_the_end_of_the_line_hides_a_semicolon() -> None:
    assert texts("SELECT 1 -- one; two", "+ 1;") == ["SELECT 1 -- one; two\n+ 1"]
    assert not is_complete("SELECT 1 -- one;")
    assert is_complete("SELECT 1; -- one")


@pytest.mark.parametrize("open_end", ["SELECT 'a;", 'SELECT "a;', "SELECT $$a;", "SELECT 1 /* ;"])
def test_what_is_still_open_goes_on(open_end: str) -> None:
    assert not is_complete(open_end)


def test_lines_of_pieces_are_those_of_their_first_words() -> None:
    found = list(
        pieces(["-- about", "", ".tables", "SELECT 'ö;", ".x'; SELECT", "  2;;", ";", "SELECT 3"])
    )
    assert found == [
        Piece(".tables", 3),
        Piece("SELECT 'ö;\n.x'", 4),
        Piece("SELECT\n  2", 5),
        Piece("SELECT 3", 8),
    ]


def test_a_dot_in_a_comment_of_several_lines_is_no_command() -> None:
    assert texts("/* one", ".exit", "*/", ".tables", "SELECT 1") == [".tables", "SELECT 1"]


def test_comments_alone_are_no_statement() -> None:
    assert texts("-- nothing;", "/* here; */ ;", "") == []


def test_a_file_of_another_system_has_the_same_pieces() -> None:
    assert texts("SELECT 1\r\n", ";\r\n", ".tables\r\n") == ["SELECT 1", ".tables"]


def test_words_that_other_shells_have_need_no_dot() -> None:
    assert typed("exit;") == typed(" quit ") == [Piece(".exit", 1)]
    assert is_complete("exit")
    assert typed("help") == [Piece(".help", 1)]
    assert texts("exit") == ["exit"]  # only where somebody types


def test_places_are_counted_in_characters() -> None:
    sql = "SELECT 'ä🎵' AS x;"
    assert [sql[t.start : t.start + len(t.text)] for t in tokens(sql)] == [
        "SELECT", "'ä🎵'", "AS", "x", ";",
    ]  # fmt: skip


def test_a_long_statement_is_cut_once() -> None:
    """Every line is looked at, and not all before it again and again."""
    lines = ["SELECT * FROM (VALUES (0)", *[f", ({n})" for n in range(20_000)], ") t;", "SELECT 2;"]
    assert [piece.line for piece in pieces(lines)] == [1, 20_003]
