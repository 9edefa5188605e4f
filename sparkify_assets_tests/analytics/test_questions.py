"""Every question: its file, its answer, and what it reads."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from sparkify_assets.analytics.question import (
    BadQuestion,
    Question,
    all_questions,
    answer,
    find_question,
    read_question,
)
from sparkify_assets.analytics.session import Session, open_session
from sparkify_assets.errors import UsageError
from sparkify_assets.lake.lake import Lake

MONTH = "2018-02"
QUESTIONS = all_questions()
# Those that need what was before the month.
WITH_HISTORY = {
    "before-level-changes", "level-changes", "new-and-returning-by-day",
    "new-and-returning-by-month", "session-length",
}  # fmt: skip
OF_A_MONTH = [one for one in QUESTIONS if "month" in one.parameters]
HEADER = "title: a\ndescription: b\nchart: {kind: bar, x: a, y: b}"

each = pytest.mark.parametrize("question", QUESTIONS, ids=lambda one: one.name)


def rows(session: Session, question: Question, given: Mapping[str, str]) -> pa.Table:
    with answer(session, question, question.values(given)) as reader:
        return reader.read_all()


@each
def test_a_question_answers_with_what_its_chart_needs(sample: Session, question: Question) -> None:
    found = rows(sample, question, {})
    assert found.num_rows > 0
    assert set(question.chart.columns) <= set(found.column_names)
    if question.chart.kind == "heatmap":
        assert pa.types.is_integer(found.schema.field(str(question.chart.color)).type)
    elif question.chart.kind == "bar":
        assert is_number(found.schema.field(question.chart.x).type)
    else:
        assert is_number(found.schema.field(question.chart.y).type)


@pytest.mark.parametrize("question", OF_A_MONTH, ids=lambda one: one.name)
def test_a_question_of_one_month_and_of_a_month_without_plays(
    sample: Session, question: Question
) -> None:
    assert rows(sample, question, {"month": MONTH}).num_rows > 0
    of_none = rows(sample, question, {"month": "2019-07"})
    if question.name == "catalogue-played":
        assert of_none.column("played").to_pylist() == [0, 0]
    else:
        assert of_none.num_rows == 0


@each
def test_the_same_question_has_the_same_answer_in_the_same_order(
    sample: Session, question: Question
) -> None:
    first = rows(sample, question, {})
    assert all(rows(sample, question, {}).equals(first) for _ in range(3))


@each
def test_the_order_of_an_answer_leaves_nothing_to_chance(
    sample: Session, question: Question
) -> None:
    order = question.sql[question.sql.rindex("ORDER BY") + 8 :].split("LIMIT")[0]
    names = [re.sub(r"( DESC)?$", "", part.strip()).split(".")[-1] for part in order.split(",")]
    found = rows(sample, question, {"limit": "100000"} if "limit" in question.parameters else {})
    if not set(names) <= set(found.column_names):
        assert names == ["year", "month"]
        names = ["month"]
    keys = [tuple(row[name] for name in names) for row in found.to_pylist()]
    assert len(keys) == len(set(keys))


@pytest.mark.parametrize(
    "question", [q for q in OF_A_MONTH if q.name not in WITH_HISTORY], ids=lambda one: one.name
)
def test_a_month_is_answered_from_that_month_alone(sample: Session, question: Question) -> None:
    # DuckDB looks at the first part for the columns.
    sample.table("SELECT count(*) FROM songplays WHERE year = 1")
    looked_at = {path for path in sample.files.opened if path.startswith("year=")}
    sample.files.opened.clear()
    rows(sample, question, {"month": "2018-03"})
    opened = {path for path in sample.files.opened if path.startswith("year=")}
    assert {path for path in opened - looked_at if "month=3" not in path} == set()
    assert any("month=3" in path for path in opened)


def test_what_preceded_changes_is_read_from_the_months_in_question(sample_lake: Lake) -> None:
    given = {"month": "2018-01", "limit": "1000"}
    with open_session(sample_lake, keep=True) as session:
        # Made once of all months; and DuckDB looks at the first part for the columns.
        session.table("SELECT count(*) FROM levels")
        session.files.opened.clear()
        session.table("SELECT count(*) FROM songplays WHERE year = 1")
        looked_at = set(session.files.opened)
        session.files.opened.clear()
        found = rows(session, find_question("before-level-changes"), given)
        opened = set(session.files.opened) - looked_at
    assert found.num_rows > 0
    assert {path.split("/")[1] for path in opened} <= {"month=1"}


@pytest.mark.parametrize(
    "name", ["level-changes", "new-and-returning-by-day", "new-and-returning-by-month"]
)
def test_a_month_of_a_history_is_what_all_months_say_of_it(sample: Session, name: str) -> None:
    question = find_question(name)
    column = question.chart.x
    whole = [r for r in rows(sample, question, {}).to_pylist() if str(r[column])[:7] == MONTH]
    assert whole == rows(sample, question, {"month": MONTH}).to_pylist()
    assert len(whole) > 0


def test_a_session_counts_to_the_month_in_which_it_began(sample: Session) -> None:
    question = find_question("session-length")
    for month in ("2018-01", "2018-02", "2018-03"):
        told = sum(rows(sample, question, {"month": month}).column("sessions").to_pylist())
        sql = "SELECT count(*) AS n, sum(plays)::BIGINT AS p FROM sessions WHERE month = $month"
        assert sample.table(sql, {"month": month}).column("n").to_pylist() == [told]


def test_a_question_that_does_not_exist_names_those_near() -> None:
    with pytest.raises(UsageError, match="did you mean top-songs"):
        find_question("top-song")
    with pytest.raises(UsageError, match="`sparkify ask` lists them"):
        find_question("zzzzzzzzzzzzzz")


def test_values_are_typed_and_have_defaults() -> None:
    top = find_question("top-songs")
    assert top.values({}) == {"month": None, "limit": 10}
    assert top.values({"month": MONTH, "limit": "3"}) == {"month": MONTH, "limit": 3}


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"limit": "ten"}, "--limit: found 'ten', expected a whole number"),
        ({"limit": "0"}, "--limit: found '0', expected a whole number of at least 1"),
        ({"limit": "9" * 30}, "expected a whole number"),
        ({"month": "2018-13"}, "--month: found '2018-13', expected a month as YYYY-MM"),
        ({"mont": "2018-01"}, "--mont: top-songs has no such parameter; it has --month, --limit"),
    ],
)
def test_a_wrong_value_is_told(given: dict[str, str], told: str) -> None:
    with pytest.raises(UsageError, match=re.escape(told)):
        find_question("top-songs").values(given)


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("a.sql", "SELECT 1", "expected a comment"),
        ("a.sql", "/* x: [ */ SELECT 1", "is no YAML"),
        ("a.sql", "/* text */ SELECT 1", "expected title, description and chart"),
        ("a.sql", f"/*\n{HEADER}\nreprot: 1\n*/ SELECT 1", "reprot: Extra inputs"),
        ("a.sql", "/* title: a */ SELECT 1", "description: Field required; chart: Field required"),
        ("a.sql", f"/*\n{HEADER}\nname: a\n*/ SELECT 1", "name does not belong"),
        ("a.sql", f"/*\n{HEADER}\n*/ SELEC 1", "syntax error"),
        ("a.sql", f"/*\n{HEADER}\n*/ DROP TABLE songs", "refused: DROP"),
        ("a.sql", f"/*\n{HEADER}\n*/ SELECT $limit", "the SQL names $limit"),
        (
            "a.sql",
            f"/*\n{HEADER}\nparameters: {{limit: {{type: integer, description: a}}}}\n*/ SELECT 1",
            "the SQL does not name the parameters limit",
        ),
        (
            "a.sql",
            f"/*\n{HEADER}\nparameters: {{n: {{type: integer, default: '5', description: a}}}}\n*/"
            "SELECT $n",
            "parameters.n: the default '5' is no integer",
        ),
        ("A b.sql", f"/*\n{HEADER}\n*/ SELECT 1", "expected a name of small letters"),
        ("a.sql", f"/*\n{HEADER.replace('bar', 'heatmap')}\n*/ SELECT 1", "a heatmap needs"),
        ("a.sql", f"/*\n{HEADER.replace('y: b', 'y: b, labels: {c: d}')}\n*/ SELECT 1", "labels"),
    ],
)
def test_a_broken_file_is_named_with_what_is_wrong(name: str, text: str, told: str) -> None:
    with duckdb.connect() as parser, pytest.raises(BadQuestion, match=re.escape(told)) as found:
        read_question(name, text, parser)
    assert str(found.value).startswith(f"analytics/questions/{name}: ")


def test_the_example_of_the_docs_is_a_question(sample: Session) -> None:
    text = (Path(__file__).parents[2] / "docs" / "questions.md").read_text("utf-8")
    example = text.split("```sql\n")[1].split("```")[0]
    with duckdb.connect() as parser:
        question = read_question("by-browser.sql", example, parser)
    found = rows(sample, question, {"limit": "2"})
    assert (found.num_rows, found.column_names) == (2, ["user_agent", "plays"])
    # And the list there is whole.
    assert [one.name for one in QUESTIONS if f"`{one.name}`" not in text] == []


def test_places_in_the_report_are_given_once() -> None:
    places = [one.report for one in QUESTIONS if one.report is not None]
    assert len(places) == len(set(places)) >= 8


def test_totals_within_a_month_are_of_that_month(sample: Session) -> None:
    """DuckDB 2.0.0 makes such a window a join with itself, and reads all files for it."""
    found = sample.table(
        """
        SELECT level, hour, n, sum(n) OVER (PARTITION BY level)::BIGINT AS total
        FROM (
          SELECT level, hour(start_time) AS hour, count(*) AS n
          FROM songplays
          WHERE level IS NOT NULL AND year = 2018 AND month = 2
          GROUP BY ALL
        )
        """
    ).to_pylist()
    sums: dict[str, int] = {}
    for row in found:
        sums[row["level"]] = sums.get(row["level"], 0) + row["n"]
    assert {(row["level"], row["total"]) for row in found} == set(sums.items())


def is_number(kind: Any) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind))
