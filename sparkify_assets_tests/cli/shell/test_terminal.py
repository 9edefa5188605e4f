"""The shell as a process: typed at a terminal, and fed from a pipe."""

from __future__ import annotations

import json
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from prompt_toolkit import PromptSession
from prompt_toolkit.history import InMemoryHistory
from prompt_toolkit.input import PipeInput, create_pipe_input
from prompt_toolkit.output import DummyOutput

from sparkify_assets.cli.shell.history import KeptHistory, history_file
from sparkify_assets.cli.shell.terminal import prompt_session
from sparkify_assets.lake.lake import Lake
from sparkify_assets_tests.cli.shell.terminal import Terminal
from sparkify_assets_tests.processes import start

_COMMAND = [sys.executable, "-c", "from sparkify_assets.cli import command; command()", "sql"]
_ENDLESS = "SELECT count(*) FROM range(10000000) a, range(10000000) b;\r"
_PROMPT = "sparkify>"


def test_somebody_at_a_terminal(released: Lake, tmp_path: Path) -> None:
    state = tmp_path / "state"
    with Terminal(released.location.uri, state) as terminal:
        banner = terminal.wait_for(_PROMPT)
        assert f"{released.location.uri}, release 1 of " in banner
        assert ".help helps" in banner
        # A statement over two lines.
        terminal.type("SELECT day,\r")
        terminal.wait_for(r"\.\.\.> ")
        terminal.type("month FROM time ORDER BY day;\r")
        answer = terminal.wait_for(r"3 rows, \d+ ms\.")
        assert "1      11" in answer
        # An error is shown, and the shell goes on.
        terminal.type("SELECT nope FROM time;\r")
        assert "time\n               ^^^^" in terminal.wait_for(r"error: .*\^\^\^\^")
        # Ctrl-C stops a query, and nothing else.
        terminal.wait_for(_PROMPT)
        terminal.type(_ENDLESS)
        terminal.wait_until_it_works()
        with pytest.raises(AssertionError, match="not shown"):
            terminal.wait_for("stopped|error|row", seconds=1)
        terminal.type("\x03")
        terminal.wait_for("stopped")
        terminal.type("SELECT 40 + 2 AS answer;\r")
        terminal.wait_for(r"answer .* 42 .*1 row")
        # At the prompt it drops the line.
        terminal.wait_for(_PROMPT)
        terminal.type("SELECT dropped\x03")
        terminal.type("SELECT 'after' AS it;\r")
        terminal.wait_for(r"it .* after .*1 row")
        # Nothing from the data is obeyed, in whatever format.
        terminal.type("SELECT chr(27) || '[31mred' AS x;\r")
        terminal.wait_for(r"\\x1b\[31mred .*1 row")
        terminal.type(".format csv\rSELECT chr(27) || '[31mred' AS x;\r")
        terminal.wait_for(r"\nx\n\\x1b\[31mred\n1 row")
        terminal.type("SELECT error(chr(27) || '[31mred');\r")
        terminal.wait_for(r"error: .*\\x1b\[31mred")
        terminal.wait_for(_PROMPT)
        terminal.type("\x04")
        assert terminal.end() == 0
        assert "\x1b[31mred" not in terminal.raw
    kept = state / "sparkify" / "sql_history"
    assert "+month FROM time ORDER BY day;" in kept.read_text()
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600


def test_a_history_that_cannot_be_written_is_done_without(released: Lake, tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.write_text("a file, where the folder should be")
    with Terminal(released.location.uri, state) as terminal:
        terminal.wait_for(r"What you type is not kept for the next time: Not a directory\.")
        terminal.wait_for(_PROMPT)
        terminal.type("SELECT 40 + 2 AS answer;\r")
        terminal.wait_for("1 row")
        terminal.wait_for(_PROMPT)
        terminal.type("exit\r")
        assert terminal.end() == 0


def piped(lake: Lake, text: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*_COMMAND, "--lake", lake.location.uri, *arguments],
        input=text, text=True, capture_output=True, timeout=60, check=False,
    )  # fmt: skip


def test_a_pipe_runs_all_statements_in_order(released: Lake) -> None:
    done = piped(
        released,
        "-- days;\nSELECT day FROM time\nORDER BY day; SELECT ';' AS x;\n.release\nSELECT 7 AS y",
        "--format", "json",
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    days, rest = done.stdout.split("]", 1)
    assert json.loads(f"{days}]") == [{"day": 1}, {"day": 2}, {"day": 3}]
    order = [rest.index(text) for text in ('{"x": ";"}', "release 1 of", '{"y": 7}')]
    assert order == sorted(order)
    assert "sparkify>" not in done.stdout


def test_a_pipe_stops_at_the_first_error_with_exit_code_2(released: Lake) -> None:
    done = piped(released, "SELECT 1 AS a;\nSELECT nope\n;\nSELECT 2 AS b;\n", "--format", "csv")
    assert done.returncode == 2
    assert done.stdout == "a\n1\n"
    assert done.stderr.startswith("error: line 2: Binder Error")
    assert "LINE 1: SELECT nope\n               ^" in done.stderr


def test_what_changes_something_is_refused(released: Lake) -> None:
    done = piped(released, "DROP TABLE time;")
    assert done.returncode == 2
    assert "refused: DROP" in done.stderr


def test_a_lake_without_a_release_is_told_of(lake: Lake) -> None:
    process = start("sql", "--lake", lake.location.uri)
    _, told = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "has no release to read from yet" in told


@pytest.fixture
def keys() -> Iterator[PipeInput]:
    with create_pipe_input() as source:
        yield source


def prompt(keys: PipeInput) -> PromptSession[str]:
    return prompt_session(InMemoryHistory(), keys, DummyOutput())


def test_enter_goes_on_until_the_statement_ends(keys: PipeInput) -> None:
    keys.send_text("SELECT ';'\r-- and;\r, 2;\r")
    assert prompt(keys).prompt() == "SELECT ';'\n-- and;\n, 2;"


def test_escape_and_enter_run_what_there_is(keys: PipeInput) -> None:
    keys.send_text("SELECT 1\x1b\r")
    assert prompt(keys).prompt() == "SELECT 1"


def test_a_command_needs_no_semicolon(keys: PipeInput) -> None:
    keys.send_text(".tables\r")
    assert prompt(keys).prompt() == ".tables"


def test_ctrl_d_leaves_only_an_empty_line(keys: PipeInput) -> None:
    keys.send_text("\x04")
    with pytest.raises(EOFError):
        prompt(keys).prompt()


def test_ctrl_c_drops_the_line(keys: PipeInput) -> None:
    keys.send_text("SELECT\x03")
    with pytest.raises(KeyboardInterrupt):
        prompt(keys).prompt()


def test_history_comes_back_and_is_for_its_owner_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    path = history_file()
    assert path == tmp_path / "state" / "sparkify" / "sql_history"
    KeptHistory(path).append_string("SELECT 1,\n2;")
    path.chmod(0o644)  # as somebody may have left it
    assert list(KeptHistory(path).load_history_strings()) == ["SELECT 1,\n2;"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    monkeypatch.setenv("XDG_STATE_HOME", "relative")
    assert history_file() == Path.home() / ".local/state/sparkify/sql_history"


def test_a_history_that_is_gone_meanwhile_is_no_error(tmp_path: Path) -> None:
    history = KeptHistory(tmp_path / "sparkify" / "history")
    (tmp_path / "sparkify" / "history").unlink()
    (tmp_path / "sparkify").rmdir()
    history.append_string("SELECT 1")
    assert list(history.load_history_strings()) == []
