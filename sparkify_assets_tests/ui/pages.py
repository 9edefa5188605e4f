"""What a person does in Dagster's UI: click, choose, read. Waits for what is to be seen.

Where things are found by their text or role, so that a new version of the UI need not matter; the
few other places are named at the top.
"""

from __future__ import annotations

import re

from playwright.sync_api import Locator, Page, expect

from sparkify_assets_tests.ui.browser import PATIENCE_MS

RUN_MS = 180_000
# Dagster's backfill daemon looks every 30 seconds, and a backfill of assets needs several looks.
BACKFILL_MS = 300_000

_RUN_ENDED = re.compile(r"^(Success|Failure|Canceled)$")
_BACKFILL_ENDED = re.compile(r"Succeeded|Failed|Canceled")
_MOST_ZOOMS = 5
_EMPTY_CANVAS = (800, 700)  # below the graph while its groups are folded

# A log moves while it is being filled; where it comes to rest counts.
_GLANCES, _GLANCE_MS = 3, 700

# Whether a text can be read where the page stands now: each piece of it within the window and in
# front. An element of which a part is in view says nothing of where in it the text is.
_ON_SCREEN = """
(text) => {
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode;
    for (let at = node.data.indexOf(text); at >= 0; at = node.data.indexOf(text, at + 1)) {
      const range = document.createRange();
      range.setStart(node, at);
      range.setEnd(node, at + text.length);
      const pieces = [...range.getClientRects()];
      const inFront = (piece) => node.parentElement === document.elementFromPoint(
        piece.x + piece.width / 2, piece.y + piece.height / 2);
      if (pieces.length && pieces.every(inFront)) return true;
    }
  }
  return false;
}
"""


class Ui:
    """Dagster's UI in one tab of the browser."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def go(self, section: str) -> None:
        """Click a section of the navigation: `Runs`, `Catalog`, `Lineage`, …"""
        if self.page.url == "about:blank":
            self.page.goto("/")
        self.page.get_by_role("navigation").get_by_text(section, exact=True).click()

    def open_graph(self) -> Locator:
        """The graph of all assets with every group unfolded."""
        self.go("Lineage")
        return self.unfold_graph()

    def unfold_graph(self) -> Locator:
        """In the graph: unfold every group, which also fits it to the window."""
        graph = self.page.locator("svg")
        expect(graph.get_by_text("landing", exact=True)).to_be_visible()
        self.page.mouse.click(*_EMPTY_CANVAS, button="right")
        self.page.get_by_role("menuitem", name="Expand all groups").click()
        expect(graph.get_by_text("songplays", exact=True)).to_be_visible()
        return graph

    def make_room_for_graph(self) -> None:
        """Hide what is beside the graph, and what its nodes show beside their names."""
        self.page.get_by_role("button", name="Hide navigation").click()
        expect(self.page.get_by_role("button", name="derived").first).to_be_visible()
        self.page.get_by_role("button", name="panel_show_right").click()
        self.page.get_by_role("button", name="config", exact=True).click()
        dialog = self.page.get_by_role("dialog")
        expect(dialog).to_contain_text("Facets")
        for box in dialog.get_by_role("checkbox").all():
            if box.is_checked():
                box.locator("xpath=..").click()  # the box to be seen is the input's label
        dialog.get_by_role("button", name="Save").click()
        expect(dialog).to_have_count(0)

    def zoom_out_until_on_screen(self, *texts: str) -> None:
        """In the graph: make it smaller until all of these can be read."""
        for _ in range(_MOST_ZOOMS):
            if not self.not_on_screen(*texts):
                return
            self.page.get_by_role("button", name="zoom_out").click()
        raise AssertionError(f"not on the screen at any size: {texts}")

    def open_asset(self, name: str, tab: str = "Overview") -> None:
        """An asset's page, from the catalog."""
        self.go("Catalog")
        self.page.locator(f'a[href="/assets/{name}"]').first.click()
        self.open_tab(tab)

    def open_job(self, name: str) -> None:
        """A job's page, from the list of jobs."""
        self.go("Jobs")
        self.page.locator(f'a[href$="/jobs/{name}"]').first.click()
        self.page.get_by_role("heading", name=name, exact=True).wait_for()

    def open_tab(self, name: str) -> None:
        """A tab of the page."""
        tab = self.page.get_by_role("tab", name=name).first
        tab.click()
        expect(tab).to_have_attribute("aria-selected", "true")

    def ask_to_materialize(self) -> Locator:
        """The dialog that the button Materialize opens."""
        self.page.get_by_role("button", name=re.compile("Materialize")).first.click()
        dialog = self.page.get_by_role("dialog")
        expect(dialog).to_contain_text("Partition selection")
        return dialog

    def launch(self, months: str) -> None:
        """Materialize these months (`2018-11` or `[2018-11...2019-01]`) and follow the link."""
        dialog = self.ask_to_materialize()
        choice = dialog.get_by_placeholder("ex:")
        choice.fill(months)
        choice.press("Tab")
        dialog.get_by_role("button", name=re.compile("^Launch")).click()
        notice = self.page.get_by_label(re.compile("^Notifications"))
        notice.get_by_role("link", name="View").click()
        self.page.wait_for_url("**/runs/**")

    def wait_for_run(self, outcome: str = "Success") -> None:
        """On a run's page: wait for its end, which must be this one."""
        ended = self.page.get_by_text(_RUN_ENDED).first
        ended.wait_for(timeout=RUN_MS)
        expect(ended).to_have_text(outcome)

    def wait_for_backfill(self) -> None:
        """On a backfill's page: wait for its end, which must be a good one."""
        status = self.page.get_by_text("Status", exact=True).locator("xpath=..")
        expect(status).to_contain_text(_BACKFILL_ENDED, timeout=BACKFILL_MS)
        expect(status).to_contain_text("Succeeded")

    def open_month(self, month: str) -> None:
        """On an asset's page: what its partitions tell of a month."""
        self.open_tab("Partitions")
        self.page.get_by_text(month, exact=True).first.click()
        expect(self.page.get_by_text("Latest materialization")).to_be_visible()

    def count_months(self, state: str) -> Locator:
        """On an asset's partitions: where it says how many are in this state."""
        return self.page.get_by_text(re.compile(rf"^{state} \(\d+\)$")).first

    def not_on_screen(self, *texts: str) -> list[str]:
        """Those that cannot be read, or not for long, without a click or scrolling."""
        missing = set()
        for _ in range(_GLANCES):
            self.page.wait_for_timeout(_GLANCE_MS)
            missing |= {text for text in texts if not self.page.evaluate(_ON_SCREEN, text)}
        return [text for text in texts if text in missing]


def set_patience() -> None:
    """Have every `expect` wait as long as the pages themselves do."""
    expect.set_options(timeout=PATIENCE_MS)
