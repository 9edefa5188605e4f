"""What SQL may do here: read. Asked of DuckDB's own parser, before anything runs.

Files and the network are closed by DuckDB's settings, too; these rules close what a SELECT alone
could do there: functions that change settings, write logs or read memory.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import duckdb

from sparkify_assets.errors import UsageError

# Table functions that only give rows; all others are refused.
_TABLE_FUNCTIONS = {
    "duckdb_columns", "duckdb_functions", "duckdb_keywords", "duckdb_tables", "duckdb_types",
    "duckdb_views", "generate_series", "generate_subscripts", "histogram", "histogram_values",
    "icu_calendar_names", "json_each", "json_tree", "pg_timezone_names", "pragma_version", "range",
    "repeat", "repeat_row", "summary", "unnest",
}  # fmt: skip
_REFUSED = {
    "current_setting", "getenv", "getvariable", "json_execute_serialized_sql", "nextval", "setval",
    "sleep_ms", "write_log",
}  # fmt: skip
_SYSTEM_SCHEMAS = {"information_schema", "pg_catalog"}
_SYSTEM = re.compile(r"(duckdb|pragma|sqlite|pg)_\w+")
_SYSTEM_TABLES = {"duckdb_columns", "duckdb_tables", "duckdb_types", "duckdb_views"}
_EXPLAIN = re.compile(r"\s*EXPLAIN\s+(ANALYZE\s+)?(\([^)]*\)\s*)?", re.IGNORECASE)
_MAY = (
    "a query only reads: SELECT, WITH, FROM, VALUES, DESCRIBE, SHOW, SUMMARIZE, PIVOT … ON x IN "
    "(…), EXPLAIN"
)


class QueryError(UsageError):
    """The SQL is wrong, or asks for something else than reading tables."""


@dataclass(frozen=True)
class Statement:
    """One statement that only reads.

    Attributes:
        relations: names in it that may be tables or views.
        parameters: names of its `$parameters`.
    """

    text: str
    relations: frozenset[str]
    parameters: frozenset[str]


def read_statement(parser: duckdb.DuckDBPyConnection, sql: str) -> Statement:
    """Look at SQL without running it.

    Args:
        parser: any connection.

    Raises:
        QueryError: it is not one statement, cannot be parsed, or does more than read.
    """
    try:
        found = parser.extract_statements(sql)
    except duckdb.Error as error:
        raise QueryError(explained_by_duckdb(error)) from None
    if len(found) != 1:
        raise QueryError(f"expected one statement, found {len(found)}")
    text = found[0].query.strip().rstrip(";")
    # EXPLAIN ANALYZE runs what it explains.
    tree = _tree(parser, _EXPLAIN.sub("", _without_comments(text), count=1))
    names: set[str] = set()
    for node in _nodes(tree):
        names |= _check(node)
    return Statement(text, frozenset(names), frozenset(found[0].named_parameters))


def explained_by_duckdb(error: duckdb.Error) -> str:
    """DuckDB's message for people: without the advice that nobody can follow here."""
    text = str(error).split("\n\nPossible solutions", 1)[0]
    return text.removesuffix("\n").strip()


def _tree(parser: duckdb.DuckDBPyConnection, sql: str) -> Any:
    rows = parser.execute("SELECT json_serialize_sql(?::VARCHAR)", [sql]).fetchall()
    tree = json.loads(rows[0][0])
    if tree.get("error"):
        word = (re.findall(r"\w+", _without_comments(sql)) or ["this"])[0].upper()
        raise QueryError(f"refused: {word}; {_MAY}")
    if len(tree["statements"]) != 1:
        raise QueryError(f"refused: {len(tree['statements'])} statements; {_MAY}")
    return tree


def _nodes(tree: Any) -> Iterator[dict[str, Any]]:
    todo = [tree]
    while todo:
        value = todo.pop()
        if isinstance(value, dict):
            yield value
            todo += value.values()
        elif isinstance(value, list):
            todo += value


def _check(node: dict[str, Any]) -> set[str]:
    kind = node.get("type")
    if kind == "TABLE_FUNCTION":
        name = _function_name(node["function"])
        if name not in _TABLE_FUNCTIONS:
            raise QueryError(
                f"refused: {name}(); SQL reads the tables and views of the lake and no files, "
                "settings or other places (`SHOW TABLES` lists them)"
            )
    elif kind == "FUNCTION" and _function_name(node) in _REFUSED:
        raise QueryError(f"refused: {_function_name(node)}(); settings are closed to SQL")
    elif kind == "BASE_TABLE":
        return _table_name(node)
    elif kind == "SHOW_REF":
        # SHOW TABLES and its like; DESCRIBE and SUMMARIZE name a table further down.
        return {"*"} if node.get("table_name") else set()
    return set()


def _table_name(node: dict[str, Any]) -> set[str]:
    names = _path(node) or [str(node.get("table_name", "")).lower()]
    if any(schema in _SYSTEM_SCHEMAS for schema in names[:-1]) or names[-1] in _SYSTEM_TABLES:
        return {"*"}
    if _SYSTEM.fullmatch(names[-1]):
        raise QueryError(f"refused: {names[-1]}; settings are closed to SQL")
    return {names[-1]}


def _function_name(node: dict[str, Any]) -> str:
    return (_path(node) or [str(node.get("function_name", "")).lower()])[-1]


def _path(node: dict[str, Any]) -> list[str]:
    path = (node.get("qualified_name") or {}).get("path") or []
    return [str(part).lower() for part in path if part]


def _without_comments(sql: str) -> str:
    return re.sub(r"\A(\s+|--[^\n]*(\n|\Z)|/\*.*?\*/)+", "", sql, flags=re.DOTALL)
