"""The forecast goes by the rules of a run, and its help tells how it counts."""

from __future__ import annotations

import json
import math

import pytest
from typer.testing import CliRunner

from sparkify_assets.cli import app
from sparkify_assets.cluster.forecast import MEASURED, Load, forecast
from sparkify_assets.ingest.files import LandingFile
from sparkify_assets.ingest.ingest import tasks_of
from sparkify_assets.lake.writers import ROWS_PER_FILE

MONTH = Load(2_000_000_000, users=20_000_000, songs=5_000_000)
_MB = 1 << 20


def _files(*sizes: int) -> list[LandingFile]:
    return [LandingFile(f"{i}.json", "", size, "2018-11") for i, size in enumerate(sizes)]


def test_tasks_grow_with_a_load_and_have_a_bound() -> None:
    assert [len(task) for task in tasks_of(_files(*[16 * _MB] * 4))] == [2, 2]
    assert len(tasks_of(_files(*[16 * _MB] * 640))) == 64  # 10 GiB
    of_a_lot = tasks_of(_files(*[128 * _MB] * 8_000))  # 1 TB
    assert {len(task) for task in of_a_lot[:-1]} == {6}
    assert [len(task) for task in tasks_of(_files(*[1] * 4_001))] == [2_000, 2_000, 1]
    assert [len(task) for task in tasks_of(_files(1, 2048 * _MB, 1))] == [1, 1, 1]


def test_two_billion_events() -> None:
    found = forecast(MONTH)
    assert found.files == 720
    assert found.landing_bytes == pytest.approx(MONTH.events * MEASURED.line, rel=0.001)
    assert found.task_bytes >= found.file_bytes  # a file is never cut
    tables = {one.table: one for one in found.parts}
    assert tables["raw_logs"].rows == MONTH.events
    assert tables["songplays"].rows == MONTH.events * MEASURED.plays
    for name in ("raw_logs", "songplays"):
        assert 64e6 <= tables[name].part_bytes <= 512e6, name
        assert tables[name].parts >= math.ceil(tables[name].rows / ROWS_PER_FILE)
    assert found.hours == pytest.approx(found.core_hours / MONTH.cores)


def test_a_small_month_is_one_file_of_each_table() -> None:
    found = forecast(Load(100_000, days=1, files_a_day=1, users=100, songs=100))
    assert {one.parts for one in found.parts} == {1}
    assert found.tasks == 1


def test_the_command_tells_it_to_people_and_programs() -> None:
    asked = CliRunner().invoke(app, ["forecast"])
    assert asked.exit_code == 0, asked.output
    assert "2,000,000,000 events" in asked.output
    assert "reports of tasks to the driver" in asked.output
    told = json.loads(CliRunner().invoke(app, ["forecast", "--format", "json"]).stdout)
    assert told["tasks"] == forecast(MONTH).tasks
    assert told["requests"].keys() == {"LIST", "GET", "PUT"}


def test_its_help_has_the_formulas() -> None:
    told = CliRunner().invoke(app, ["forecast", "--help"]).stdout
    for word in ("Formulas", "landing", "tasks", "requests", "driver", "hours"):
        assert word in told
    assert f"{ROWS_PER_FILE:,}" in told
