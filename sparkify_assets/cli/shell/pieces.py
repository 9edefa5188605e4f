"""Text cut into statements and dot commands: where one ends, and on which line it began.

DuckDB's own tokenizer says what is a string, a comment or a quoted name, so that a `;` in one of
them ends nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import duckdb

_SPACE = duckdb.token_type.comment
# Without a dot, as other shells have them.
_PLAIN_WORDS = {"exit": ".exit", "quit": ".exit", "help": ".help"}


class Token(NamedTuple):
    """A piece of SQL: its kind as DuckDB sees it, its text, and where it begins."""

    kind: duckdb.token_type
    text: str
    start: int


class Piece(NamedTuple):
    """A statement without its `;`, or a dot command, and the line of its first word, from 1."""

    text: str
    line: int

    @property
    def is_command(self) -> bool:
        """Whether it is a dot command."""
        return self.text.startswith(".")


def tokens(sql: str) -> list[Token]:
    """SQL as DuckDB's tokenizer sees it; nothing that is typed is an error here."""
    content = sql.encode("utf-8", "replace")
    found = duckdb.tokenize(content.decode())
    ends = [*[start for start, _ in found], len(content)][1:]
    pieces: list[Token] = []
    at = 0  # in characters; DuckDB counts bytes
    before = 0
    for (start, kind), end in zip(found, ends, strict=True):
        at += len(content[before:start].decode())
        before = start
        pieces.append(Token(kind, content[start:end].decode().rstrip(), at))
    return pieces


def is_complete(text: str) -> bool:
    """Whether Enter runs it: nothing, a dot command, or a last statement that ends with `;`."""
    if not text.strip() or text.lstrip().startswith(".") or _plain_word(text):
        return True
    told = [token for token in tokens(text) if token.kind is not _SPACE]
    return bool(told) and told[-1].text == ";"


def pieces(lines: Iterable[str]) -> Iterator[Piece]:
    """Cut lines (with or without their ends), giving each piece as soon as it is whole.

    What is left at the end is a statement, too: its `;` may be missing.
    """
    held = Piece("", 1)
    said = begun = False  # begun: a statement, or a comment that goes on in the next line
    for number, line in enumerate(lines, 1):
        if not begun:
            held = Piece("", number)
            if line.lstrip().startswith("."):
                yield Piece(line.strip(), number)
                continue
        held = Piece(held.text + line.removesuffix("\n") + "\n", held.line)
        if ";" in line:
            whole, held = _cut(held)
            for piece in whole:
                yield from _statement(piece)
            said = False
        said = said or _says_something(held.text)
        begun = said or _in_comment(held.text)
    yield from _statement(held)


def typed(text: str) -> list[Piece]:
    """The pieces of what was typed at once; `exit`, `quit` and `help` need no dot there."""
    word = _plain_word(text)
    return [Piece(word, 1)] if word else list(pieces(text.split("\n")))


def _cut(held: Piece) -> tuple[list[Piece], Piece]:
    """What ends with a `;`, and the rest."""
    whole, text, at = [], held.text, 0
    for token in tokens(text):
        if token.text == ";":
            whole.append(Piece(text[at : token.start], held.line + text.count("\n", 0, at)))
            at = token.start + 1
    return whole, Piece(text[at:], held.line + text.count("\n", 0, at))


def _statement(piece: Piece) -> Iterator[Piece]:
    if _says_something(piece.text):
        before = len(piece.text) - len(piece.text.lstrip())
        yield Piece(piece.text.strip(), piece.line + piece.text.count("\n", 0, before))


def _says_something(text: str) -> bool:
    """Whether there is more than space, comments and `;`."""
    return any(token.kind is not _SPACE and token.text != ";" for token in tokens(text))


def _in_comment(text: str) -> bool:
    return tokens(f"{text}\nx")[-1].kind is _SPACE


def _plain_word(text: str) -> str | None:
    return _PLAIN_WORDS.get(text.strip().rstrip(";").lower())
