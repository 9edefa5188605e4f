"""The asset `listening_report`: within runs, for a month, for a range, and when it fails."""

from __future__ import annotations

from typing import Any

import pytest

from sparkify_assets.analytics.report.write import FOLDER, write_report
from sparkify_assets.assets import report as of_asset
from sparkify_assets.errors import LakeError
from sparkify_assets.lake.release import RELEASES, last_release
from sparkify_assets.refresh.answers import LISTENING_REPORT
from sparkify_assets.storage.objects import objects
from sparkify_assets_tests.jobs_in_process import Ran, numbers, run
from sparkify_assets_tests.refresh.world import World
from sparkify_assets_tests.zone import event


def reports(world: World) -> list[str]:
    return [entry.key for entry in objects(world.lake.location.join(FOLDER)).list()]


def told(ran: Ran) -> dict[str, dict[str, Any]]:
    return {str(month): numbers(one.metadata) for month, one in ran.made(LISTENING_REPORT).items()}


def test_a_run_over_everything_makes_its_reports_from_the_release_that_it_records(
    loaded: World,
) -> None:
    assert reports(loaded) == []  # a run of the command line makes none
    loaded.zone.logs("log_data/2018-11-07-events.json", event("2018-11-07 10:00", sessionId=7))
    assert run(loaded, "2018-11", "2018-12").success
    assert reports(loaded) == ["2018-11.html", "2018-12.html"]
    source = objects(loaded.lake.location.join(FOLDER))
    assert last_release(loaded.lake).number == 2
    for key in reports(loaded):
        assert str(last_release(loaded.lake)) in source.get(key).decode()


def test_each_month_of_a_range_tells_its_own(copied: World) -> None:
    run(copied, "2018-11", only=[LISTENING_REPORT])
    result = run(copied, "2018-11", "2018-12", only=[LISTENING_REPORT])
    assert result.success
    found = told(result)
    assert sorted(found) == ["2018-11", "2018-12"]
    november = found["2018-11"]
    assert november["report"].endswith("/_reports/listening/2018-11.html")
    assert november["open_with"] == "sparkify report --month 2018-11 --open"
    assert (november["plays"], november["made_again"]) == (3, False)
    assert (found["2018-12"]["plays"], found["2018-12"]["made_again"]) == (2, True)
    assert november["release"] == last_release(copied.lake).number
    assert november["bytes"] > 500_000
    assert "| song | artist | plays |" in november["top_songs"]


def test_with_rebuild_it_is_made_again(copied: World) -> None:
    names = [LISTENING_REPORT]
    run(copied, "2018-11", only=names)
    result = run(copied, "2018-11", only=names, rebuild=names)
    assert told(result)["2018-11"]["made_again"] is True


def test_without_a_release_it_makes_nothing_and_says_why(copied: World) -> None:
    source = objects(copied.lake.location.join(RELEASES))
    source.delete([entry.key for entry in source.list()])
    result = run(copied, "2018-11", only=[LISTENING_REPORT])
    assert "no release" in told(result)["2018-11"]["why_not"]


def test_a_report_that_fails_undoes_no_table_and_names_month_and_reason(
    loaded: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails_for_november(lake: Any, session: Any, month: str, *rest: Any, **more: Any) -> Any:
        if month == "2018-11":
            raise LakeError("a question asks for too much")
        return write_report(lake, session, month, *rest, **more)

    monkeypatch.setattr(of_asset, "write_report", fails_for_november)
    for month in ("2018-11", "2018-12"):
        loaded.zone.logs(f"log_data/{month}-09-events.json", event(f"{month}-09 10:00"))
    result = run(loaded, "2018-11", "2018-12")
    assert not result.success
    assert "listening_report 2018-11: a question asks for too much" in result.reason()[0]
    assert reports(loaded) == ["2018-12.html"]
    assert len(loaded.rows("songplays")) == 4
    assert last_release(loaded.lake).pending == ()
    assert last_release(loaded.lake).number == 2
