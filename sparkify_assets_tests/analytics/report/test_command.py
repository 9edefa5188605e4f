"""`sparkify report`: what it makes, says, copies and opens."""

from __future__ import annotations

import sys
import webbrowser
from collections.abc import Callable
from pathlib import Path

import pytest

from sparkify_assets.analytics.report.write import read_report
from sparkify_assets.cli import main
from sparkify_assets.lake.lake import Lake

Sparkify = Callable[..., tuple[int, str]]


@pytest.fixture
def sparkify(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Sparkify:
    """Runs `sparkify report …`; gives the exit code and what it prints."""

    def run(*arguments: str) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["sparkify", "report", *arguments])
        try:
            main()
            code = 0
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 0
        captured = capsys.readouterr()
        return code, captured.out + captured.err

    return run


def test_it_is_of_the_newest_month_and_says_where_it_is(
    sparkify: Sparkify, small_lake: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []

    def opens(url: str) -> bool:
        opened.append(url)
        return True

    monkeypatch.setattr(webbrowser, "open", opens)
    lake = ["--lake", small_lake.location.uri]
    code, said = sparkify(*lake)
    assert code == 0
    assert f"{small_lake.location.uri}/_reports/listening/2018-12.html: " in said
    assert "up to date, from release 1" in sparkify(*lake)[1]
    assert opened == []
    copy = tmp_path / "page.html"
    assert sparkify(*lake, "--output", str(copy), "--open")[0] == 0
    assert copy.read_bytes() == read_report(small_lake, "2018-12")
    assert opened == [copy.as_uri()]


def test_without_a_browser_it_says_where_to_look(
    sparkify: Sparkify, small_lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webbrowser, "open", lambda _url: False)
    code, said = sparkify("--lake", small_lake.location.uri, "--open")
    assert code == 0
    assert f"the page is at file://{small_lake.location.uri}" in said


def test_what_is_wrong_is_told(sparkify: Sparkify, small_lake: Lake, tmp_path: Path) -> None:
    lake = ["--lake", small_lake.location.uri]
    assert sparkify("--month", "2018-13", *lake) == (
        2, "error: --month: found '2018-13', expected a month as YYYY-MM\n",
    )  # fmt: skip
    code, said = sparkify("--lake", str(tmp_path / "none"))
    assert (code, "has no release to read from yet; `sparkify run`" in said) == (1, True)
    code, said = sparkify(*lake, "--output", str(tmp_path / "no" / "page.html"))
    assert (code, f"--output: there is no folder {tmp_path}/no;" in said) == (2, True)
