"""Dot commands, and files of statements."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from sparkify_assets.cli.answer import AnswerFormat
from sparkify_assets.cli.shell.commands import COMMANDS
from sparkify_assets.cli.shell.pieces import Piece
from sparkify_assets.cli.shell.shell import Left, ScriptError, Shell
from sparkify_assets.errors import UsageError
from sparkify_assets.lake.lake import Lake
from sparkify_assets.tables import TIME
from sparkify_assets_tests.cli.shell.conftest import release
from sparkify_assets_tests.lake.helpers import put

Out = pytest.CaptureFixture[str]
OutBytes = pytest.CaptureFixture[bytes]


def do(shell: Shell, *texts: str) -> None:
    for text in texts:
        shell.run(Piece(text, 1))


def test_help_names_every_command(shell: Shell, capsys: Out) -> None:
    do(shell, ".help")
    out = capsys.readouterr().out
    assert all(name in out for name in COMMANDS)


def test_tables_are_listed_with_what_they_are(shell: Shell, capsys: Out) -> None:
    do(shell, ".tables")
    out = capsys.readouterr().out
    assert "One row per song that a user played" in out
    assert "raw_logs" not in out
    do(shell, ".tables all")
    assert "raw_logs" in capsys.readouterr().out


def test_describe_tells_types_and_meanings(shell: Shell, capsys: Out) -> None:
    do(shell, ".describe TIME")
    out = capsys.readouterr().out
    assert "time, a table" in out
    assert "TIMESTAMP" in out
    assert "ISO week of the year, 1 to 53." in out


def test_every_relation_can_be_described(shell: Shell) -> None:
    from sparkify_assets.analytics.relations import RELATIONS

    do(shell, *[f".describe {name}" for name in RELATIONS])


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (".tabels", r"there is no \.tabels; did you mean \.tables\?"),
        (".nonsense", r"there is no \.nonsense; \.help lists"),
        (".describe song_plays", "did you mean songplays"),
        (".describe", "expected the name"),
        (".format xml", "found 'xml', expected one of table, csv, json, markdown"),
        (".format parquet", r"\.output FILE\.parquet"),
        (".pin maybe", "found 'maybe', expected on or off"),
        (".release now", "takes nothing"),
        (".tables some", "expected nothing or all"),
        (".read nowhere.sql", "nowhere.sql cannot be read: No such file"),
        (".output nowhere/x.csv", "is in no folder that is there"),
        (".output .", "is a folder"),
    ],
)
def test_what_makes_no_sense_is_told_with_the_way_out(shell: Shell, text: str, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        do(shell, text)


def test_format_holds_for_the_next_answers(shell: Shell, capsys: Out) -> None:
    do(shell, ".format markdown")
    assert shell.form is AnswerFormat.MARKDOWN
    do(shell, ".format")
    assert "markdown; others: table, csv, json" in capsys.readouterr().out


def test_answers_go_into_a_file_until_output_alone(shell: Shell, capsys: Out) -> None:
    do(shell, ".output days.csv", "SELECT day FROM time ORDER BY day", "SELECT 7 AS week")
    assert Path("days.csv").read_text() == "day\n1\n2\n3\nweek\n7\n"
    assert capsys.readouterr().out == ""
    do(shell, ".output", "SELECT 42 AS answer")
    assert "42" in capsys.readouterr().out
    # Named again, the file begins anew.
    do(shell, ".output days.csv", "SELECT 1 AS one")
    assert Path("days.csv").read_text() == "one\n1\n"


def test_a_parquet_file_holds_one_answer(shell: Shell) -> None:
    import pyarrow.parquet as pq

    do(shell, ".output days.parquet", "SELECT day FROM time ORDER BY day")
    with pytest.raises(UsageError, match="no room for a second"):
        do(shell, "SELECT 1")
    assert pq.read_table("days.parquet").to_pydict() == {"day": [1, 2, 3]}


def test_into_a_pipe_parquet_goes_once(shell: Shell, capfdbinary: OutBytes) -> None:
    import pyarrow.parquet as pq

    shell.form = AnswerFormat.PARQUET
    do(shell, "SELECT day FROM time ORDER BY day")
    with pytest.raises(UsageError, match="the output holds an answer; Parquet has no room"):
        do(shell, "SELECT 1")
    written = pa.BufferReader(capfdbinary.readouterr().out)
    assert pq.read_table(written).to_pydict() == {"day": [1, 2, 3]}


def test_a_failing_answer_leaves_the_file_as_it_was(shell: Shell) -> None:
    do(shell, ".output days.csv", "SELECT 1 AS one")
    with pytest.raises(UsageError):
        do(shell, "SELECT error('no') FROM time")
    assert Path("days.csv").read_text() == "one\n1\n"
    assert sorted(path.name for path in Path().iterdir()) == ["days.csv"]


def test_each_statement_sees_the_newest_release_unless_pinned(
    shell: Shell, released: Lake, capsys: Out
) -> None:
    shell.talks = True
    count = "SELECT count(*) AS n FROM time"
    do(shell, count)
    assert "went on" not in capsys.readouterr().out
    put(released, released.snapshot(TIME), 2, "2018-12", [1])
    second = release(released)
    do(shell, ".pin on", count)
    assert shell.session.release.number == 1
    assert "3" in capsys.readouterr().out
    do(shell, ".pin off", count)
    out = capsys.readouterr().out
    assert f"The lake went on to {second}." in out
    assert "4" in out


def test_release_tells_number_and_versions(shell: Shell, capsys: Out) -> None:
    do(shell, ".release")
    out = capsys.readouterr().out
    assert f"reads {shell.session.release}" in out
    assert "songplays" in out


def test_timer(shell: Shell, capsys: Out) -> None:
    shell.talks = True
    do(shell, "SELECT 1 AS one")
    assert " ms." in capsys.readouterr().out
    do(shell, ".timer off", "SELECT 1 AS one")
    assert "1 row." in capsys.readouterr().out


def test_a_file_runs_up_to_the_first_error_and_tells_the_line(shell: Shell, capsys: Out) -> None:
    Path("all.sql").write_text("SELECT 'a' AS x;\n\nSELECT nope\nFROM time;\nSELECT 'b' AS y;\n")
    with pytest.raises(ScriptError, match=r"all\.sql, line 3: .*nope") as found:
        do(shell, ".read all.sql")
    assert found.value.exit_code == 2
    assert "LINE 1: SELECT nope" in str(found.value)  # and the place below it
    out = capsys.readouterr().out
    assert "x" in out
    assert "y" not in out


def test_a_file_that_reads_itself_ends(shell: Shell) -> None:
    Path("again.sql").write_text(".read again.sql")
    with pytest.raises(ScriptError, match="read by a file that it reads itself"):
        do(shell, ".read again.sql")
    assert shell.depth == 0


def test_exit_leaves(shell: Shell) -> None:
    with pytest.raises(Left):
        do(shell, ".exit")
