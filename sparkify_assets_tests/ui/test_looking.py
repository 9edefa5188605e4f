"""How these tests look at a page: that they see what is wrong, and do not see what is hidden."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, expect

from sparkify_assets_tests.ui.browser import NoBrowser, chromium, new_window
from sparkify_assets_tests.ui.pages import Ui
from sparkify_assets_tests.ui.watch import Watch

pytestmark = pytest.mark.ui

_COMPLAINING = """
<script>
  console.warn("only a warning");
  console.error("broken");
  setTimeout(() => {
    for (const text of ["Launched run 1234", "Failed to load"]) {
      const notice = document.createElement("li");
      notice.setAttribute("data-sonner-toast", "");
      notice.innerText = text;
      document.body.append(notice);
    }
    setTimeout(() => { throw new Error("uncaught"); }, 50);
  }, 50);
</script>
"""
_LOG = """
<div style="height: 100px; overflow: auto" id="log">
  <p>above</p><p style="height: 500px">tall</p><p>last line</p>
</div>
<p style="position: relative">covered<b style="position: absolute; inset: 0"></b></p>
<script>document.getElementById("log").scrollTop = 10000;</script>
"""


def test_errors_and_complaints_of_a_page_are_noticed(browser: Browser) -> None:
    with new_window(browser, port=1) as window:
        watch = Watch(window)
        page = window.new_page()
        with page.expect_event("pageerror"):
            page.goto("data:text/html," + quote(_COMPLAINING))
        assert watch.problems == [
            "console: broken",
            "notice: Failed to load",
            "error in the page: uncaught",
        ]


def test_what_is_scrolled_away_or_covered_is_not_on_the_screen(browser: Browser) -> None:
    with new_window(browser, port=1) as window:
        page = window.new_page()
        page.goto("data:text/html," + quote(_LOG))
        # It is there and counts as visible, but nobody can read it.
        expect(page.get_by_text("above")).to_be_visible()
        texts = ("above", "last line", "covered", "not there")
        assert Ui(page).not_on_screen(*texts) == ["above", "covered", "not there"]


def test_without_a_chromium_it_says_how_to_get_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NoBrowser, match="apt-get install chromium"):
        chromium()
