"""What tasks count elsewhere is what this process would count, right or broken."""

from __future__ import annotations

import pyarrow as pa
import pytest
from pyspark.sql import SparkSession

from sparkify_assets.checks import elsewhere as by_tasks
from sparkify_assets.checks.plays import Examination
from sparkify_assets.checks.specs import AFTERWARDS
from sparkify_assets.lake import frames
from sparkify_assets.lake.commit import Stamp, replace
from sparkify_assets.lake.parts import write_parts
from sparkify_assets.refresh.audit import Finding
from sparkify_assets.tables import SONGPLAYS
from sparkify_assets_tests.refresh.world import World
from sparkify_assets_tests.zone import event

pytestmark = pytest.mark.engines
MONTH = "2018-11"
CHECKS = [check for checks in AFTERWARDS.values() for check in checks]


def _found(world: World, spark: SparkSession | None) -> dict[str, Finding]:
    examination = Examination(world.lake, 0.5, spark)
    return {one.check: one for one in examination.findings({MONTH: CHECKS})[MONTH]}


def _same(world: World, spark: SparkSession) -> dict[str, Finding]:
    here, elsewhere = _found(world, None), _found(world, spark)
    assert here.keys() == elsewhere.keys() == set(CHECKS)
    for check, found in here.items():
        other = elsewhere[check]
        assert (other.passed, other.description, other.numbers, other.warning) == (
            found.passed, found.description, found.numbers, found.warning,
        ), check  # fmt: skip
        if check != "plays_are_events":  # which ones, only this process tells
            assert other.sample == found.sample, check
    return elsewhere


@pytest.fixture
def loaded(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """Some sessions, of which two lack an event, one has one twice, and one begins in October."""
    monkeypatch.setattr(frames, "SLICE_BYTES", 100)  # several tasks
    lines = [
        event(f"2018-11-{day:02d} 10:{item:02d}", sessionId=day, itemInSession=item)
        for day in range(2, 12)
        for item in range(3)
        if (day, item) not in {(5, 1), (9, 0)}
    ]
    again = event("2018-11-02 10:01", sessionId=2, itemInSession=1, page="Home")
    late = event("2018-10-31 23:59", sessionId=1, itemInSession=0)
    world.zone.logs("log_data/2018/11/a.json", *lines, again, late)
    world.zone.song()
    world.run()
    return world


def test_a_month_as_it_is(loaded: World, spark: SparkSession) -> None:
    found = _same(loaded, spark)
    assert found["plays_are_events"].passed
    assert found["sessions_without_holes"].numbers == {"sessions": 10, "sessions_with_holes": 2}
    assert [row["session_id"] for row in found["sessions_without_holes"].sample] == ["5", "9"]


@pytest.mark.parametrize("most_broadcast", [0, 1 << 18])
def test_plays_that_are_missing_or_refer_to_nothing(
    loaded: World, spark: SparkSession, monkeypatch: pytest.MonkeyPatch, most_broadcast: int
) -> None:
    monkeypatch.setattr(by_tasks, "_MOST_BROADCAST", most_broadcast)
    base = loaded.lake.snapshot(SONGPLAYS)
    rows = base.read(keys=[MONTH]).to_pylist()[:-1]
    rows[0]["user_id"] = "nobody"
    rows[1]["song_id"] = "SONOTTHERE"
    batches = pa.Table.from_pylist(rows, schema=SONGPLAYS.plain_schema).to_batches()
    written = write_parts(batches, SONGPLAYS, loaded.lake.table_location(SONGPLAYS))
    replace(loaded.lake, base, written.parts, {MONTH: Stamp(base.stamp(MONTH) or 0)})
    found = _same(loaded, spark)
    assert not found["plays_are_events"].passed
    assert found["references"].numbers == {"missing": 2}


def test_a_month_without_files(loaded: World, spark: SparkSession) -> None:
    examination = Examination(loaded.lake, 0.5, spark)
    found = examination.findings({"2019-02": CHECKS})["2019-02"]
    assert [one.passed for one in found] == [True] * len(CHECKS)
