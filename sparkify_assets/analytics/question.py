"""Named questions: SQL with a title, a description, parameters and a chart.

Each is a file of `questions/`, `top-songs.sql`, that begins with these in a comment. A file that is
put there is a question; nothing else has to be told.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Mapping
from contextlib import AbstractContextManager
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Any, Literal

import duckdb
import pyarrow as pa
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from sparkify_assets.analytics.session import Session
from sparkify_assets.analytics.statement import QueryError, read_statement
from sparkify_assets.errors import SparkifyError, UsageError
from sparkify_assets.partitions import is_month

_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_PARAMETER = re.compile(r"[a-z][a-z0-9_]*")
_HEADER = re.compile(r"\s*/\*(.*?)\*/", re.DOTALL)

Value = str | int | float | None


class BadQuestion(SparkifyError):  # noqa: N818 -- reads as what was found
    """A file of `questions/` is no question."""


class _Declared(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Parameter(_Declared):
    """One parameter: `$name` in the SQL, `--name` on the command line.

    Attributes:
        default: what it is where nothing is given; null: the SQL does without.
        minimum: the smallest value of a number.
        choices: the only values of a text.
    """

    type: Literal["month", "integer", "number", "text"]
    description: str = Field(min_length=1)
    default: Value = None
    minimum: int | float | None = None
    choices: list[str] | None = None

    @model_validator(mode="after")
    def _fits(self) -> Parameter:
        if self.minimum is not None and self.type not in {"integer", "number"}:
            raise ValueError(f"a minimum is for numbers, not for {self.type}")
        if self.choices is not None and self.type != "text":
            raise ValueError(f"choices are for text, not for {self.type}")
        if self.default is not None and self.value(str(self.default)) != self.default:
            raise ValueError(f"the default {self.default!r} is no {self.type}")
        return self

    def value(self, text: str) -> Value:
        """The value that a text stands for.

        Raises:
            ValueError: says what was expected.
        """
        if self.type == "text":
            if self.choices is not None and text not in self.choices:
                raise ValueError(f"one of {', '.join(self.choices)}")
            return text
        if self.type == "month":
            if not is_month(text):
                raise ValueError("a month as YYYY-MM")
            return text
        try:
            number = int(text) if self.type == "integer" else float(text)
        except ValueError:
            number = math.nan
        kind = "a whole number" if self.type == "integer" else "a number"
        if not math.isfinite(number) or abs(number) >= 1 << 63:
            raise ValueError(kind)
        if self.minimum is not None and number < self.minimum:
            raise ValueError(f"{kind} of at least {self.minimum:g}")
        return number


class Chart(_Declared):
    """How the answer is drawn: its columns by their names.

    Attributes:
        kind: bar lies, column stands; heatmap has its number in `color`.
        labels: what is written for a column instead of its name.
    """

    kind: Literal["bar", "column", "line", "area", "heatmap"]
    x: str
    y: str
    color: str | None = None
    labels: dict[str, str] = Field(default_factory=dict)

    @property
    def columns(self) -> list[str]:
        """The columns of the answer that it needs."""
        return [name for name in (self.x, self.y, self.color) if name is not None]

    @model_validator(mode="after")
    def _whole(self) -> Chart:
        if self.kind == "heatmap" and self.color is None:
            raise ValueError("a heatmap needs a color")
        others = sorted(set(self.labels) - set(self.columns))
        if others:
            raise ValueError(f"labels for columns that it does not show: {', '.join(others)}")
        return self


class Question(_Declared):
    """One question.

    Attributes:
        name: the name of its file, without the ending.
        report: its place in the monthly report; None: not there.
    """

    name: str
    title: str = Field(min_length=1)
    description: str = Field(min_length=1)
    parameters: dict[str, Parameter] = Field(default_factory=dict)
    chart: Chart
    report: int | None = None
    sql: str

    def values(self, given: Mapping[str, str]) -> dict[str, Value]:
        """Values of all parameters, from texts by name and the defaults.

        Raises:
            UsageError: there is no such parameter, or a text is no such value.
        """
        for name in given:
            if name not in self.parameters:
                raise UsageError(f"{option(name)}: {self.name} has no such parameter; {self._has}")
        values = {name: parameter.default for name, parameter in self.parameters.items()}
        for name, text in given.items():
            try:
                values[name] = self.parameters[name].value(text)
            except ValueError as error:
                raise UsageError(f"{option(name)}: found {text!r}, expected {error}") from None
        return values

    @property
    def _has(self) -> str:
        if not self.parameters:
            return "it has none"
        return f"it has {', '.join(map(option, self.parameters))}"


def option(name: str) -> str:
    """A parameter's option on the command line."""
    return f"--{name.replace('_', '-')}"


