"""The listening report in a browser, as a file: on a screen, a phone, on paper, without scripts."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect

from sparkify_assets.analytics.report.page import render
from sparkify_assets_tests.analytics.report.pages import HOSTILE, every_kind, report

pytestmark = pytest.mark.ui

Scheme = Literal["light", "dark"]
DESK, PHONE = 1280, 390

# Texts of charts that reach beyond their card.
_CUT = """
() => [...document.querySelectorAll(".chart svg text")].filter((text) => {
  const box = text.getBoundingClientRect(), all = text.closest(".card").getBoundingClientRect();
  return box.width && (box.left < all.left - 1 || box.right > all.right + 1);
}).map((text) => text.textContent)
"""
# How well a text can be read: the ratio of WCAG between its colour and that of what is behind it.
_CONTRAST = """
(selector) => {
  const light = (text) => {
    const [r, g, b] = text.match(/[\\d.]+/g).slice(0, 3).map((n) => {
      const part = n / 255;
      return part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (node) => {
    for (; node; node = node.parentElement) {
      const colour = getComputedStyle(node).backgroundColor;
      if (!/rgba\\(.*, 0\\)/.test(colour)) return colour;
    }
    return "rgb(255, 255, 255)";
  };
  const worst = [...document.querySelectorAll(selector)].map((node) => {
    const style = getComputedStyle(node), svg = node.closest("svg");
    const [a, b] = [light(svg ? style.fill : style.color), light(behind(node))];
    return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  });
  return worst.length ? Math.min(...worst) : 0;
}
"""


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("report") / "2018-11.html"
    found.write_text(render(report()), encoding="utf-8")
    return found


def errors_into(found: list[str]) -> Callable[[ConsoleMessage], None]:
    """Keeps what a page's console says as an error."""

    def keep(said: ConsoleMessage) -> None:
        if said.type == "error":
            found.append(said.text)

    return keep


@contextmanager
def opened(
    browser: Browser, path: Path, width: int, scheme: Scheme = "light", *, scripts: bool = True
) -> Iterator[Page]:
    """The page, in which nothing may go wrong and which may ask nobody for anything."""
    problems: list[str] = []
    context = browser.new_context(
        viewport={"width": width, "height": 900},
        color_scheme=scheme,
        java_script_enabled=scripts,
        locale="en-GB",
    )
    with context:
        page = context.new_page()
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("dialog", lambda dialog: problems.append(f"a dialog: {dialog.message}"))
        page.on(
            "console", lambda said: problems.append(said.text) if said.type == "error" else None
        )
        page.on("request", lambda asked: problems.append(asked.url))
        page.goto(path.as_uri())
        if scripts:
            page.locator("html[data-drawn]").wait_for()
        yield page
        assert problems == [path.as_uri()]  # the page itself


def width_of_content(page: Page) -> int:
    return int(page.evaluate("document.documentElement.scrollWidth"))


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [DESK, PHONE])
def test_every_chart_is_drawn_whole_and_nothing_is_asked_for(
    browser: Browser, path: Path, width: int, scheme: Scheme
) -> None:
    with opened(browser, path, width, scheme) as page:
        charts = page.locator(".chart")
        assert charts.count() == len([section for section in every_kind() if section.chart])
        for chart in charts.all():
            expect(chart).to_have_attribute("data-drawn", "yes")
            marks = chart.locator("svg .role-mark path, svg .role-mark text")
            assert marks.count() >= 2  # an area is one mark
            box = chart.locator("svg").bounding_box()
            assert box is not None
            assert box["width"] > 250
        assert width_of_content(page) == width
        assert page.evaluate(_CUT) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_can_be_read_on_what_is_behind_it(
    browser: Browser, path: Path, scheme: Scheme
) -> None:
    with opened(browser, path, DESK, scheme) as page:
        colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert (colour == "rgb(245, 245, 248)") == (scheme == "light")
        for selector in ("h1, h2, p, li span, li b, td, th, summary, dd, dt", ".chart svg text"):
            assert page.evaluate(_CONTRAST, selector) >= 4.5, selector


def test_the_numbers_unfold(browser: Browser, path: Path) -> None:
    with opened(browser, path, PHONE) as page:
        card = page.locator("section#bar")
        cell = card.get_by_role("cell", name=HOSTILE[0], exact=True)
        expect(cell).to_be_hidden()
        card.get_by_text(re.compile("^The numbers")).click()
        expect(cell).to_be_visible()
        assert width_of_content(page) == PHONE
        # Numbers alone need not be unfolded.
        expect(page.locator("section#numbers").get_by_role("cell", name="50.0 %")).to_be_visible()


def test_without_scripts_the_numbers_stand_open_and_no_chart_is_missed(
    browser: Browser, path: Path
) -> None:
    with opened(browser, path, PHONE, scripts=False) as page:
        expect(page.get_by_text("6,820")).to_be_visible()
        expect(page.locator("section#line").get_by_role("cell", name="2018-11-30")).to_be_visible()
        assert page.locator("figure").filter(visible=True).count() == 0
        assert width_of_content(page) == PHONE


def test_pointing_at_a_bar_shows_its_title_as_text(browser: Browser, path: Path) -> None:
    with opened(browser, path, DESK) as page:
        page.locator("section#bar .chart svg .mark-rect path").first.hover()
        tooltip = page.locator("#vg-tooltip-element")
        expect(tooltip).to_contain_text(HOSTILE[0])
        assert tooltip.locator("img, script, b").count() == 0


def test_what_is_not_of_the_page_is_neither_run_nor_fetched(browser: Browser, path: Path) -> None:
    spoiled = path.with_name("spoiled.html")
    added = (
        "<img src='http://127.0.0.1:9/x.png' onerror='window.ran = 1'>"
        "<script>window.ran = 1</script>"
    )
    spoiled.write_text(path.read_text("utf-8").replace("</main>", f"{added}</main>"), "utf-8")
    context = browser.new_context()
    with context:
        page = context.new_page()
        blocked: list[str] = []
        page.on("console", errors_into(blocked))
        page.goto(spoiled.as_uri())
        page.locator("html[data-drawn]").wait_for()
        assert page.evaluate("window.ran") is None
        assert len([text for text in blocked if "Content Security Policy" in text]) >= 2


def test_on_paper_it_is_light_and_has_its_charts(browser: Browser, path: Path) -> None:
    with opened(browser, path, DESK, "dark") as page:
        page.emulate_media(media="print")
        colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert colour == "rgb(255, 255, 255)"
        assert page.evaluate(_CONTRAST, ".chart svg text") >= 4.5
        assert len(page.pdf()) > 20_000
