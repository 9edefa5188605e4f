"""What Tab suggests."""

from __future__ import annotations

from pathlib import Path

import pytest
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document

from sparkify_assets.analytics.relations import RELATIONS
from sparkify_assets.cli.shell.completer import SqlCompleter, named_relations


def completed(before: str, after: str = "", asked: bool = True) -> list[str]:
    document = Document(before + after, len(before))
    event = CompleteEvent(completion_requested=asked)
    return [found.text for found in SqlCompleter().get_completions(document, event)]


def test_after_from_come_tables_and_views_alone() -> None:
    found = completed("SELECT * FROM ")
    assert found[:5] == ["songplays", "users", "songs", "artists", "time"]
    assert set(found) == set(RELATIONS)
    assert completed("select 1 from plays join so")[0] == "songplays"
    assert "SELECT" not in found


def test_columns_of_the_named_relations_come_first() -> None:
    assert completed("SELECT ti", " FROM songs")[0] == "title"
    assert completed("SELECT l", " FROM users")[0] == "last_name"
    # Of a view, and of a table that stands after the cursor.
    assert completed("SELECT ", " FROM sessions")[0] == "session_id"


@pytest.mark.parametrize(
    "sql",
    [
        "FROM songs s",
        "FROM songs AS s",
        "FROM users u, songs s",
        "FROM users JOIN songs s ON true",
        'FROM "songs" s',
    ],
)
def test_after_an_alias_come_the_columns_of_its_relation(sql: str) -> None:
    assert completed("SELECT s.", f" {sql}") == RELATIONS["songs"].names
    assert completed("SELECT s.t", f" {sql}") == ["title"]


def test_after_a_relation_come_its_columns_and_after_others_nothing() -> None:
    assert completed("SELECT users.g", " FROM users") == ["gender"]
    assert completed("SELECT nobody.") == []


def test_a_word_after_a_relation_is_not_always_an_alias() -> None:
    assert set(named_relations("FROM songs WHERE title = 'x'")) == {"songs"}
    assert set(named_relations("SELECT 'from users' FROM songs -- join artists")) == {"songs"}


def test_keywords_take_the_case_of_what_was_typed() -> None:
    assert "GROUP" in completed("SELECT 1 FROM plays GR")
    assert "group" in completed("select 1 from plays gr")
    assert "count" in completed("select cou")


@pytest.mark.parametrize("before", ["SELECT 'se", "SELECT 'se ", "SELECT 1 -- se", "SELECT $$ se"])
def test_nothing_is_suggested_in_a_string_or_comment(before: str) -> None:
    assert completed(before) == []


def test_after_a_string_there_are_suggestions_again() -> None:
    assert "from" in completed("select 'x' fr")


def test_nothing_comes_unasked_before_a_word_is_begun() -> None:
    assert completed("SELECT ", asked=False) == []
    assert completed("SELECT ") != []


def test_dot_commands_and_what_they_take() -> None:
    assert completed(".t") == [".tables", ".timer"]
    assert completed(".describe song") == ["songplays", "songs", "song_matches"]
    assert completed(".format c") == ["csv"]
    assert completed(".pin ") == ["on", "off"]
    assert completed(".nothing x") == []


def test_files_complete() -> None:
    Path("questions.sql").touch()
    assert completed(".read que") == ["stions.sql"]
