"""An asset's page: what the table is, column by column, and what is checked."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from sparkify_assets.tables import SONGPLAYS
from sparkify_assets_tests.ui.pages import Ui

pytestmark = pytest.mark.ui


def test_songplays_tells_what_it_holds_column_by_column(ui: Ui) -> None:
    ui.open_asset("songplays")
    expect(ui.page.get_by_text(SONGPLAYS.description)).to_be_visible()
    expect(ui.page.get_by_text("Column name", exact=True)).to_be_visible()
    for column in SONGPLAYS.columns:
        cell = ui.page.get_by_role("cell", name=column.name, exact=True)
        row = ui.page.get_by_role("row").filter(has=cell)
        expect(row).to_contain_text(column.description)


def test_songplays_lists_what_is_checked(ui: Ui) -> None:
    ui.open_asset("songplays", "Checks")
    for check in ("key", "schema", "references", "plays_are_events", "match_rate"):
        expect(ui.page.get_by_text(check, exact=True).first).to_be_visible()
