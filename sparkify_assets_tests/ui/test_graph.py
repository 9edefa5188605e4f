"""The graph of all assets, and that every page of the UI opens without a complaint."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from sparkify_assets.ingest.landing import LOGS, SONGS
from sparkify_assets.tables import BUILT, RAW_LOGS, RAW_SONGS
from sparkify_assets_tests.ui.pages import Ui

pytestmark = pytest.mark.ui

ASSETS = [LOGS, SONGS, *(table.name for table in (RAW_LOGS, RAW_SONGS, *BUILT))]
GROUPS = ["landing", "raw", "derived", "tables"]


def test_the_graph_shows_every_asset_in_its_group(ui: Ui) -> None:
    graph = ui.open_graph()
    for name in [*GROUPS, *ASSETS]:
        expect(graph.get_by_text(name, exact=True)).to_be_visible()


def test_every_section_opens_and_the_code_is_loaded(ui: Ui) -> None:
    for section, shown in [
        ("Overview", "Timeline"),
        ("Runs", "Backfills"),
        ("Catalog", "songplays"),
        ("Jobs", "refresh"),
        ("Automation", "new_files"),
        ("Lineage", "landing"),
        ("Deployment", "sparkify_assets"),
    ]:
        ui.go(section)
        expect(ui.page.get_by_text(shown, exact=True).first).to_be_visible()
    expect(ui.page.get_by_text("Loaded", exact=True)).to_be_visible()
    expect(ui.page.get_by_text("View error")).to_have_count(0)
    ui.page.get_by_text("Daemons", exact=True).click()
    expect(ui.page.get_by_role("row").filter(has_text="Sensors")).to_contain_text("Running")
    expect(ui.page.get_by_text("Not running")).to_have_count(0)
