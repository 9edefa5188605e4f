"""Answers in every format: exact for programs, readable for people, never half a file."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sparkify_assets.analytics.session import Session, open_session
from sparkify_assets.cli import output
from sparkify_assets.cli.answer import (
    TABLE_ROWS,
    AnswerFormat,
    chosen_format,
    write_answer,
)
from sparkify_assets.cli.grid import show_rows
from sparkify_assets.cli.values import for_people
from sparkify_assets.errors import SparkifyError, UsageError
from sparkify_assets.lake.lake import Lake
from sparkify_assets.lake.release import record_release
from sparkify_assets.lake.row_groups import GROUP_ROWS
from sparkify_assets.tables import TABLES

Out = pytest.CaptureFixture[str]

_EVERYTHING = """
SELECT * FROM (VALUES (
    'Beyoncé | ''Señora'' 🎵, "x"', E'two\\nlines', TIMESTAMPTZ '2018-11-15 12:00:00.796Z',
    TIMESTAMP '2018-11-15 12:00:00.000001', DATE '2018-11-15', 12.50::DECIMAL(9, 2),
    170141183460469231731687303715884105727::HUGEINT, 9007199254740993, 0.1, true,
    ['a', NULL], {'name': 'x', 'when': DATE '2018-11-15'}, INTERVAL '1 month 2 days 03:04:05.5',
    TIME '12:30:00', 'nan'::DOUBLE, NULL::VARCHAR
), (NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL))
t (text, lines, instant, moment, day, price, huge, whole, number, matched, list, struct, span,
   clock, nothing, nil)
