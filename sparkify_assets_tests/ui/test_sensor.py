"""The sensor, turned on under Automation: what lands is loaded without another click."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect

from sparkify_assets.lake.lake import Lake
from sparkify_assets.tables import SONGPLAYS
from sparkify_assets_tests.dagster_dev import until
from sparkify_assets_tests.ui.pages import RUN_MS, Ui
from sparkify_assets_tests.ui.stage import Stage, serve
from sparkify_assets_tests.zone import Zone, event

pytestmark = pytest.mark.ui


def test_a_file_that_lands_starts_a_run_once_the_sensor_is_on(
    visit: Callable[[Stage], Ui], folder: Path
) -> None:
    zone = Zone(folder / "landing")
    with serve(folder) as stage:
        ui = visit(stage)
        ui.go("Automation")
        ui.page.locator('a[href$="/sensors/new_files"]').first.click()
        switch = ui.page.get_by_role("row").filter(has_text="Running").get_by_role("checkbox")
        expect(switch).not_to_be_checked()
        switch.locator("xpath=..").click()  # the switch to be seen is the input's label
        expect(switch).to_be_checked()
        zone.logs("log_data/2018/11/2018-11-15-events.json", event(), event(itemInSession=1))
        ui.go("Runs")
        month = ui.page.get_by_text("2018-11", exact=True).first
        month.wait_for(timeout=RUN_MS)
        expect(ui.page.get_by_text("new_files").first).to_be_visible()
        ui.page.locator('a[href^="/runs/"]').first.click()
        ui.wait_for_run()
        assert Lake.at(stage.lake).snapshot(SONGPLAYS).rows == 2
        until(lambda: all(run["endTime"] for run in stage.dev.runs()))
        assert {run["status"] for run in stage.dev.runs()} == {"SUCCESS"}
