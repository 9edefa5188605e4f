"""What SQL may do here: read. Asked of DuckDB's own parser, before anything runs.

Files and the network are closed by DuckDB's settings, too; these rules close what a SELECT alone
could do there: functions that change settings, write logs or read memory.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import duckdb

from sparkify_assets.analytics.relations import RELATIONS
from sparkify_assets.errors import UsageError

# Table functions that only give rows; all others are refused. `histogram` is one that reads a table
# by a name in a text, which is not looked at here.
_TABLE_FUNCTIONS = {
    "duckdb_columns", "duckdb_functions", "duckdb_keywords", "duckdb_tables", "duckdb_types",
    "duckdb_views", "generate_series", "generate_subscripts", "icu_calendar_names", "json_each",
    "json_tree", "pg_timezone_names", "pragma_version", "range", "repeat", "repeat_row", "summary",
    "unnest",
}  # fmt: skip
_REFUSED = {
    "currval", "current_setting", "getenv", "getvariable", "json_execute_serialized_sql", "nextval",
    "pg_sleep", "setval", "sleep_ms", "write_log",
}  # fmt: skip
# What a statement may consist of: a CTE may also hold an INSERT or a COPY.
_QUERIES = {"SELECT_NODE", "SET_OPERATION_NODE", "CTE_NODE", "RECURSIVE_CTE_NODE"}
_SOURCES = {
    "BASE_TABLE", "COLUMN_DATA", "DELIM_GET", "EMPTY", "EXPRESSION_LIST", "JOIN", "PIVOT",
    "SHOW_REF", "SUBQUERY", "TABLE_FUNCTION",
}  # fmt: skip
_CATALOGUE = {
    "duckdb_columns", "duckdb_tables", "duckdb_types", "duckdb_views", "information_schema.columns",
    "information_schema.schemata", "information_schema.tables",
}  # fmt: skip
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
        relations: the tables and views that it names; `*` for a look at all of them.
        parameters: names of its `$parameters`.
        reads: whether it takes rows from them, and not only their columns.
    """

    text: str
    relations: frozenset[str]
    parameters: frozenset[str]
    reads: bool = True


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
    plain = _without_comments(text)
    # EXPLAIN ANALYZE runs what it explains.
    explained = _EXPLAIN.sub("", plain, count=1)
    nodes = list(_nodes(_tree(parser, explained)))
    local = {str(one["key"]).lower() for n in nodes for one in (n.get("map") or []) if "key" in one}
    _check_not_hidden(parser, local)
    names = frozenset[str]().union(*(_check(node, local) for node in nodes))
    only_looks = any(node.get("type") == "SHOW_REF" for node in nodes) or explained != plain
    parameters = frozenset(found[0].named_parameters)
    return Statement(text, names, parameters, reads=not only_looks)


def explained_by_duckdb(error: duckdb.Error) -> str:
    """DuckDB's message for people: without the advice that nobody can follow here."""
    text = str(error).split("\n\nPossible solutions", 1)[0]
    return text.removesuffix("\n").strip()


def _tree(parser: duckdb.DuckDBPyConnection, sql: str) -> Any:
    rows = parser.execute("SELECT json_serialize_sql(?::VARCHAR)", [sql]).fetchall()
    try:
        tree = json.loads(rows[0][0])
    except RecursionError:
        raise QueryError("refused: it is nested too deeply; put it into several parts") from None
    if tree.get("error"):
        word = (re.findall(r"\w+", _without_comments(sql)) or ["this"])[0].upper()
        raise QueryError(f"refused: {word}; {_MAY}")
    if len(tree["statements"]) != 1:
        raise QueryError(f"refused: {len(tree['statements'])} statements; {_MAY}")
    return tree


def _check_not_hidden(parser: duckdb.DuckDBPyConnection, local: set[str]) -> None:
    """A name counts for the whole statement here, in DuckDB for a part of it only.

    Elsewhere in the statement it would be DuckDB's own view of that name, with its settings.
    """
    if local:
        own = parser.execute(
            "SELECT lower(view_name) FROM duckdb_views() "
            "WHERE internal AND schema_name != 'information_schema'"
        )
        if hidden := sorted(local & {name for (name,) in own.fetchall()} - _CATALOGUE):
            raise QueryError(f"refused: {hidden[0]} is a name of DuckDB's own; choose another one")


def _nodes(tree: Any) -> Iterator[dict[str, Any]]:
    todo = [tree]
    while todo:
        value = todo.pop()
        if isinstance(value, dict):
            yield value
            todo += value.values()
        elif isinstance(value, list):
            todo += value


def _check(node: dict[str, Any], local: set[str]) -> set[str]:
    """The relations that one node names.

    Args:
        local: names that the statement gives to queries of its own.
    """
    kind = str(node.get("type", ""))
    if kind.endswith("_NODE") and kind not in _QUERIES:
        raise QueryError(f"refused: {kind.split('_')[0]} within the statement; {_MAY}")
    if "sample" in node and "query_location" in node and kind not in _SOURCES:
        raise QueryError(f"refused: {kind} as a table; {_MAY}")
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
        return _table_name(node, local)
    elif kind == "SHOW_REF":
        # SHOW TABLES and its like; DESCRIBE and SUMMARIZE name a table further down.
        return {"*"} if node.get("table_name") else set()
    return set()


def _table_name(node: dict[str, Any], local: set[str]) -> set[str]:
    names = _path(node) or [str(node.get("table_name", "")).lower()]
    name = ".".join(names)
    if name in _CATALOGUE:
        return {"*"}
    if names[0] == "main":
        names = names[1:]
    if len(names) == 1 and names[0] in RELATIONS:
        return {names[0]}
    if len(names) == 1 and names[0] in local:
        return set()
    near = difflib.get_close_matches(names[-1], [*RELATIONS, *local], 1)
    hint = f"did you mean {near[0]}?" if near else "`SHOW TABLES` lists what there is"
    raise QueryError(f"there is no table or view {name}; {hint}")


def _function_name(node: dict[str, Any]) -> str:
    return (_path(node) or [str(node.get("function_name", "")).lower()])[-1]


def _path(node: dict[str, Any]) -> list[str]:
    path = (node.get("qualified_name") or {}).get("path") or []
    return [str(part).lower() for part in path if part]


def _without_comments(sql: str) -> str:
    return re.sub(r"\A(\s+|--[^\n]*(\n|\Z)|/\*.*?\*/)+", "", sql, flags=re.DOTALL)
