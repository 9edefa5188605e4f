"""A world of its own for an exercise: landing zone, lake and Dagster in a folder that goes away."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import chdir, contextmanager
from pathlib import Path
from typing import Any

from sparkify_assets.settings import EMBEDDED, Settings, load_settings
from sparkify_assets_tests.refresh.world import World
from sparkify_assets_tests.torture.reading import FIRST_MONTH, LAST_MONTH
from sparkify_assets_tests.zone import Zone


@contextmanager
def own_world() -> Iterator[World]:
    """An empty one on the embedded engine, without any setting from outside."""
    before = dict(os.environ)
    with tempfile.TemporaryDirectory() as folder, chdir(folder):
        root = Path(folder)
        (root / "dagster").mkdir()
        (root / "dagster/dagster.yaml").write_text("telemetry: {enabled: false}\n")
        for name in [name for name in os.environ if name.startswith("SPARKIFY_")]:
            del os.environ[name]
        os.environ["DAGSTER_HOME"] = str(root / "dagster")

        def make(**given: Any) -> Settings:
            return load_settings(
                **{
                    "landing": str(root / "landing"),
                    "lake": str(root / "lake"),
                    "engine": EMBEDDED,
                    "first_month": FIRST_MONTH,
                    "last_month": LAST_MONTH,
                    **given,
                }
            )

        try:
            yield World(Zone(root / "landing"), make)
        finally:
            # A session lives on, and PySpark remembers here what kind it is.
            sessions = {n: value for n, value in os.environ.items() if n.startswith("SPARK_")}
            os.environ.clear()
            os.environ.update(before | sessions)
