"""A check that fails: where it is found, and that it shows the rows which are to blame."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from sparkify_assets_tests.ui.pages import Ui
from sparkify_assets_tests.ui.stage import BAD_FILE, BAD_MONTH, bad_line

pytestmark = pytest.mark.ui


def test_a_month_of_bad_lines_fails_a_check_that_shows_some_of_them(ui: Ui) -> None:
    ui.open_asset("raw_logs")
    ui.launch(BAD_MONTH)
    ui.wait_for_run()  # a share of bad lines is a warning: what could be read is loaded
    ui.open_asset("raw_logs", "Checks")
    ui.page.get_by_text("rejected_share", exact=True).first.click()
    latest = ui.page.get_by_text("Evaluation result", exact=True).locator("xpath=..")
    expect(latest).to_contain_text("Failed")
    expect(ui.page.get_by_text(BAD_MONTH, exact=True)).to_be_visible()
    ui.page.get_by_text("[Show Markdown]").click()
    sample = ui.page.get_by_role("dialog")
    expect(sample).to_contain_text(bad_line(1))
    expect(sample).to_contain_text(BAD_FILE)
