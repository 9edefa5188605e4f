"""A run that fails: the first screen of its page tells the place, the setting and the way out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect

from sparkify_assets_tests.s3.fixtures import environment
from sparkify_assets_tests.s3.servers import Server
from sparkify_assets_tests.ui.pages import Ui
from sparkify_assets_tests.ui.stage import MONTHS, Stage, serve

pytestmark = pytest.mark.ui


def test_a_landing_folder_that_is_not_there(visit: Callable[[Stage], Ui], folder: Path) -> None:
    with serve(folder) as stage:
        _fails_with(visit(stage), stage.landing, "sparkify sample DIR")


def test_a_landing_bucket_that_is_not_there(
    visit: Callable[[Stage], Ui], folder: Path, moto_server: Server
) -> None:
    bucket = "nobody-made-this-bucket"
    there = environment(moto_server.endpoint)
    with serve(folder, f"s3://{bucket}/in", environment=there) as stage:
        _fails_with(visit(stage), bucket, "there is no such bucket", "or create the bucket")


def _fails_with(ui: Ui, *texts: str) -> None:
    """A month of the job fails, and its page shows these without a click or scrolling."""
    ui.open_job("refresh")
    ui.launch(MONTHS[0])
    ui.wait_for_run("Failure")
    ui.page.goto(ui.page.url)  # as from the list of runs, without the notice of the launch
    expect(ui.page.get_by_text("RUN_FAILURE", exact=True)).to_be_visible()
    assert ui.not_on_screen("SPARKIFY_LANDING", *texts) == [], "not to be read on the first screen"
