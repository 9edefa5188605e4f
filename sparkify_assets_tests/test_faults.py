"""Runs that are killed, and runs at the same time: nothing lost, doubled or half-seen.

On real input where there is some, and else on a sample.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest
from dagster import DagsterRunStatus

from sparkify_assets.lake.lake import Lake
from sparkify_assets.refresh.instance import open_instance
from sparkify_assets.sample import Sample, write_sample
from sparkify_assets.tables import PUBLIC
from sparkify_assets_tests import processes
from sparkify_assets_tests.processes import tables

KILLS = 10


@pytest.fixture(scope="module")
def landing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    real = os.environ.get("SPARKIFY_REAL_DATA", "")
    if (Path(real) / "log_data").is_dir():
        return Path(real).absolute()
    folder = tmp_path_factory.mktemp("sample")
    write_sample(folder, Sample(bad_lines=5))
    return folder


@pytest.fixture(scope="module")
def undisturbed(
    landing: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[dict[str, list[tuple[object, ...]]], float]:
    """The tables of a run that nothing happens to, and how many seconds it takes."""
    lake = tmp_path_factory.mktemp("undisturbed") / "lake"
    started = time.monotonic()
    processes.run(landing, lake)
    return tables(lake), time.monotonic() - started


@pytest.mark.parametrize("kill", range(KILLS))
def test_a_run_that_was_killed_is_completed_by_the_next(
    landing: Path,
    undisturbed: tuple[dict[str, list[tuple[object, ...]]], float],
    tmp_path: Path,
    kill: int,
) -> None:
    expected, seconds = undisturbed
    lake = tmp_path / "lake"
    process = processes.start("run", "--landing", str(landing), "--lake", str(lake))
    # One moment in each tenth of a run, at random within it.
    share = (kill + random.Random(kill).random()) / KILLS
    try:
        process.wait(timeout=seconds * share)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    process.communicate()
    seen = _rows_now(lake)
    assert all(rows in ([], expected[name]) for name, rows in seen.items())
    processes.run(landing, lake)
    assert tables(lake) == expected


@pytest.mark.parametrize("kill", range(4))
def test_a_run_that_was_killed_while_it_replaced_rows(
    landing: Path,
    undisturbed: tuple[dict[str, list[tuple[object, ...]]], float],
    tmp_path: Path,
    kill: int,
) -> None:
    """A reader sees the rows from before the change or from after it, in every table."""
    before, seconds = undisturbed
    changed, lake = tmp_path / "landing", tmp_path / "lake"
    shutil.copytree(landing, changed)
    processes.run(changed, lake)
    file = sorted(path for path in changed.rglob("log_data/**/*.json"))[3]
    file.write_text(file.read_text().replace('"level":"free"', '"level":"paid"'))
    process = processes.start("run", "--landing", str(changed), "--lake", str(lake))
    try:
        process.wait(timeout=seconds * (0.6 + 0.1 * kill))
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    seen = tables(lake)
    processes.run(changed, lake)
    after = tables(lake)
    assert after["songplays"] != before["songplays"]
    assert all(rows in (before[name], after[name]) for name, rows in seen.items())
    fresh = tmp_path / "fresh"
    processes.run(changed, fresh)
    assert tables(fresh) == after


def _rows_now(lake: Path) -> dict[str, list[tuple[object, ...]]]:
    """What a reader sees of the tables that are there."""
    there = [table for table in PUBLIC if Lake.at(str(lake)).exists(table)]
    if len(there) < len(PUBLIC):
        assert all(Lake.at(str(lake)).snapshot(table).rows == 0 for table in there)
        return {}
    return tables(lake)


def test_two_runs_at_once_both_end_well(
    landing: Path,
    undisturbed: tuple[dict[str, list[tuple[object, ...]]], float],
    tmp_path: Path,
) -> None:
    lake = tmp_path / "lake"
    arguments = ("run", "--landing", str(landing), "--lake", str(lake), "--format", "json")
    both = [processes.start(*arguments) for _ in range(2)]
    for process in both:
        processes.finish(process)
    assert tables(lake) == undisturbed[0]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_ends_at_once_and_dagster_knows(
    landing: Path,
    undisturbed: tuple[dict[str, list[tuple[object, ...]]], float],
    tmp_path: Path,
    number: signal.Signals,
) -> None:
    lake = tmp_path / "lake"
    process = processes.start("run", "--landing", str(landing), "--lake", str(lake))
    assert process.stderr is not None
    process.stderr.readline()  # the first step is done
    process.send_signal(number)
    _, err = process.communicate(timeout=20)
    assert process.returncode == 130
    assert "the next `sparkify run` completes the rest" in err
    with open_instance() as instance:
        runs = [run for run in instance.get_runs() if run.tags["sparkify/lake"] == str(lake)]
    assert [run.status for run in runs] == [DagsterRunStatus.CANCELED]
    processes.run(landing, lake)
    assert tables(lake) == undisturbed[0]


def test_the_runs_of_killed_processes_are_closed_by_the_next_run(
    landing: Path, tmp_path: Path
) -> None:
    lake = tmp_path / "lake"
    process = processes.start("run", "--landing", str(landing), "--lake", str(lake))
    assert process.stderr is not None
    process.stderr.readline()
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    processes.run(landing, lake)
    with open_instance() as instance:
        runs = [run for run in instance.get_runs() if run.tags["sparkify/lake"] == str(lake)]
    assert [run.status for run in runs] == [DagsterRunStatus.SUCCESS, DagsterRunStatus.FAILURE]
