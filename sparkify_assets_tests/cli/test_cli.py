"""The command line: what it prints, and with which exit code it ends."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from sparkify_assets.cli import main
from sparkify_assets_tests.zone import Zone, event


class Done(NamedTuple):
    code: int
    out: str
    err: str


Sparkify = Callable[..., Done]


@pytest.fixture
def sparkify(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Sparkify:
    """Runs `sparkify …` on the landing zone and lake of this test."""
    monkeypatch.setenv("SPARKIFY_LANDING", str(tmp_path / "landing"))
    monkeypatch.setenv("SPARKIFY_LAKE", str(tmp_path / "lake"))

    def run(*arguments: str) -> Done:
        monkeypatch.setattr(sys, "argv", ["sparkify", *arguments])
        try:
            main()
            code = 0
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 0
        captured = capsys.readouterr()
        return Done(code, captured.out, captured.err)

    return run


@pytest.fixture
def data(zone: Zone) -> Zone:
    zone.logs("log_data/2018-11-15-events.json", event(), event(itemInSession=1))
    zone.write("log_data/2018-11-16-events.json", "torn {")
    zone.logs("log_data/events.json", event())
    zone.song()
    return zone


def test_run_sums_up_what_it_did(sparkify: Sparkify, data: Zone) -> None:
    done = sparkify("run")
    assert done.code == 0
    assert "3 files read, 4 lines, 1 rejected" in done.out
    assert "Plays that match a song of the catalogue: 2 (100.0%)" in done.out
    assert "log_data/events.json: its key shows no month; name it" in done.out
    assert "✓ songplays" in done.err
    assert "Nothing new" in sparkify("run").out


def test_run_as_json(sparkify: Sparkify, data: Zone) -> None:
    done = sparkify("run", "--format", "json")
    found = json.loads(done.out)
    assert found["rows"] == {"songplays": 2, "users": 1, "songs": 1, "artists": 1, "time": 1}
    assert (found["files_read"], found["lines"], found["rejected"]) == (3, 4, 1)
    assert found["matched_plays"] == 2
    assert "songplays" in found["changed"]
    assert set(found["seconds_by_step"]) >= {"raw_logs", "songplays", "time"}
    again = json.loads(sparkify("run", "--format", "json").out)
    assert (again["files_read"], again["changed"], again["run_ids"]) == (0, [], [])


def test_dry_run_tells_and_does_nothing(sparkify: Sparkify, data: Zone, tmp_path: Path) -> None:
    done = sparkify("run", "--dry-run")
    assert done.code == 0
    assert "2018-11" in done.out
    assert not (tmp_path / "lake").exists()
    plan = json.loads(sparkify("run", "--dry-run", "--format", "json").out)
    assert {(one["file"], one["why"]) for one in plan["files"]} == {
        ("log_data/2018-11-15-events.json", "new"),
        ("log_data/2018-11-16-events.json", "new"),
        ("song_data/A/B/C/TRSOZCTXZ12AB0182364.json", "new"),
    }
    sparkify("run")
    assert "Nothing to do" in sparkify("run", "--dry-run").out


def test_status_before_and_after(sparkify: Sparkify, data: Zone) -> None:
    assert "There is no lake in" in sparkify("status").out
    sparkify("run")
    found = json.loads(sparkify("status", "--format", "json").out)
    tables = {table["name"]: table for table in found["tables"]}
    assert tables["songplays"]["rows"] == 2
    assert tables["songplays"]["months"] == 1
    assert (found["files_landed"], found["files_pending"], found["rejected"]) == (3, 0, 1)
    assert found["not_loaded"][0]["file"] == "log_data/events.json"
    data.logs("log_data/2018-11-17-events.json", event(sessionId=2))
    assert "1 file pending" in sparkify("status").out
    data.delete("log_data/2018-11-15-events.json")
    assert "1 gone" in sparkify("status").out


def test_status_without_a_landing_zone_still_shows_the_lake(sparkify: Sparkify, data: Zone) -> None:
    sparkify("run")
    data.root.rename(data.root.with_name("elsewhere"))
    done = sparkify("status")
    assert done.code == 0
    assert "songplays" in done.out
    assert "there is no folder" in done.out


def test_rejects(sparkify: Sparkify, data: Zone) -> None:
    sparkify("run")
    assert "torn {" in sparkify("rejects").out
    found = json.loads(sparkify("rejects", "--format", "json").out)
    assert found == [
        {
            "source_file": "log_data/2018-11-16-events.json",
            "line": 1,
            "reason": "not JSON: Expecting value at character 1",
            "text": "torn {",
        }
    ]
    assert "No line was rejected" in sparkify("rejects", "--file", "2018-11-15").out


def test_demo_ends_with_the_most_played_songs(sparkify: Sparkify) -> None:
    done = sparkify("demo", "--dir", "demo")
    assert done.code == 0
    assert "sparkify ask top-songs --limit 5" in done.out
    assert "listeners" in done.out
    assert "Nothing new" in sparkify("demo", "--dir", "demo").out


def test_sample_says_what_it_made(sparkify: Sparkify) -> None:
    done = sparkify("sample", "out", "--songs", "5", "--events", "300", "--bad-lines", "2")
    assert done.code == 0
    assert "5 songs" in done.out
    assert "2 of them bad" in done.out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "--month", "2018-13"], "--month: found '2018-13', expected a month as YYYY-MM"),
        (["run", "--month", "1999-01"], "--month: 1999-01 is outside the configured months"),
        (["run", "--engine", "flink"], "SPARKIFY_ENGINE: found 'flink'"),
        (["run", "--engine", "spark://far.example:7077"], "cannot see the folder"),
        (["run", "--lake", "s3://Bucket_/lake"], "SPARKIFY_LAKE: found 's3://Bucket_/lake'"),
        (["sample", "x", "--first-month", "soon"], "--first-month: found 'soon'"),
        (["sample", "x", "--last-month", "2001-01"], "lies before the first month"),
        (["sample", "x", "--layout", "round"], "--layout: found 'round'"),
        (["run", "--nonsense"], "No such option"),
    ],
)
def test_wrong_use_is_one_message_and_exit_code_2(
    sparkify: Sparkify, data: Zone, tmp_path: Path, arguments: list[str], message: str
) -> None:
    done = sparkify(*arguments)
    assert done.code == 2
    assert message in done.err
    assert "Traceback" not in done.err
    assert not (tmp_path / "lake").exists()


def test_a_missing_or_empty_landing_zone_is_exit_code_1_and_writes_nothing(
    sparkify: Sparkify, tmp_path: Path
) -> None:
    done = sparkify("run")
    assert done.code == 1
    assert "SPARKIFY_LANDING: there is no folder" in done.err
    Zone(tmp_path / "landing")
    done = sparkify("run")
    assert done.code == 1
    assert "holds no song or log file" in done.err
    assert not (tmp_path / "lake").exists()


def test_a_lake_that_cannot_be_written_is_exit_code_1(
    sparkify: Sparkify, data: Zone, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    done = sparkify("run", "--lake", str(tmp_path / "file" / "lake"))
    assert done.code == 1
    assert "cannot be written" in done.err
    assert "Traceback" not in done.err


def test_no_java_names_the_two_ways_out(
    sparkify: Sparkify, data: Zone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", os.path.dirname(sys.executable))  # noqa: PTH120
    done = sparkify("run", "--engine", "local[2]")
    assert done.code == 1
    assert "no Java was found. Install it" in done.err
    assert "SPARKIFY_ENGINE=embedded" in done.err


def test_a_file_that_cannot_be_read_does_not_stop_the_others(
    sparkify: Sparkify, data: Zone, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sparkify_assets.ingest.landing_folder import FolderLanding

    blocks = FolderLanding.blocks

    def refuse(self: FolderLanding, file: Any) -> Any:
        if "2018-11-16" in file.key:
            raise PermissionError(13, "Permission denied")
        yield from blocks(self, file)

    monkeypatch.setattr(FolderLanding, "blocks", refuse)
    done = sparkify("run")
    assert done.code == 1
    assert "1 landing file cannot be read, for example log_data/2018-11-16" in done.err
    assert "Permission denied" in done.err
    assert "Traceback" not in done.err
    found = json.loads(sparkify("run", "--format", "json").out)
    assert found["rows"]["songplays"] == 2
    assert found["unreadable"] == {"log_data/2018-11-16-events.json": "Permission denied"}
    monkeypatch.undo()


def test_a_summary_reads_nothing_that_the_run_has_replaced(
    sparkify: Sparkify, zone: Zone, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a run that takes longer than the grace period, what it replaced is gone at its end."""
    monkeypatch.setenv("SPARKIFY_GRACE_HOURS", "0")
    zone.logs("log_data/2018-11-15-events.json", event())
    assert "1 file read" in sparkify("run").out
    zone.logs("log_data/2018-11-15-events.json", event(), event(itemInSession=1))
    done = sparkify("run")
    assert done.code == 0
    assert "1 file read, 2 lines" in done.out


