"""The browser: the system's Chromium, headless, driven by Playwright, which downloads nothing."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, BrowserContext, sync_playwright

WIDTH, HEIGHT = 1440, 900
# Generous, for a machine that is busy with something else; a page that is there does not wait.
PATIENCE_MS = 30_000


class NoBrowser(Exception):
    """There is no Chromium on this machine."""


def chromium() -> str:
    """Where Chromium is.

    Raises:
        NoBrowser: it is not installed.
    """
    found = shutil.which("chromium")
    if found is None:
        raise NoBrowser(
            "no `chromium` on the PATH; the UI is tested and pictured in a real browser: "
            "`apt-get install chromium`"
        )
    return found


@contextmanager
def open_browser() -> Iterator[Browser]:
    """A headless Chromium, closed at the end."""
    path = chromium()
    with sync_playwright() as playwright:
        # Without its sandbox, which neither root nor most containers can have: all that it is
        # shown is our own server.
        browser = playwright.chromium.launch(
            executable_path=path, headless=True, args=["--no-sandbox"]
        )
        yield browser
        browser.close()


def new_window(browser: Browser, port: int, scale: float = 1) -> BrowserContext:
    """A window without history on the server at a port of 127.0.0.1, the same everywhere."""
    context = browser.new_context(
        base_url=f"http://127.0.0.1:{port}",
        viewport={"width": WIDTH, "height": HEIGHT},
        device_scale_factor=scale,
        locale="en-GB",
        timezone_id="UTC",
        reduced_motion="reduce",
    )
    context.set_default_timeout(PATIENCE_MS)
    return context
