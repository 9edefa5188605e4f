"""Runs that are launched by clicking: a month of an asset, a range of months of the job."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from sparkify_assets.lake.lake import Lake
from sparkify_assets.tables import PUBLIC, SONGPLAYS
from sparkify_assets_tests.ui.pages import Ui
from sparkify_assets_tests.ui.stage import MONTHS, Stage

pytestmark = pytest.mark.ui

*RANGE, SINGLE = MONTHS


def test_a_month_of_an_asset_is_materialized_by_clicking(ui: Ui) -> None:
    ui.open_asset("raw_logs")
    ui.open_month(SINGLE)
    expect(ui.page.get_by_text("No metadata entries")).to_be_visible()
    ui.launch(SINGLE)
    ui.wait_for_run()
    ui.open_asset("raw_logs")
    ui.open_month(SINGLE)
    expect(ui.page.get_by_text("Materialized", exact=True)).to_be_visible()
    expect(ui.page.get_by_role("row").filter(has_text="files_read")).to_contain_text("28")


def test_a_backfill_of_the_job_over_three_months_makes_every_table(ui: Ui, stage: Stage) -> None:
    ui.open_job("refresh")
    ui.launch(f"[{RANGE[0]}...{RANGE[-1]}]")
    ui.wait_for_backfill()
    ui.open_asset("songplays", "Partitions")
    expect(ui.count_months("Materialized")).to_have_text("Materialized (3)")
    for month in RANGE:
        ui.open_month(month)
        row = ui.page.get_by_role("row").filter(has_text="dagster/partition_row_count")
        expect(row).to_be_visible()
        plot = ui.page.get_by_role("row").filter(has_text="plays_per_day")
        plot.get_by_text("[Show Markdown]").click()
        picture = ui.page.get_by_role("dialog").get_by_role("img", name=f"plays per day, {month}")
        expect(picture).to_have_js_property("complete", True)
        expect(picture).to_have_js_property("naturalWidth", 675)
        ui.page.keyboard.press("Escape")
        expect(picture).to_have_count(0)
    lake = Lake.at(stage.lake)
    assert lake.snapshot(SONGPLAYS).partitions == RANGE
    assert all(lake.snapshot(table).rows for table in PUBLIC)


def test_the_job_cannot_be_launched_without_a_month(ui: Ui) -> None:
    ui.open_job("refresh")
    dialog = ui.ask_to_materialize()
    expect(dialog).to_contain_text("0 partitions")
    launch = dialog.get_by_role("button", name="Launch")
    expect(launch).to_be_disabled()
    dialog.get_by_placeholder("ex:").fill(SINGLE)
    dialog.get_by_placeholder("ex:").press("Tab")
    expect(launch).to_be_enabled()
    dialog.get_by_role("button", name="Cancel", exact=True).click()
    expect(dialog).to_have_count(0)
