"""The summary of a run: what it took in and removed by itself, and what others did beside it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from sparkify_assets.cli.run import run_and_summarize
from sparkify_assets.errors import PlanChanged
from sparkify_assets.ingest import ingest, taken_in
from sparkify_assets.ingest.ledger import read_ledger
from sparkify_assets.refresh import plan as planning
from sparkify_assets.refresh.plan import Plan
from sparkify_assets.refresh.report import Summary
from sparkify_assets_tests.refresh.world import World
from sparkify_assets_tests.zone import event

NOVEMBER = "log_data/2018/11/2018-11-{:02d}-events.json"


@pytest.fixture
def loaded(world: World) -> World:
    """Three files of a month, loaded."""
    for day in (1, 2, 3):
        land(world, day)
    world.run()
    return world


def land(world: World, day: int, *lines: Any) -> str:
    return world.zone.logs(NOVEMBER.format(day), event(f"2018-11-{day:02d} 10:00"), *lines)


def summary(world: World, **given: Any) -> Summary:
    return run_and_summarize(world.settings(**given), rebuild=False, quiet=True)


def after_the_first_plan(monkeypatch: pytest.MonkeyPatch, then: Callable[[], Any]) -> None:
    """Something happens between a run's first look and its work."""
    make_plan, seen = planning.make_plan, list[Plan]()

    def first(*given: Any, **more: Any) -> Plan:
        found = make_plan(*given, **more)
        seen.append(found)
        if len(seen) == 1:
            then()
        return found

    monkeypatch.setattr(planning, "make_plan", first)


def test_a_file_that_goes_after_the_first_plan_is_told_as_removed(
    loaded: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    land(loaded, 4)
    after_the_first_plan(monkeypatch, lambda: loaded.zone.delete(NOVEMBER.format(1)))
    found = summary(loaded, on_delete="remove", confirm_remove=True)
    assert (found.files_read, found.removed_files) == (1, 1)
    assert len(loaded.rows("songplays")) == 3


def test_what_another_run_removed_is_not_told(
    loaded: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    rules: dict[str, Any] = {"on_delete": "remove", "confirm_remove": True}
    land(loaded, 4)
    loaded.zone.delete(NOVEMBER.format(1))

    def other() -> None:
        assert loaded.run(**rules).taken_in.removed == 1
        land(loaded, 5)

    after_the_first_plan(monkeypatch, other)
    found = summary(loaded, **rules)
    assert (found.files_read, found.removed_files) == (1, 0)


def test_what_was_taken_in_does_not_depend_on_the_clock(
    loaded: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Yesterday(dt.datetime):
        @classmethod
        def now(cls, tz: dt.tzinfo | None = None) -> Yesterday:
            return super().now(tz) - dt.timedelta(days=1)

    clock = SimpleNamespace(datetime=Yesterday, UTC=dt.UTC, timedelta=dt.timedelta)
    monkeypatch.setattr(ingest, "dt", clock)
    land(loaded, 4, "{broken")
    found = summary(loaded)
    assert (found.files_read, found.lines, found.rejected) == (1, 2, 1)


def test_what_was_taken_in_before_a_step_failed_and_was_tried_again_is_told(
    loaded: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed = list[bool]()

    def once(*given: Any) -> Any:
        if not failed:
            failed.append(True)
            raise PlanChanged("somebody was quicker")
        return read_ledger(*given)

    monkeypatch.setattr("sparkify_assets.assets.raw.read_ledger", once)
    land(loaded, 4)
    before = taken_in.taken_in()
    found = summary(loaded)
    assert failed
    assert (found.files_read, found.lines) == (1, 1)
    assert taken_in.taken_in().since(before).files == 1
