"""What `bench` measures and compares: contenders make the same tables, or they have no figure.

The Spark scripts are run by `python -m bench` alone, which compares their rows each time.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest

from bench.__main__ import Round
from bench.contenders import CONTENDERS, Contender
from bench.inputs import Input
from bench.measure import ContenderError, Measured, measure
from bench.results import save, table
from bench.same import content, differences
from sparkify_assets.sample import Sample

SMALL = Input("S", "a little", Sample(songs=90, users=30, events=1_500, last_month="2018-12"))
_MB = 1 << 20
# A child of a child holds 200 MB and works for a second; it is not waited for.
_TREE = f"""
import subprocess, sys, time
busy = '''import time
held, end = b"x" * {200 * _MB}, time.process_time() + 1
while time.process_time() < end: pass'''
child = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {{busy!r}}])"
running = subprocess.Popen([sys.executable, "-c", child])
while running.poll() is None: time.sleep(0.05)
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Round:
    one = Round(SMALL, tmp_path_factory.mktemp("bench"))
    for name in ("sparkify", "duckdb", "polars"):
        one.run(CONTENDERS[name])
    return one


def test_scripts_make_the_rows_that_the_project_makes(made: Round) -> None:
    assert made.failures == {}
    assert {name: len(found) for name, found in made.runs.items()} == {
        "sparkify": 1, "duckdb": 1, "polars": 1,
    }  # fmt: skip
    assert all(run.files >= 7 and run.written > 10_000 for [run] in made.runs.values())


def test_who_makes_other_rows_has_no_figure(made: Round, monkeypatch: pytest.MonkeyPatch) -> None:
    script = Path(CONTENDERS["duckdb"].command(Path("a"), Path("b"))[1]).read_text()
    spoiled = script.replace("nullif(year, 0)", "year")
    assert spoiled != script
    monkeypatch.setattr(
        Contender, "command", lambda _, *places: [sys.executable, "-c", spoiled, *map(str, places)]
    )
    another = Contender("another", "Another script")
    made.run(another)
    assert "songs: 90 rows each, with other content" in made.failures.pop("another")
    assert "another" not in made.runs


def test_what_fails_is_told_with_what_it_said(made: Round, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        Contender, "command", lambda *_: [sys.executable, "-c", "raise SystemExit('no such file')"]
    )
    made.run(Contender("broken", "Broken script"))
    assert "ended with 1:\nno such file" in made.failures.pop("broken")


def test_rows_that_are_missing_are_counted(made: Round, tmp_path: Path) -> None:
    del made
    landing = SMALL.landing(tmp_path)
    command = CONTENDERS["duckdb"].command(landing, tmp_path / "one")
    measure(command, {}, tmp_path / "one", tmp_path / "log")
    shutil.copytree(tmp_path / "one", tmp_path / "two")
    next((tmp_path / "two/songplays/year=2018/month=12").glob("*.parquet")).unlink()
    one, two = content(tmp_path / "one"), content(tmp_path / "two")
    assert one["songplays"].ids == one["songplays"].rows
    assert differences(one, one) == []
    [told] = differences(one, two)
    assert told == f"songplays: {one['songplays'].rows:,} rows and {two['songplays'].rows:,}"


def test_all_that_a_command_starts_is_measured(tmp_path: Path) -> None:
    found = measure([sys.executable, "-c", _TREE], {}, tmp_path, tmp_path / "log")
    assert 200 * _MB < found.peak < 400 * _MB
    assert 0.9 < found.cpu < found.wall + 1


def test_memory_that_processes_share_counts_once(tmp_path: Path) -> None:
    forked = (
        f"import os, time; held = b'x' * {200 * _MB}\n"
        "for _ in range(4):\n    if not os.fork(): time.sleep(1.5); os._exit(0)\n"
        "for _ in range(4): os.wait()"
    )
    found = measure([sys.executable, "-c", forked], {}, tmp_path, tmp_path / "log")
    assert 200 * _MB < found.peak < 400 * _MB


def test_a_command_that_fails_is_no_measurement(tmp_path: Path) -> None:
    with pytest.raises(ContenderError, match="ended with 3"):
        measure([sys.executable, "-c", "exit(3)"], {}, tmp_path, tmp_path / "log")


def test_results_are_kept_with_medians_ratios_machine_and_a_plot(tmp_path: Path) -> None:
    def run(wall: float) -> Measured:
        return Measured(wall, 2 * wall, 10**9, 7, 10**6)

    runs = {"sparkify": [run(2), run(10), run(4)], "duckdb": [run(3)] * 3}
    path = save(tmp_path, SMALL, runs, {"polars": "other rows than sparkify"})
    text = path.read_text()
    own = "| sparkify run (embedded) | 4.0 | 1.00 | 8.0 | 1.00 GB | 7 | 1.0 MB | 2.0, 10.0, 4.0 |"
    assert own in text
    assert "| DuckDB script | 3.0 | 0.75 |" in text
    assert text.index("DuckDB script |") < text.index("sparkify run (embedded) |")
    assert "Polars script: no figure; other rows than sparkify" in text
    assert "cores" in text
    assert "duckdb " in text
    assert json.loads(path.with_suffix(".json").read_text())["duckdb"][0]["wall"] == 3
    assert path.with_suffix(".png").read_bytes()[:4] == b"\x89PNG"
    assert table({"duckdb": [run(3)]}, {}).count("DuckDB") == 1
