"""The page as text: what it tells, and that nothing from the data becomes a part of it."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from typing import Any

import pytest

from sparkify_assets.analytics.report.bundle import script, vega_bundle
from sparkify_assets.analytics.report.page import MOST_ROWS, render
from sparkify_assets.lake.release import Release
from sparkify_assets_tests.analytics.report.pages import (
    HOSTILE,
    MONTH,
    Drawn,
    every_kind,
    report,
    section,
)


class Elements(HTMLParser):
    """Every element of a page, with its attributes and the text right behind its tag."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None], str]] = []
        self._within = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs), ""))
        self._within = True

    def handle_endtag(self, _tag: str) -> None:
        self._within = False

    def handle_data(self, data: str) -> None:
        if self._within:
            tag, attributes, text = self.found[-1]
            self.found[-1] = tag, attributes, text + data

    def all(self, tag: str) -> list[tuple[dict[str, str | None], str]]:
        return [(attributes, text) for name, attributes, text in self.found if name == tag]


@pytest.fixture(scope="module")
def page() -> str:
    return render(report())


def specs(page: str) -> list[dict[str, Any]]:
    scripts = Elements(page).all("script")
    return [json.loads(text) for attributes, text in scripts if attributes]


def test_no_text_of_the_data_becomes_an_element_an_attribute_or_a_script(page: str) -> None:
    elements = Elements(page)
    tags = {tag for tag, _, _ in elements.found}
    assert tags.isdisjoint({"img", "i", "iframe", "object", "link", "base", "form", "a"})
    names = {name for _, attributes, _ in elements.found for name in attributes}
    assert not [name for name in names if name.startswith("on")]
    # The three of the page, and the specification of each chart, which is no script.
    kinds = [attributes.get("type") for attributes, _ in elements.all("script")]
    assert (kinds.count(None), kinds.count("application/json")) == (3, 5)
    cells = [text for _, text in elements.all("td")]
    assert [title for title in HOSTILE if title not in cells] == []


def test_titles_arrive_in_the_chart_as_they_are(page: str) -> None:
    assert [row["c0"] for row in specs(page)[0]["data"]["values"]] == list(HOSTILE)


def test_the_policy_allows_the_pages_own_scripts_and_no_request(page: str) -> None:
    elements = Elements(page)
    [policy] = [
        attributes["content"] or ""
        for attributes, _ in elements.all("meta")
        if attributes.get("http-equiv") == "Content-Security-Policy"
    ]
    allowed = {name: set(rest.split()) for name, _, rest in
               (part.strip().partition(" ") for part in policy.split(";"))}  # fmt: skip
    assert allowed["default-src"] == {"'none'"}
    own = {script(text).source for attributes, text in elements.all("script") if not attributes}
    assert allowed["script-src"] == own
    assert len(own) == 3


def test_the_bundle_cannot_end_its_own_script() -> None:
    text = vega_bundle().text
    assert "</script" not in text
    assert "<!--" not in text
    assert "\r" not in text
    assert script("a</script>b\r\n").text == "a<\\/script>b\n"


def test_changes_are_told_against_the_month_before(page: str) -> None:
    changes = re.findall(r'<span class="change">(.*?)</span>', page)
    assert changes == [
        "<b>+10.0 %</b> on October",
        "as in October",
        "<b>−5.0 points</b> on October",
        "the first month of all",
    ]


def test_the_numbers_behind_a_chart_end_after_a_hundred_rows() -> None:
    rows = {"n": list(range(MOST_ROWS + 12))}
    page = render(report(sections=[section(None, rows)]))
    assert len(Elements(page).all("tr")) == MOST_ROWS + 1
    assert "And 12 more rows." in page


def test_numbers_stand_to_the_right_and_names_made_of_digits_as_they_are() -> None:
    rows = {"user_id": ["8"], "session_id": [1234], "plays": [1234567], "share": [0.125]}
    cells = Elements(render(report(sections=[section(None, rows)]))).all("td")
    assert [(text, "class" in attributes) for attributes, text in cells] == [
        ("8", False), ("1234", True), ("1,234,567", True), ("12.5 %", True),
    ]  # fmt: skip


def test_the_footer_tells_what_the_page_was_made_from(page: str) -> None:
    footer = page[page.index("<footer>") :]
    assert "s3://bucket/&lt;lake&gt;" in footer
    assert "release 2 of 2018-11-23 19:06:40 UTC" in footer
    assert "Page made 2018-12-01 08:30 UTC for 2018-11" in footer
    assert "<dt>songplays</dt><dd>version 4</dd>" in footer


def test_a_pending_month_says_that_it_is_not_up_to_date(page: str) -> None:
    words = "This month is not up to date."
    assert words not in page
    assert words in render(report(release=Release(3, 0, {}, (MONTH,))))


def test_a_month_without_plays_says_so_and_has_no_script() -> None:
    page = render(report(figures=(), days=None, sections=()))
    assert "No plays in November 2018." in page
    assert Elements(page).all("script") == []
    assert "script-src 'none'" in page.replace("&#39;", "'")


def test_a_section_without_rows_says_so() -> None:
    empty = section(Drawn("bar", "song", "plays"), {"song": [], "plays": []})
    page = render(report(sections=[empty]))
    assert "Nothing of this in November 2018." in page
    assert "<figure>" not in page


def test_every_chart_is_described_in_words(page: str) -> None:
    charts = [a for a, _ in Elements(page).all("div") if a.get("role") == "img"]
    assert len(charts) == len([found for found in every_kind() if found.chart])
    assert charts[1]["aria-label"] == (
        "Line chart: A line. users by day. Most: 30 (30 Nov); least: 1 (1 Nov)."
    )
