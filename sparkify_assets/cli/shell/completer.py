"""Completion: keywords, tables, views, their columns, and dot commands."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import duckdb
from prompt_toolkit.completion import CompleteEvent, Completer, Completion, PathCompleter
from prompt_toolkit.document import Document

from sparkify_assets.analytics.relations import RELATIONS, Relation
from sparkify_assets.analytics.sql import sql_type
from sparkify_assets.cli.shell.commands import COMMANDS
from sparkify_assets.cli.shell.pieces import Token, tokens

KEYWORDS = (
    "SELECT FROM WHERE GROUP BY ORDER HAVING LIMIT OFFSET WITH AS DISTINCT ALL JOIN LEFT RIGHT "
    "FULL INNER OUTER CROSS SEMI ANTI ASOF LATERAL ON USING UNION INTERSECT EXCEPT CASE WHEN THEN "
    "ELSE END AND OR NOT IN IS NULL TRUE FALSE LIKE ILIKE BETWEEN EXISTS ASC DESC NULLS FIRST LAST "
    "OVER PARTITION ROWS RANGE PRECEDING FOLLOWING UNBOUNDED CURRENT ROW FILTER QUALIFY WINDOW "
    "VALUES DESCRIBE SHOW TABLES SUMMARIZE EXPLAIN ANALYZE PIVOT UNPIVOT SAMPLE CAST INTERVAL "
    "EXCLUDE REPLACE COLUMNS DATE TIMESTAMP"
).split()
FUNCTIONS = (
    "count sum avg min max median mode quantile_cont stddev arg_min arg_max string_agg list "
    "any_value approx_count_distinct bool_and bool_or row_number rank dense_rank lag lead "
    "first_value last_value ntile percent_rank date_trunc date_part date_diff date_add strftime "
    "strptime make_date epoch now today extract year month day hour week dayofweek monthname "
    "dayname lower upper trim length substring replace split_part contains starts_with "
    "regexp_matches regexp_replace concat concat_ws coalesce nullif ifnull greatest least round "
    "floor ceil abs ln sqrt unnest range generate_series list_aggregate struct_pack histogram"
).split()
_WORD = re.compile(r"\w*\Z")
_OF_RELATION = re.compile(r'(\w+)"?\s*\.\s*"?\w*\Z')
# After these comes a table.
_BEFORE_RELATION = {"from", "join", "describe", "summarize"}
_NO_ALIAS = {word.lower() for word in KEYWORDS}
_IN_TEXT = {duckdb.token_type.comment, duckdb.token_type.string_const}
_KINDS = {"table": 0, "view": 0, "inner table": 1}


class Found(NamedTuple):
    """A word that may stand here, and what it is."""

    word: str
    what: str


class SqlCompleter(Completer):
    """What may stand at the cursor, the likeliest first."""

    def get_completions(
        self, document: Document, complete_event: CompleteEvent
    ) -> Iterable[Completion]:
        """As prompt_toolkit asks for it."""
        before = document.text_before_cursor
        if before.lstrip().startswith("."):
            yield from _of_command(before.lstrip(), complete_event)
            return
        word = _word(before)
        for found in suggestions(document.text, before, complete_event.completion_requested):
            text = found.word
            if found.what in ("keyword", "function") and word.islower():
                text = text.lower()
            yield Completion(text, start_position=-len(word), display_meta=found.what)


def suggestions(text: str, before: str, asked: bool = True) -> Iterator[Found]:
    """Words that may stand at the cursor.

    Args:
        text: all that was typed.
        before: what stands before the cursor.
        asked: by Tab; else nothing is suggested before a word is begun.
    """
    word = _word(before)
    told = tokens(before)
    if told and told[-1].kind in _IN_TEXT and not before[-1].isspace():
        return
    if told and told[-1].kind in _IN_TEXT and _is_open(before):
        return
    aliases = named_relations(text)
    of_relation = _OF_RELATION.search(before)
    if of_relation:
        relation = aliases.get(of_relation.group(1).lower())
        yield from _matching(_columns([relation] if relation else []), word)
        return
    if not word and not asked:
        return
    if _word_before(told, word) in _BEFORE_RELATION:
        yield from _matching(_relations(), word)
        return
    columns = _columns(list({r.name: r for r in aliases.values()}.values()))
    everything: list[Found] = [*columns, *_relations()]
    everything += [Found(keyword, "keyword") for keyword in KEYWORDS]
    everything += [Found(function, "function") for function in FUNCTIONS]
    if not columns:  # FROM comes later
        everything += _columns([r for r in RELATIONS.values() if r.kind != "inner table"])
    yield from _matching(everything, word)


def named_relations(sql: str) -> dict[str, Relation]:
    """The tables and views that a statement names, by their names and aliases."""
    told = [token for token in tokens(sql) if token.kind not in _IN_TEXT]
    found: dict[str, Relation] = {}
    for number, token in enumerate(told):
        relation = RELATIONS.get(_name(token))
        begun = number > 0 and (
            told[number - 1].text == "," or told[number - 1].text.lower() in _BEFORE_RELATION
        )
        if relation is None or not begun:
            continue
        found[relation.name] = relation
        after = told[number + 1 : number + 3]
        if after and after[0].text.lower() == "as":
            after = after[1:]
        if after and after[0].text.isidentifier() and _name(after[0]) not in _NO_ALIAS:
            found[_name(after[0])] = relation
    return found


def _of_command(before: str, event: CompleteEvent) -> Iterator[Completion]:
    name, space, argument = before.partition(" ")
    if not space:
        for command, about in COMMANDS.items():
            if command.startswith(name.lower()):
                yield Completion(command, start_position=-len(name), display_meta=about.help)
        return
    takes = COMMANDS[name].takes if name in COMMANDS else ""
    if "FILE" in takes:
        yield from PathCompleter(expanduser=True).get_completions(Document(argument), event)
        return
    if takes == "NAME":
        words = list(_relations())
    else:
        words = [Found(word, "") for word in takes.strip("[]").split("|") if word]
    for found in _matching(words, argument):
        yield Completion(found.word, start_position=-len(argument), display_meta=found.what)


def _word(before: str) -> str:
    found = _WORD.search(before)
    return found.group() if found else ""


def _word_before(told: list[Token], word: str) -> str:
    """The word before the one that is being typed."""
    before = told[:-1] if word else told
    return before[-1].text.lower() if before else ""


def _is_open(before: str) -> bool:
    """Whether the string or comment goes on."""
    return tokens(f"{before}x")[-1].kind in _IN_TEXT


def _name(token: Token) -> str:
    return token.text.strip('"').lower()


def _matching(words: Iterable[Found], begun: str) -> Iterator[Found]:
    seen: set[str] = set()
    for found in words:
        if found.word.lower().startswith(begun.lower()) and found.word.lower() not in seen:
            seen.add(found.word.lower())
            yield found


def _columns(relations: Iterable[Relation]) -> list[Found]:
    return [
        Found(column.name, f"{relation.name}, {sql_type(relation.schema.field(column.name).type)}")
        for relation in relations
        for column in relation.columns
    ]


def _relations() -> Iterator[Found]:
    for relation in sorted(RELATIONS.values(), key=lambda r: _KINDS[r.kind]):
        yield Found(relation.name, relation.kind)
