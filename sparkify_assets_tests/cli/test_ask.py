"""`sparkify ask`: the list, help, answers, and what is told of a wrong question."""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from sparkify_assets.analytics.question import all_questions
from sparkify_assets.cli import main
from sparkify_assets_tests.analytics.recorded import loaded
from sparkify_assets_tests.zone import Zone, event

Ask = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lake with three plays in 2018-11, one in 2019-01 and none between."""
    folder = tmp_path_factory.mktemp("asked")
    zone = Zone(folder / "landing")
    zone.song()
    zone.logs(
        "log_data/2018-11-15-events.json",
        event(),
        event(itemInSession=1, song="Undo", artist="Björk"),
        event(itemInSession=2, song="Undo", artist="Björk", userId="16"),
    )
    zone.logs("log_data/2019-01-15-events.json", event("2019-01-15 12:00:00", sessionId=2))
    loaded(folder / "landing", folder / "lake", "2018-11", "2019-01")
    return folder / "lake"


@pytest.fixture
def ask(asked: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Ask:
    """Runs `sparkify ask …`: exit code, standard output, standard error."""
    monkeypatch.setenv("SPARKIFY_LAKE", str(asked))
    monkeypatch.setattr("sparkify_assets.cli.output.console.width", 160)

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["sparkify", "ask", *arguments])
        try:
            main()
            code = 0
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 0
        return code, *capsys.readouterr()

    return run


def test_without_a_name_it_lists_the_questions(ask: Ask) -> None:
    code, out, _ = ask()
    assert code == 0
    for question in all_questions():
        line = next(one for one in out.splitlines() if f" {question.name} " in one)
        assert question.title in line
        assert all(f"--{name}" in line for name in question.parameters)


def test_an_answer_has_the_title_above_and_the_release_below(ask: Ask) -> None:
    code, out, err = ask("top-songs", "--month", "2018-11", "--limit=1")
    assert code == 0, err
    lines = [" ".join(line.split()) for line in out.splitlines() if line.strip()]
    assert lines[0] == "Most played songs, 2018-11"
    assert lines[1] == "song artist plays listeners"
    assert lines[3] == "Undo Björk 2 2"
    assert lines[4] == "1 row."
    assert lines[5].startswith("release 1 of ")
    assert err == ""


def test_formats_hold_the_answer_alone(ask: Ask, tmp_path: Path) -> None:
    expected = [["Setanta matins", "Elena", "2", "1"], ["Undo", "Björk", "2", "2"]]
    _, out, _ = ask("top-songs", "--format", "csv")
    assert list(csv.reader(io.StringIO(out)))[1:] == expected
    _, out, _ = ask("top-songs", "--format", "json")
    assert [[str(v) for v in row.values()] for row in json.loads(out)] == expected
    code, out, _ = ask("top-songs", "--output", str(tmp_path / "top.parquet"))
    assert (code, out) == (0, "")
    found = pq.ParquetFile(tmp_path / "top.parquet").read().to_pylist()
    assert [[str(v) for v in row.values()] for row in found] == expected


def test_help_tells_of_the_question(ask: Ask) -> None:
    code, out, _ = ask("top-songs", "--help")
    assert code == 0
    lines = [" ".join(line.split()) for line in out.splitlines()]
    assert lines[0] == "Most played songs"
    assert "The songs with most plays" in out
    assert "--month month all months Only plays of this month." in lines
    assert "--limit integer 10 How many songs." in lines
    code, out, _ = ask("--help")
    assert code == 0
    assert "--format" in out


def test_a_month_without_plays_names_those_with_plays(ask: Ask) -> None:
    code, out, err = ask("top-songs", "--month", "2018-12", "--format", "json")
    assert (code, json.loads(out)) == (0, [])
    assert "No plays in 2018-12; there are plays in 2018-11, 2019-01." in err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("top-song",), "top-song: there is no such question; did you mean top-songs"),
        (("top-songs", "--mont", "2018-11"), "--mont: top-songs has no such parameter"),
        (("monthly-active-users", "--month=2018-11"), "it has none"),
        (("top-songs", "--limit"), "--limit: a value is missing"),
        (("top-songs", "--limit", "--month"), "--limit: a value is missing"),
        (("top-songs", "--limit", "3", "--limit=4"), "--limit: given twice"),
        (("top-songs", "--limit", "x"), "--limit: found 'x', expected a whole number"),
        (
            ("before-level-changes", "--change", "up"),
            "--change: found 'up', expected one of upgrade, downgrade",
        ),
        (("top-songs", "2018-11"), "'2018-11': expected --name value; it has --month, --limit"),
        (("--limit", "3"), "--limit: an option before the question"),
        (("top-songs", "--at", "yesterday"), "--at: found 'yesterday', expected a time"),
    ],
)
def test_wrong_use_is_told(ask: Ask, arguments: tuple[str, ...], told: str) -> None:
    code, out, err = ask(*arguments)
    assert (code, out) == (2, "")
    assert told in " ".join(err.split())


def test_a_moment_before_the_first_release(ask: Ask) -> None:
    code, _, err = ask("top-songs", "--at", "2001-01-01")
    assert code == 1
    assert "no release of 2001-01-01" in err
    code, out, _ = ask("top-songs", "--at", "2999-01-01 12:00", "--format", "csv")
    assert code == 0
    assert "Undo" in out


def test_a_lake_without_a_release(ask: Ask, tmp_path: Path) -> None:
    code, _, err = ask("top-songs", "--lake", str(tmp_path / "none"))
    assert code == 1
    assert "`sparkify run` records one" in " ".join(err.split())