"""
_EMPTY = [None] * 16


@pytest.fixture
def session(lake: Lake) -> Iterator[Session]:
    versions = {name: lake.snapshot(table).version for name, table in TABLES.items()}
    with open_session(lake, record_release(lake, None, versions)) as session:
        yield session


def written(session: Session, sql: str, name: str) -> Path:
    """The file with an answer."""
    path = Path(name)
    with session.reader(sql) as reader:
        write_answer(reader, chosen_format(None, path), path)
    return path


def test_json_has_what_json_can_have(session: Session) -> None:
    rows = json.loads(written(session, _EVERYTHING, "x.json").read_text("utf-8"))
    assert rows[0] == {
        "text": "Beyoncé | 'Señora' 🎵, \"x\"",
        "lines": "two\nlines",
        "instant": "2018-11-15T12:00:00.796Z",
        "moment": "2018-11-15T12:00:00.000001",
        "day": "2018-11-15",
        "price": 12.5,
        "huge": 170141183460469231731687303715884105727,
        "whole": 9007199254740993,
        "number": 0.1,
        "matched": True,
        "list": ["a", None],
        "struct": {"name": "x", "when": "2018-11-15"},
        "span": "1 month 2 days 03:04:05.5",
        "clock": "12:30:00",
        "nothing": None,  # JSON has no NaN
        "nil": None,
    }
    assert list(rows[1].values()) == _EMPTY


def test_csv_can_be_read_back(session: Session) -> None:
    text = written(session, _EVERYTHING, "x.csv").read_text("utf-8")
    names, row, empty = csv.reader(io.StringIO(text, newline=""))
    found = dict(zip(names, row, strict=True))
    assert found["text"] == "Beyoncé | 'Señora' 🎵, \"x\""
    assert found["lines"] == "two\nlines"
    assert dt.datetime.fromisoformat(found["instant"]) == dt.datetime(
        2018, 11, 15, 12, 0, 0, 796_000, tzinfo=dt.UTC
    )
    assert found["moment"] == "2018-11-15T12:00:00.000001"
    assert found["price"] == "12.50"
    assert found["huge"] == "170141183460469231731687303715884105727"
    assert (found["whole"], found["number"], found["matched"]) == (
        "9007199254740993",
        "0.1",
        "true",
    )
    assert json.loads(found["list"]) == ["a", None]
    assert json.loads(found["struct"]) == {"name": "x", "when": "2018-11-15"}
    assert empty == [""] * 16


def test_csv_has_every_text_as_it_is_also_what_a_spreadsheet_takes_for_a_formula(
    session: Session,
) -> None:
    """CSV is for programs, to which a sign put before a title is another title."""
    texts = ["=HYPERLINK(1)", "+1", "-1", "@x", "\t=1", "'=1", '="a"', "=cmd|' /C calc'!A0"]
    values = ", ".join("('" + text.replace("'", "''") + "')" for text in texts)
    text = written(session, f"FROM (VALUES {values}) v(title)", "x.csv").read_text("utf-8")
    assert list(csv.reader(io.StringIO(text, newline=""))) == [["title"], *([t] for t in texts)]


def test_csv_is_read_by_others_with_the_same_rows(session: Session) -> None:
    sql = "SELECT * EXCLUDE (list, struct, span, nothing, huge) FROM (" + _EVERYTHING + ") LIMIT 1"
    path = written(session, sql, "x.csv")
    found = (
        duckdb.connect()
        .execute(f"SELECT instant, moment, day, price, whole, matched FROM '{path}'")
        .fetchall()
    )
    instant, moment, day, price, whole, matched = found[0]
    assert instant.astimezone(dt.UTC).microsecond == 796_000
    assert moment == dt.datetime(2018, 11, 15, 12, 0, 0, 1)  # noqa: DTZ001 -- has no zone in SQL
    assert (day, price, whole, matched) == (dt.date(2018, 11, 15), 12.5, 9007199254740993, True)


def test_parquet_keeps_every_type(session: Session) -> None:
    sql = f"SELECT * EXCLUDE span FROM ({_EVERYTHING})"
    path = written(session, sql, "x.parquet")
    row, empty = pq.read_table(path).to_pylist()
    assert row["instant"] == dt.datetime(2018, 11, 15, 12, 0, 0, 796_000, tzinfo=dt.UTC)
    assert row["price"] == Decimal("12.50")
    assert row["list"] == ["a", None]
    assert row["struct"] == {"name": "x", "when": dt.date(2018, 11, 15)}
    assert (row["lines"], row["whole"], row["matched"]) == ("two\nlines", 9007199254740993, True)
    assert list(empty.values()) == _EMPTY[1:]


def test_parquet_is_written_in_groups_that_are_worth_a_read(session: Session) -> None:
    path = written(session, "SELECT range AS n FROM range(200_000)", "x.parquet")
    metadata = pq.read_metadata(path)
    groups = [metadata.row_group(n).num_rows for n in range(metadata.num_row_groups)]
    assert sum(groups) == 200_000
    assert set(groups[:-1]) == {GROUP_ROWS}


def test_what_parquet_cannot_hold_is_told_and_leaves_no_file(session: Session) -> None:
    with pytest.raises(UsageError, match=r"Parquet cannot hold .*interval.*CAST"):
        written(session, "SELECT INTERVAL 1 DAY AS span", "x.parquet")
    assert list(Path().iterdir()) == []


def test_markdown_is_a_table_whatever_stands_in_it(session: Session) -> None:
    sql = 'SELECT text, lines, whole, nil AS "a|b" FROM (' + _EVERYTHING + ")"
    lines = written(session, sql, "x.md").read_text("utf-8").splitlines()
    assert lines == [
        "| text | lines | whole | a\\|b |",
        "| --- | --- | ---: | --- |",
        "| Beyoncé \\| 'Señora' 🎵, \"x\" | two lines | 9,007,199,254,740,993 |  |",
        "|  |  |  |  |",
    ]


@pytest.mark.parametrize("name", ["x.json", "x.parquet"])
def test_columns_with_the_same_name_are_all_kept(session: Session, name: str) -> None:
    path = written(session, "SELECT 1 AS a, 2 AS a, 3 AS a_2", name)
    found = json.loads(path.read_text()) if name == "x.json" else pq.read_table(path).to_pylist()
    assert found == [{"a": 1, "a_2": 2, "a_2_2": 3}]


@pytest.mark.parametrize(
    ("name", "content"), [("x.json", "[]\n"), ("x.csv", "a\n"), ("x.md", "| a |\n| ---: |\n")]
)
def test_an_answer_without_rows_is_an_answer(session: Session, name: str, content: str) -> None:
    assert written(session, "SELECT 1 AS a WHERE false", name).read_text() == content


@pytest.mark.parametrize(
    ("name", "failing"),
    # Of a table the first rows alone are read.
    [("x.csv", 90_000), ("x.json", 90_000), ("x.parquet", 90_000), ("x.md", 90_000), ("x.txt", 0)],
)
def test_a_failing_answer_leaves_no_file(session: Session, name: str, failing: int) -> None:
    sql = f"SELECT if(range = {failing}, error('no more'), 'x') AS a FROM range(100000)"
    with pytest.raises(SparkifyError, match="no more"):
        written(session, sql, name)
    assert list(Path().iterdir()) == []


def test_a_failing_answer_leaves_the_file_of_before(session: Session) -> None:
    written(session, "SELECT 1 AS a", "x.csv")
    with pytest.raises(UsageError):
        written(session, "SELECT error('no') FROM range(3)", "x.csv")
    assert [path.name for path in Path().iterdir()] == ["x.csv"]
    assert Path("x.csv").read_text() == "a\n1\n"


def test_a_failing_answer_leaves_standard_output_open(session: Session, capsys: Out) -> None:
    sql = "SELECT if(range = 90000, error('no more'), 'x') AS a FROM range(100000)"
    for form in (AnswerFormat.CSV, AnswerFormat.JSON, AnswerFormat.MARKDOWN):
        with pytest.raises(SparkifyError), session.reader(sql) as reader:
            write_answer(reader, form)
    print("still here")  # noqa: T201 -- what is tested
    assert "still here" in capsys.readouterr().out


def test_a_file_that_cannot_be_written_is_told_of(session: Session) -> None:
    Path("folder.csv").mkdir()
    with pytest.raises(SparkifyError, match=r"folder\.csv cannot be written: Is a directory$"):
        written(session, "SELECT 1", "folder.csv")
    with pytest.raises(UsageError, match=r"there is no folder /.*/nowhere; make it"):
        written(session, "SELECT 1", "nowhere/x.csv")


def test_a_terminal_is_shown_no_parquet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    with pytest.raises(UsageError, match="a terminal cannot show it"):
        chosen_format(AnswerFormat.PARQUET, None)
    assert chosen_format(AnswerFormat.PARQUET, Path("x")) is AnswerFormat.PARQUET
    monkeypatch.setattr(sys.stdout, "isatty", lambda: False)
    assert chosen_format(AnswerFormat.PARQUET, None) is AnswerFormat.PARQUET


def test_the_ending_says_the_format_unless_it_is_named() -> None:
    assert chosen_format(None, Path("X.CSV")) is AnswerFormat.CSV
    assert chosen_format(AnswerFormat.JSON, Path("x.csv")) is AnswerFormat.JSON
    assert chosen_format(None, None) is AnswerFormat.TABLE
    with pytest.raises(UsageError, match=r"x\.xlsx does not say which format"):
        chosen_format(None, Path("x.xlsx"))


@pytest.mark.parametrize("form", [AnswerFormat.CSV, AnswerFormat.MARKDOWN, AnswerFormat.JSON])
def test_a_terminal_obeys_nothing_in_the_data(
    session: Session, form: AnswerFormat, monkeypatch: pytest.MonkeyPatch, capsys: Out
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    with session.reader("SELECT chr(27) || '[2J' AS a, chr(155) || 'x' AS b") as reader:
        write_answer(reader, form)
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert "\x9b" not in out
    assert "[2J" in out


def test_names_of_columns_are_not_obeyed_either(capsys: Out) -> None:
    show_rows(pa.table({"[red]a\x1b[2J": ["turned \u202e around"]}))
    out = capsys.readouterr().out
    assert "[red]a\\x1b[2J" in out
    assert "turned \\x202e around" in out


def test_a_table_shows_the_first_rows_and_reads_no_more(session: Session, capsys: Out) -> None:
    endless = "SELECT range AS n FROM range(1000000000000)"
    with session.reader(endless) as reader:
        assert write_answer(reader, AnswerFormat.TABLE) == TABLE_ROWS
    out = capsys.readouterr().out
    assert "The first 200 rows; there are more" in out
    assert " 199 " in out
    assert " 200 " not in out.split("The first")[0]
    # The session goes on.
    assert session.table("SELECT 1 AS a").to_pylist() == [{"a": 1}]


def test_a_table_in_a_file_is_not_endless_either(session: Session) -> None:
    path = written(session, "SELECT range AS n FROM range(1000000000000)", "x.txt")
    assert "The first 10,000 rows; there are more" in path.read_text().splitlines()[-1]


def test_exactly_as_many_rows_as_are_shown_are_all(session: Session, capsys: Out) -> None:
    with session.reader(f"SELECT range AS n FROM range({TABLE_ROWS})") as reader:
        write_answer(reader, AnswerFormat.TABLE)
    assert "200 rows." in capsys.readouterr().out


def test_a_long_answer_is_never_whole_in_memory(session: Session) -> None:
    def grown(rows: int) -> int:
        """How many MiB more than before the process had at most."""
        sql = f"SELECT range AS n, 'song ' || range AS t FROM range({rows})"
        before = _megabytes("VmRSS")
        Path("/proc/self/clear_refs").write_text("5")  # the peak is measured from here
        with session.reader(sql) as reader:
            assert write_answer(reader, AnswerFormat.CSV, Path("long.csv")) == rows
        return _megabytes("VmHWM") - before

    grown(500_000)
    assert grown(5_000_000) < 60  # its rows are 100 MB of text, and more as Arrow's or Python's
    assert Path("long.csv").stat().st_size > 100_000_000


def _megabytes(name: str) -> int:
    status = Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) >> 10 for line in status.splitlines() if name in line)


def people(name: str, values: list[Any], kind: pa.DataType | None = None) -> list[str | None]:
    return for_people(name, pa.array(values, kind))


@pytest.mark.parametrize("name", ["year", "line", "user_id", "release_year", "Session_ID"])
def test_numbers_that_are_names_have_no_separators(name: str) -> None:
    assert people(name, [2018, -8052886961430251217, None]) == [
        "2018",
        "-8052886961430251217",
        None,
    ]


def test_other_numbers_have_them() -> None:
    assert people("plays", [2018, None]) == ["2,018", None]
    assert people("sum", [Decimal(12345678)]) == ["12,345,678"]
    assert people("price", [Decimal("1234.50")]) == ["1,234.50"]


def test_fractions_have_two_digits_and_small_ones_two_that_count() -> None:
    assert people("x", [1234.5, 0.0034, -0.056, 0.0, 1e-7, 2.0]) == [
        "1,234.50", "0.0034", "-0.056", "0.00", "1e-07", "2.00",
    ]  # fmt: skip
    assert people("x", [2018.0, 3.0]) == ["2,018", "3"]
    assert people("x", [float("nan"), float("inf"), 1e20, 1.5]) == ["nan", "inf", "1e+20", "1.50"]


def test_yes_and_no() -> None:
    assert people("matched", [True, False, None]) == ["yes", "no", None]


def test_moments_have_a_fraction_if_one_of_them_has() -> None:
    whole = dt.datetime(2018, 11, 15, 12, tzinfo=dt.UTC)
    kind = pa.timestamp("us", tz="UTC")
    assert people("t", [whole, None], kind) == ["2018-11-15 12:00:00", None]
    exact = whole.replace(microsecond=796_000)
    assert people("t", [whole, exact], kind) == [
        "2018-11-15 12:00:00.000", "2018-11-15 12:00:00.796",
    ]  # fmt: skip
    assert people("t", [whole.replace(microsecond=1)], kind) == ["2018-11-15 12:00:00.000001"]


def test_lists_and_structs_are_written_like_json() -> None:
    assert people("l", [["a", None], []]) == ['["a", null]', "[]"]
    assert people("s", [{"when": dt.date(2018, 11, 15), "é": 1.5}]) == [
        '{"when": "2018-11-15", "é": 1.5}'
    ]


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal of 80 columns."""
    from rich.console import Console

    monkeypatch.setattr(output, "console", Console(width=80, highlight=False))


