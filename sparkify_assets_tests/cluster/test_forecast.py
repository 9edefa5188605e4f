"""The forecast goes by the rules of a run, and its help tells how it counts."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from sparkify_assets.cli import app
from sparkify_assets.cluster.forecast import MEASURED, PRICES, Load, Prices, forecast
from sparkify_assets.ingest.files import LandingFile
from sparkify_assets.ingest.ingest import tasks_of
from sparkify_assets.lake.writers import FILE_BYTES
from sparkify_assets.partitions import DAY_MS

MONTH = Load(2_000_000_000, users=20_000_000, songs=5_000_000)
_MB = 1 << 20
_DOCS = Path(__file__).parents[2] / "docs" / "clusters.md"
# Of docs/clusters.md, which has them as commands, too.
SIZES = {
    "1 GB": Load(66_000_000, 30, 24, 1_000_000, 1_000_000, cores=4),
    "100 GB": Load(6_600_000_000, 30, 240, 50_000_000, 10_000_000, cores=64),
    "10 TB": Load(660_000_000_000, 30, 12_000, 500_000_000, 50_000_000, cores=1_000),
}


def row_of_docs(name: str, load: Load) -> str:
    """A row of the table of sizes and costs."""
    found = forecast(load)
    last, month = found.last_day, found.daily
    cores = forecast(load, replace(PRICES, changes=0, reads=0)).daily.dollars
    hours = f"{last.hours * 60:,.0f} min" if last.hours < 2 else f"{last.hours:,.1f} h"
    return (
        f"| {name} | {load.events / 1e6:,.0f} million | {load.files_a_day:,} | {load.cores:,} "
        f"| {last.tasks:,} | {hours}, {last.cost.core_hours:,.1f} hours of a core "
        f"| {sum(last.cost.requests.values()) / 1e6:,.2f} million "
        f"| ${cores:,.2f} | ${month.dollars - cores:,.2f} | ${found.kept_dollars:,.2f} |"
    )


def _files(*sizes: int) -> list[LandingFile]:
    return [LandingFile(f"{i}.json", "", size, "2018-11") for i, size in enumerate(sizes)]


def test_tasks_grow_with_a_load_and_have_a_bound() -> None:
    assert [len(task) for task in tasks_of(_files(*[16 * _MB] * 4))] == [2, 2]
    assert len(tasks_of(_files(*[16 * _MB] * 640))) == 64  # 10 GiB
    of_a_lot = tasks_of(_files(*[128 * _MB] * 8_000))  # 1 TB
    assert {len(task) for task in of_a_lot[:-1]} == {24}
    assert [len(task) for task in tasks_of(_files(*[1] * 4_001))] == [2_000, 2_000, 1]
    assert [len(task) for task in tasks_of(_files(1, 4096 * _MB, 1))] == [1, 1, 1]


def test_two_billion_events() -> None:
    found = forecast(MONTH)
    assert found.files == 720
    assert found.landing_bytes == pytest.approx(MONTH.events * MEASURED.line, rel=0.001)
    assert found.at_once.task_bytes >= found.file_bytes  # a file is never cut
    tables = {one.table: one for one in found.parts}
    assert tables["raw_logs"].rows == MONTH.events
    assert tables["songplays"].rows == MONTH.events * MEASURED.plays
    assert tables["time"].rows < min(tables["songplays"].rows, 30 * DAY_MS)
    for name in ("raw_logs", "songplays", "time", "user_months"):
        assert 64e6 <= tables[name].part_bytes <= 512e6, name
        assert tables[name].part_bytes <= FILE_BYTES
    assert found.at_once.cost.core_hours / MONTH.cores < found.at_once.hours < 0.5
    # 1.7 billion among 2^64: as with birthdays.
    assert 0.07 < found.same_id < 0.08


def test_a_file_is_read_by_one_task_however_many_cores_there_are() -> None:
    few = forecast(replace(MONTH, files_a_day=1)).last_day
    many = forecast(replace(MONTH, files_a_day=240)).last_day
    seconds = MONTH.events / 30 / 1e6 * MEASURED.read_seconds
    assert few.hours - many.hours > 0.9 * seconds / 3600
    assert few.cost.core_hours == pytest.approx(many.cost.core_hours)
    assert few.cost.dollars > many.cost.dollars  # cores that wait cost as much


def test_a_run_that_replaces_a_month_tells_what_is_gone() -> None:
    found = forecast(MONTH)
    assert found.last_day.log_bytes > found.at_once.log_bytes
    assert found.last_day.checkpoint_bytes > found.at_once.checkpoint_bytes


def test_the_last_day_makes_the_whole_month_anew() -> None:
    found = forecast(MONTH)
    millions = MONTH.events / 1e6
    seconds = millions / 30 * MEASURED.read_seconds + millions * MEASURED.build_seconds
    assert found.last_day.cost.core_hours == pytest.approx(seconds / 3600)
    # A run a day: on average half of the month is made anew.
    seconds = millions * (MEASURED.read_seconds + 15.5 * MEASURED.build_seconds)
    assert found.daily.core_hours == pytest.approx(seconds / 3600)
    assert found.daily.dollars > found.at_once.cost.dollars


def test_a_small_month_is_one_file_of_each_table() -> None:
    found = forecast(Load(100_000, days=1, files_a_day=1, users=100, songs=100))
    assert {one.parts for one in found.parts} == {1}
    assert found.at_once.tasks == 1


def test_prices_are_those_of_cores_and_requests() -> None:
    free = forecast(MONTH, Prices(core_hour=0))
    requests = free.at_once.cost.requests
    changes, reads = requests["LIST"] + requests["PUT"], requests["GET"] + requests["HEAD"]
    assert free.at_once.cost.dollars == pytest.approx(
        (changes * PRICES.changes + reads * PRICES.reads) / 1000
    )
    paid = forecast(MONTH, replace(PRICES, core_hour=2.0))
    assert paid.at_once.cost.dollars == pytest.approx(
        free.at_once.cost.dollars + 2 * MONTH.cores * paid.at_once.hours
    )


def test_the_command_tells_it_to_people_and_programs() -> None:
    asked = CliRunner().invoke(app, ["forecast"])
    assert asked.exit_code == 0, asked.output
    assert "2,000,000,000 events" in asked.output
    assert "sent to the driver" in asked.output
    told = json.loads(CliRunner().invoke(app, ["forecast", "--format", "json"]).stdout)
    assert told == json.loads(json.dumps(forecast(MONTH).to_dict()))
    assert told["at_once"]["cost"]["requests"].keys() == {"LIST", "HEAD", "GET", "PUT"}


def test_its_help_has_the_formulas() -> None:
    told = CliRunner().invoke(app, ["forecast", "--help"]).stdout
    for word in ("Formulas", "landing", "tasks", "parts", "requests", "driver", "dollars"):
        assert word in told
    for figure in (MEASURED.line, MEASURED.read_seconds, MEASURED.build_seconds):
        assert f"{figure:g}" in told


@pytest.mark.parametrize("name", SIZES)
def test_the_docs_have_the_sizes_that_the_forecast_tells(name: str) -> None:
    assert row_of_docs(name, SIZES[name]) in _DOCS.read_text(encoding="utf-8")