def all_questions() -> list[Question]:
    """Every question, sorted by name.

    Raises:
        BadQuestion: a file is none.
    """
    with duckdb.connect() as parser:
        return [_read(file, parser) for file in _files().values()]


def find_question(name: str) -> Question:
    """The question of a name.

    Raises:
        UsageError: there is none; names those that are near.
        BadQuestion: its file is none.
    """
    files = _files()
    if name not in files:
        near = difflib.get_close_matches(name, files, 3, 0.5)
        near += [one for one in files if name and name in one and one not in near]
        hint = f"did you mean {' or '.join(near)}?" if near else "`sparkify ask` lists them"
        raise UsageError(f"{name}: there is no such question; {hint}")
    with duckdb.connect() as parser:
        return _read(files[name], parser)


def answer(
    session: Session, question: Question, values: Mapping[str, Value]
) -> AbstractContextManager[pa.RecordBatchReader]:
    """The rows that answer it. Raises as `Session.reader`.

    Args:
        values: from `Question.values`.
    """
    return session.reader(question.sql, values)


def read_question(file_name: str, text: str, parser: duckdb.DuckDBPyConnection) -> Question:
    """A question from a file's text.

    Args:
        parser: any connection.

    Raises:
        BadQuestion: names the file, what was found there and what is expected.
    """
    name = file_name.removesuffix(".sql")
    try:
        if not _NAME.fullmatch(name):
            raise BadQuestion("expected a name of small letters, digits and hyphens")
        header, sql = _split(text)
        found = Question.model_validate({"name": name, "sql": sql, **header})
        _check_parameters(found, parser)
    except (BadQuestion, QueryError) as error:
        raise BadQuestion(f"analytics/questions/{file_name}: {error}") from None
    except ValidationError as error:
        told = "; ".join(_told(one) for one in error.errors())
        raise BadQuestion(f"analytics/questions/{file_name}: {told}") from None
    return found


def _split(text: str) -> tuple[dict[str, Any], str]:
    found = _HEADER.match(text)
    if found is None:
        raise BadQuestion("expected a comment /* … */ at its beginning, with YAML in it")
    try:
        header = yaml.safe_load(found.group(1))
    except yaml.YAMLError as error:
        raise BadQuestion(f"the comment at its beginning is no YAML: {error}") from None
    if not isinstance(header, dict):
        raise BadQuestion("expected title, description and chart in the comment, as YAML")
    for name in ("name", "sql"):
        if name in header:
            raise BadQuestion(f"{name} does not belong into the comment; the file says it")
    return header, text[found.end() :].strip()


def _check_parameters(question: Question, parser: duckdb.DuckDBPyConnection) -> None:
    for name in question.parameters:
        if not _PARAMETER.fullmatch(name):
            raise BadQuestion(f"the parameter {name!r} needs a name of small letters, digits and _")
    named = read_statement(parser, question.sql).parameters
    declared = set(question.parameters)
    if unknown := sorted(named - declared):
        raise BadQuestion(f"the SQL names ${', $'.join(unknown)}, which parameters does not")
    if idle := sorted(declared - named):
        raise BadQuestion(f"the SQL does not name the parameters {', '.join(idle)}")


def _told(error: Any) -> str:
    place = ".".join(str(part) for part in error["loc"])
    message = error["msg"].removeprefix("Value error, ")
    return f"{place}: {message}" if place else message


def _files() -> dict[str, Traversable]:
    folder = resources.files("sparkify_assets.analytics").joinpath("questions")
    files = [file for file in folder.iterdir() if file.name.endswith(".sql")]
    return dict(sorted((file.name.removesuffix(".sql"), file) for file in files))


def _read(file: Traversable, parser: duckdb.DuckDBPyConnection) -> Question:
    return read_question(file.name, file.read_text("utf-8"), parser)