def test_rows_that_are_removed_are_told(
    sparkify: Sparkify, data: Zone, monkeypatch: pytest.MonkeyPatch
) -> None:
    sparkify("run")
    data.delete("log_data/2018-11-16-events.json")
    data.logs("log_data/2018-11-17-events.json", event(sessionId=2))
    assert "1 landed file gone; their rows are kept" in sparkify("run").out
    monkeypatch.setenv("SPARKIFY_ON_DELETE", "remove")
    monkeypatch.setenv("SPARKIFY_CONFIRM_REMOVE", "true")
    assert "1 file gone: their rows were removed" in sparkify("run").out


def test_a_lake_that_became_read_only_says_so(
    sparkify: Sparkify, data: Zone, monkeypatch: pytest.MonkeyPatch
) -> None:
    sparkify("run")
    monkeypatch.setattr(os, "access", lambda *_: False)
    done = sparkify("run")
    assert done.code == 1
    assert "SPARKIFY_LAKE: the lake" in done.err
    assert "Permission denied" in done.err


def test_a_flag_goes_before_a_wrong_setting(
    sparkify: Sparkify, data: Zone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPARKIFY_ENGINE", "flink")
    assert sparkify("run").code == 2
    assert sparkify("run", "--engine", "embedded").code == 0


def test_an_engine_where_nobody_listens_says_so_soon(sparkify: Sparkify, data: Zone) -> None:
    done = sparkify("run", "--engine", "sc://127.0.0.1:1")
    assert done.code == 1
    assert "nothing answers at 127.0.0.1:1" in done.err


def test_codes_in_rejected_lines_do_not_reach_the_terminal(sparkify: Sparkify, data: Zone) -> None:
    data.write("log_data/2018-11-17-events.json", "\x1b]0;owned\x07 \x1b[31m")
    sparkify("run")
    shown = sparkify("rejects").out
    assert "\\x1b]0;owned" in shown
    assert "\x1b" not in shown


def test_rejects_as_json_are_all_of_them(sparkify: Sparkify, data: Zone) -> None:
    data.write("log_data/2018-11-17-events.json", "torn\n" * 120)
    sparkify("run")
    assert len(json.loads(sparkify("rejects", "--format", "json").out)) == 121
    assert len(json.loads(sparkify("rejects", "--format", "json", "--limit", "5").out)) == 5
    assert "and 71 more" in sparkify("rejects").out
