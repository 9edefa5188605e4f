"""Fixtures for the tests in a browser: the browser, a tab of it, and what it looks at."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from sparkify_assets_tests.ui.browser import NoBrowser, chromium, new_window, open_browser
from sparkify_assets_tests.ui.pages import Ui, set_patience
from sparkify_assets_tests.ui.stage import Stage, serve, write_landing
from sparkify_assets_tests.ui.watch import Watch


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One browser for the whole test run; where there is none, the tests fail."""
    try:
        chromium()
    except NoBrowser as error:
        pytest.fail(str(error))
    set_patience()
    with open_browser() as opened:
        yield opened


@pytest.fixture(scope="session")
def stage(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[Stage]:
    """`dagster dev` on sample data of several months, of which nothing is loaded.

    The tests share it, so each has months of its own: see `MONTHS`.
    """
    del browser  # without it nothing need be started
    folder = tmp_path_factory.mktemp("ui")
    write_landing(folder / "landing")
    with serve(folder) as started:
        yield started


@pytest.fixture
def visit(browser: Browser) -> Iterator[Callable[[Stage], Ui]]:
    """Opens a tab; at the end nothing may have gone wrong on its pages."""
    with ExitStack() as windows:
        watches = []

        def opened(stage: Stage) -> Ui:
            window = windows.enter_context(new_window(browser, stage.dev.port))
            watches.append(Watch(window))
            return Ui(window.new_page())

        yield opened
        assert [problem for watch in watches for problem in watch.problems] == []


@pytest.fixture
def ui(visit: Callable[[Stage], Ui], stage: Stage) -> Ui:
    """A tab on the sample data."""
    return visit(stage)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder for a `dagster dev` of the test's own."""
    return tmp_path / "own"