def test_long_text_is_cut_for_people_alone(session: Session, narrow: None, capsys: Out) -> None:
    sql = "SELECT repeat('x', 500) AS a, E'1\\n2' AS b"
    with session.reader(sql) as reader:
        write_answer(reader, AnswerFormat.TABLE)
    out = capsys.readouterr().out
    assert f" {'x' * 59}… " in out
    assert "1\\n2" in out
    assert max(map(len, out.splitlines())) <= 80
    assert "x" * 500 in written(session, sql, "x.csv").read_text()
    assert "x" * 500 in written(session, sql, "x.md").read_text()


def test_few_wide_rows_stand_one_below_the_other(narrow: None, capsys: Out) -> None:
    show_rows(pa.table({f"column_{n}": ["some text", None] for n in range(12)}))
    out = capsys.readouterr().out
    assert "row 2\n  column_0   -" in out
    assert "  column_11  some text" in out
    assert "No room" not in out


def test_of_many_wide_rows_the_first_columns_are_shown(narrow: None, capsys: Out) -> None:
    show_rows(pa.table({f"column_{n}": ["some text"] * 11 for n in range(12)}))
    out = capsys.readouterr().out
    assert "column_5" in out.splitlines()[1]
    assert "No room for 6 columns: column_6, column_7," in out
    assert "CSV, JSON or Parquet has all of them." in out
    assert max(map(len, out.splitlines()[:-1])) <= 80


def test_a_plan_is_shown_as_it_is(session: Session, capsys: Out) -> None:
    with session.reader("EXPLAIN SELECT count(*) FROM time") as reader:
        write_answer(reader, AnswerFormat.TABLE)
    out = capsys.readouterr().out
    assert "\\n" not in out
    assert len(out.splitlines()) > 3
