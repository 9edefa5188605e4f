"""`make screenshots`: the pictures of the UI in docs/images, made anew from sample data.

A picture is taken once the page stands still. That it shows what it should is asserted where it
is taken; dates, ids and durations are of the day.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Browser, expect

from sparkify_assets.analytics.question import all_questions
from sparkify_assets.analytics.report.write import write_report
from sparkify_assets.analytics.session import open_session
from sparkify_assets.ingest.landing import LOGS, SONGS
from sparkify_assets.lake.lake import Lake
from sparkify_assets.tables import BUILT, RAW_LOGS, RAW_SONGS, SONGPLAYS
from sparkify_assets_tests.dagster_dev import PROJECT
from sparkify_assets_tests.ui.browser import (
    HEIGHT,
    WIDTH,
    NoBrowser,
    chromium,
    new_window,
    open_browser,
)
from sparkify_assets_tests.ui.pages import Ui, set_patience
from sparkify_assets_tests.ui.stage import BAD_MONTH, MONTHS, serve, write_landing

IMAGES = PROJECT / "docs" / "images"
_SCALE = 1.5
_TALL = 1000  # for pages that are a little longer than a window
_LOOKS = 40


def graph(ui: Ui) -> None:
    """Every asset in its group."""
    ui.page.set_viewport_size({"width": WIDTH, "height": _TALL})
    ui.go("Lineage")
    ui.make_room_for_graph()
    ui.unfold_graph()
    tables = [table.name for table in (RAW_LOGS, RAW_SONGS, *BUILT)]
    ui.zoom_out_until_on_screen("landing", "raw", "derived", "tables", LOGS, SONGS, *tables)


def songplays(ui: Ui) -> None:
    """What the page of an asset tells."""
    ui.open_asset(SONGPLAYS.name)
    expect(ui.page.get_by_text(SONGPLAYS.description)).to_be_visible()


def backfill(ui: Ui) -> None:
    """A backfill of all assets over four months, done."""
    ui.page.set_viewport_size({"width": WIDTH, "height": _TALL})
    ui.go("Runs")
    ui.page.get_by_role("tab", name="Backfills").click()
    ui.page.locator('a[href^="/runs/b/"]').first.click()
    ui.wait_for_backfill()
    expect(ui.page.get_by_text("100% completed")).to_have_count(len(BUILT) + 4)


def checks(ui: Ui) -> None:
    """A check that failed: a month of mostly bad lines."""
    ui.open_asset(RAW_LOGS.name, "Checks")
    ui.page.get_by_text("rejected_share", exact=True).first.click()
    expect(ui.page.get_by_text("Evaluation result", exact=True)).to_be_visible()


PICTURES: dict[str, Callable[[Ui], None]] = {
    shown.__name__: shown for shown in (graph, songplays, backfill, checks)
}
# The listening report by the width of the window; a file, so it is no page of the UI.
REPORTS = {"report": 1280, "report-phone": 390}
_REPORT_HEIGHT = {"report": 1500, "report-phone": 844}


def take_reports(browser: Browser, lake: str, names: list[str], images: Path) -> None:
    """The report of the newest month, light on a screen and dark on a phone."""
    found = Lake.at(lake)
    with open_session(found) as session:
        written = write_report(found, session, MONTHS[-1], all_questions())
    for name in names:
        phone = name == "report-phone"
        with browser.new_context(
            viewport={"width": REPORTS[name], "height": _REPORT_HEIGHT[name]},
            device_scale_factor=2 if phone else _SCALE,
            color_scheme="dark" if phone else "light",
            locale="en-GB",
        ) as window:
            page = window.new_page()
            page.goto(written.url)
            page.locator("html[data-drawn]").wait_for()
            expect(page.get_by_role("heading", name="Listening in February 2019")).to_be_visible()
            path = images / f"{name}.png"
            page.screenshot(path=path, animations="disabled")
            _say(f"{path}: {path.stat().st_size / 1000:.0f} kB")


def make(names: list[str], images: Path) -> None:
    """Take these pictures."""
    images.mkdir(parents=True, exist_ok=True)
    # Dagster's processes may still write while they end.
    temporary = tempfile.TemporaryDirectory(prefix="sparkify-", ignore_cleanup_errors=True)
    with temporary as folder, open_browser() as browser:
        write_landing(Path(folder, "landing"), events=3_000, songs=250)
        _say("dagster dev on sample data, and a backfill of all assets: some minutes …")
        with serve(Path(folder)) as stage:

            def tab(show: Callable[[Ui], None], name: str = "") -> None:
                with new_window(browser, stage.dev.port, _SCALE) as window:
                    ui = Ui(window.new_page())
                    show(ui)
                    if name:
                        path = images / f"{name}.png"
                        path.write_bytes(_still(ui))
                        _say(f"{path}: {path.stat().st_size / 1000:.0f} kB")

            tab(_load_bad_month)
            # A check shows its latest result, which after the backfill is another month's.
            if checks.__name__ in names:
                tab(checks, checks.__name__)
            tab(_load_all_others)
            for name in names:
                if name in PICTURES and name != checks.__name__:
                    tab(PICTURES[name], name)
            take_reports(browser, stage.lake, [n for n in names if n in REPORTS], images)


def _load_bad_month(ui: Ui) -> None:
    ui.open_job("refresh")
    ui.launch(BAD_MONTH)
    ui.wait_for_run()


def _load_all_others(ui: Ui) -> None:
    ui.go("Lineage")
    ui.launch(f"[{MONTHS[0]}...{MONTHS[-1]}]")
    ui.wait_for_backfill()


def _still(ui: Ui) -> bytes:
    """A picture of the window once two in a row are the same."""
    page = ui.page
    page.mouse.move(WIDTH / 2, HEIGHT - 1)  # nothing is pointed at
    page.evaluate("document.fonts.ready")
    before = b""
    for _ in range(_LOOKS):
        page.wait_for_load_state("networkidle")
        picture = page.screenshot(animations="disabled")
        loading = page.get_by_role("progressbar").filter(visible=True).count()
        if picture == before and not loading:
            return picture
        before = picture
        page.wait_for_timeout(500)
    raise AssertionError(f"{page.url} does not stand still")


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main() -> int:
    """The exit code: 1 where there is no browser."""
    every = [*PICTURES, *REPORTS]
    parser = argparse.ArgumentParser(prog="make screenshots", description=__doc__)
    parser.add_argument("names", nargs="*", help=f"which: {', '.join(every)}; default: all")
    parser.add_argument("--dir", type=Path, default=IMAGES, help="where to; default: docs/images")
    given = parser.parse_args()
    if unknown := set(given.names) - set(every):
        parser.error(f"no picture {', '.join(sorted(unknown))}; there are {', '.join(every)}")
    try:
        chromium()
    except NoBrowser as error:
        _say(str(error))
        return 1
    set_patience()
    make(given.names or every, given.dir)
    return 0


if __name__ == "__main__":
    sys.exit(main())
