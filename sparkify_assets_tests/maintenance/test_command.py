"""`sparkify maintain`: what it tells, what it leaves alone, how it ends."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from sparkify_assets.cli import main
from sparkify_assets.maintenance import compact
from sparkify_assets.tables import RAW_LOGS, TABLES
from sparkify_assets_tests.maintenance.bench import Bench
from sparkify_assets_tests.maintenance.test_dead import interrupted

Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def sparkify(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Command:
    """Runs `sparkify …` on the lake of this test: exit code, output, errors."""
    monkeypatch.setenv("SPARKIFY_LANDING", str(tmp_path / "landing"))
    monkeypatch.setenv("SPARKIFY_LAKE", str(tmp_path / "lake"))

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["sparkify", *arguments])
        try:
            main()
            code = 0
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 0
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


def everything(folder: Path) -> dict[str, tuple[int, bytes]]:
    """All files below a folder: when they were written, and what is in them."""
    return {
        str(path): (path.stat().st_mtime_ns, path.read_bytes())
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_it_tells_what_it_did(sparkify: Command, bench: Bench) -> None:
    bench.many(12)
    bench.land(0, lines=3)
    bench.take_in()
    code, out, err = sparkify("maintain")
    assert code == 0
    row = next(line.split() for line in out.splitlines() if line.split()[:1] == ["raw_logs"])
    assert row[1:7] == ["13", "1", "12", "1", "0", "0"]
    assert "13 checkpoints written" in out
    assert "✓ compact 2018-11" in err
    assert "✓ remove files" in err
    assert "Nothing to put together, nothing to remove." in sparkify("maintain")[1]


def test_replaced_files_go_after_the_grace_period(
    sparkify: Command, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.many(12)
    sparkify("maintain")
    assert "Nothing to put together, nothing to remove." in sparkify("maintain")[1]
    monkeypatch.setenv("SPARKIFY_GRACE_HOURS", "0")
    assert "would be removed" in sparkify("maintain", "--dry-run")[1]
    report = json.loads(sparkify("maintain", "--format", "json")[1])
    assert report["tables"]["raw_logs"]["replaced"] == 12
    assert report["tables"]["raw_logs"]["removed_bytes"] > 0
    assert "Nothing to put together, nothing to remove." in sparkify("maintain")[1]


def test_files_of_interrupted_runs_go_after_a_day(
    sparkify: Command, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sparkify_assets.ingest import ingest

    bench.land(0)
    with monkeypatch.context() as patch:
        patch.setattr(ingest, "append", lambda *_: sys.exit(1))
        with pytest.raises(SystemExit):
            bench.take_in()
    yesterday = time.time() - 25 * 3600
    for path in Path(bench.lake.table_location(RAW_LOGS).uri).rglob("part-*.parquet"):
        os.utime(path, (yesterday, yesterday))
    report = json.loads(sparkify("maintain", "--format", "json")[1])
    assert report["tables"]["raw_logs"]["left_over"] == 1


def test_a_dry_run_changes_nothing_and_tells_the_same(
    sparkify: Command, bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.many(12)
    bench.land(0, lines=3)
    bench.take_in()
    bench.land(50)
    interrupted(bench)
    monkeypatch.setenv("SPARKIFY_GRACE_HOURS", "0")
    before = everything(tmp_path / "lake")
    versions = bench.versions()
    code, out, _ = sparkify("maintain", "--dry-run")
    planned = json.loads(sparkify("maintain", "--dry-run", "--format", "json")[1])
    assert code == 0
    assert "would be removed" in out
    assert "checkpoints would be written" in out
    assert everything(tmp_path / "lake") == before
    assert bench.versions() == versions
    done = json.loads(sparkify("maintain", "--format", "json")[1])
    for name in TABLES:
        for number in ("batches_compacted", "dead_files", "dead_rows", "files_before"):
            assert planned["tables"][name][number] == done["tables"][name][number], (name, number)
    assert done["tables"]["raw_logs"]["dead_files"] == 2
    assert planned["dry_run"] is True


def test_json_is_all_there_is_on_standard_output(sparkify: Command, bench: Bench) -> None:
    bench.many(12)
    code, out, err = sparkify("maintain", "--format", "json")
    report = json.loads(out)
    assert (code, err) == (0, "")
    assert report["tables"]["raw_logs"]["files_before"] == 12
    assert report["tables"]["raw_logs"]["checkpoint"] is True
    assert set(report["tables"]) == set(TABLES)


def test_where_there_is_no_lake_none_is_made(sparkify: Command, tmp_path: Path) -> None:
    for more in ((), ("--dry-run",), ("--format", "json")):
        code, out, _ = sparkify("maintain", *more)
        assert code == 0
        assert "There is no lake in" in out or json.loads(out)["tables"] == {}
    assert not (tmp_path / "lake").exists()


def test_what_is_wrong_is_exit_code_1_and_everything_else_is_done(
    sparkify: Command, bench: Bench
) -> None:
    bench.many(12)
    bench.many(12, "2018-12")
    snapshot = bench.lake.snapshot(RAW_LOGS)
    lost = next(p for p in snapshot.parts if p.partition["landing_month"] == "2018-11")
    Path(snapshot.location.uri, lost.path).unlink()
    code, out, err = sparkify("maintain")
    assert code == 1
    assert "left as they are: 2018-11: " in err
    assert "Everything else was done" in err
    assert "Traceback" not in err
    assert "✗ compact 2018-11 failed" in err
    assert "✓ compact 2018-12" in err
    assert "checkpoints written" in out


def test_ctrl_c_is_exit_code_130_and_says_what_becomes_of_the_rest(
    sparkify: Command, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.many(12)
    counting = bench.counting()

    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(compact, "append", interrupt)
    monkeypatch.setattr(os, "_exit", sys.exit)  # it ends the process at once
    code, _, err = sparkify("maintain")
    monkeypatch.undo()
    assert code == 130
    assert "the next `sparkify maintain` does the rest" in err
    assert bench.counting() == counting
    bench.maintain()
    assert bench.parts("raw_logs") == 1
