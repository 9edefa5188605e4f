"""Many JSON texts to typed columns, with an account of every one of them.

DuckDB reads the lines that are plainly right, all at once; whatever is not goes line by line
through `json_line`, which decides. Rows of both together are the result.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from sparkify_assets.ingest.fields import Field, Kind
from sparkify_assets.ingest.json_line import Rejected, read_line
from sparkify_assets.ingest.lines import KEPT_TEXT

_ARROW = {Kind.WHOLE: pa.int64(), Kind.NUMBER: pa.float64()}
_DUCKDB = {Kind.WHOLE: "BIGINT", Kind.NUMBER: "DOUBLE"}

# DuckDB converts what it finds (`"182"` to 182, 3.7 to 4, true to 1) and takes more for JSON than
# JSON is (a comma before a brace, NaN), without a word. A line in which one of these patterns
# occurs is not plainly right. They may occur in the middle of a text, too; then the slow reader
# finds nothing wrong with it.
_ODD_ANYWHERE = (
    r"^\s*[^{\s]",  # no object
    r",\s*[\]}]",  # a comma too many
    r'"\s*:\s*(?:[^"n\d\s-]|-\D|n[^u])',  # true, false, a list, an object, NaN, an infinity
    r"\\u00[2-7]",  # an escaped ASCII character, maybe within a key
)
_ODD_VALUE = {
    Kind.WHOLE: r'-?(?:"|\d+[^\d\s,}]|\d{19})',
    Kind.NUMBER: r'(?:"|[-+.\deE]{30}|[-.\d]+[eE][-+]?\d{3})',
    Kind.TEXT: r"(?:-|\d+[^\d\s,}])",
    Kind.IDENTIFIER: r"(?:-|\d+[^\d\s,}])",
    Kind.STRICT_TEXT: r"[-\d]",
}


@dataclass(frozen=True)
class Parsed:
    """The account of a number of lines.

    Attributes:
        rows: columns `file` (int32), `line` (int64) and one per field.
        rejects: columns `file`, `line`, `reason`, `text`.
    """

    rows: pa.Table
    rejects: pa.Table


REJECT_SCHEMA = pa.schema(
    [("file", pa.int32()), ("line", pa.int64()), ("reason", pa.string()), ("text", pa.string())]
)


class Parser:
    """Reads lines against one list of fields; holds a DuckDB connection of one thread."""

    def __init__(self, fields: Sequence[Field], *, blank_is_line: bool) -> None:
        """`blank_is_line`: whether a blank text is rejected (a file) or no line at all."""
        self._fields = fields
        self._blank_is_line = blank_is_line
        self._query = _query(tuple(fields), all_json=True)
        self._careful_query = _query(tuple(fields), all_json=False)
        self._odd = _odd(tuple(fields))
        self._schema = pa.schema(
            [("file", pa.int32()), ("line", pa.int64())]
            + [(field.column, _ARROW.get(field.kind, pa.string())) for field in fields]
        )
        self._duckdb = duckdb.connect(config={"threads": 1})

    def parse(self, lines: pa.Table) -> Parsed:
        """Read lines: columns `file` (int32), `line` (int64), `text` (string)."""
        if not self._blank_is_line:
            lines = _without_blank(lines)
        if not lines.num_rows:
            return Parsed(_table([], self._schema), _table([], REJECT_SCHEMA))
        # Arrow's matching takes half the time of DuckDB's: it is the same library, without a copy.
        odd = pc.match_substring_regex(lines["text"], self._odd)
        self._duckdb.register("lines", lines.append_column("odd", odd))
        found = self._found()
        self._duckdb.unregister("lines")
        odd = found["odd"]
        rows = found.drop_columns(["odd"])
        if not pc.any(odd).as_py():
            return Parsed(rows.cast(self._schema), _table([], REJECT_SCHEMA))
        more, rejects = self._one_by_one(lines.filter(odd))
        plain = rows.filter(pc.invert(odd)).cast(self._schema)
        return Parsed(pa.concat_tables([plain, more]), rejects)

    def close(self) -> None:
        self._duckdb.close()

    def _found(self) -> pa.Table:
        try:
            return self._duckdb.sql(self._query).to_arrow_table()
        except duckdb.InvalidInputException:
            # Some line is no JSON, and more of the same source may be none: from now on each is
            # asked first, which takes a second parse.
            self._query = self._careful_query
            return self._duckdb.sql(self._query).to_arrow_table()

    def _one_by_one(self, lines: pa.Table) -> tuple[pa.Table, pa.Table]:
        rows: list[list[object]] = []
        rejects: list[list[object]] = []
        columns = (lines["file"].to_pylist(), lines["line"].to_pylist(), lines["text"].to_pylist())
        for file, line, text in zip(*columns, strict=True):
            if not self._blank_is_line and not text.strip():
                continue
            try:
                rows.append([file, line, *read_line(text, self._fields)])
            except Rejected as reason:
                kept = text.encode()[:KEPT_TEXT].decode(errors="ignore").rstrip("\r\n")
                rejects.append([file, line, str(reason), kept])
        return _table(rows, self._schema), _table(rejects, REJECT_SCHEMA)


def _without_blank(lines: pa.Table) -> pa.Table:
    """The lines without most of the blank ones: a file may have nothing else, by the million."""
    texts = lines["text"]
    blank = pc.or_(pc.ascii_is_space(texts), pc.equal(pc.binary_length(texts), 0))
    return lines.filter(pc.invert(blank)) if pc.any(blank).as_py() else lines


def _table(rows: list[list[object]], schema: pa.Schema) -> pa.Table:
    columns = zip(*rows, strict=True) if rows else ([] for _ in schema)
    arrays = [pa.array(c, field.type) for c, field in zip(columns, schema, strict=True)]
    return pa.Table.from_arrays(arrays, schema=schema)


@cache
def _query(fields: tuple[Field, ...], *, all_json: bool) -> str:
    """The query for `lines`; where not `all_json`, lines that are no JSON are odd and no error."""
    shape = json.dumps({field.name: _DUCKDB.get(field.kind, "VARCHAR") for field in fields})
    columns = ", ".join(f'v."{field.name}" AS "{field.column}"' for field in fields)
    missing = " OR ".join(condition for field in fields for condition in _missing(field))
    suspect = "odd" if all_json else "odd OR NOT json_valid(text) AS odd"
    return f"""
        SELECT file, line, odd OR {missing} AS odd, {columns}
        FROM (
            SELECT file, line, odd,
                json_transform(CASE WHEN odd THEN '{{}}' ELSE text END, '{shape}') AS v
            FROM (SELECT file, line, text, {suspect} FROM lines)
        )
    """  # noqa: S608 -- made of the field lists, never of input


def _odd(fields: tuple[Field, ...]) -> str:
    patterns = list(_ODD_ANYWHERE)
    for kind, value in _ODD_VALUE.items():
        names = [field.name for field in fields if field.kind is kind]
        if names:
            patterns.append(rf'"(?:{"|".join(names)})"\s*:\s*{value}')
    return "|".join(patterns)


def _missing(field: Field) -> list[str]:
    """Conditions in SQL under which the value is lacking or out of range."""
    value = f'v."{field.name}"'
    conditions = []
    if field.required:
        conditions.append(f"{value} IS NULL")
        if field.kind not in _ARROW:
            conditions.append(f"{value} = ''")
    if field.least is not None and field.most is not None:
        conditions.append(f"coalesce({value} NOT BETWEEN {field.least} AND {field.most}, false)")
    return conditions
