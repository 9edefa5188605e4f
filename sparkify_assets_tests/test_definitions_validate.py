"""`dagster definitions validate`, as people and pipelines call it: it passes, and in silence."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from sparkify_assets_tests.dagster_dev import PROJECT
from sparkify_assets_tests.notices import own_warnings


def test_the_definitions_are_valid_and_nothing_warns(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    shutil.copy(PROJECT / "dagster.yaml", home)
    done = subprocess.run(
        [str(Path(sys.executable).with_name("dagster")), "definitions", "validate"],
        cwd=PROJECT,
        env={**os.environ, "DAGSTER_HOME": str(home)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    printed = done.stdout + done.stderr
    assert done.returncode == 0, printed
    assert "Validation successful for code location sparkify_assets" in printed
    assert own_warnings(printed) == []


@pytest.mark.parametrize(
    "line",
    [
        "UserWarning: the argument `x` is not what it was",
        "sparkify_assets/x.py:1: DeprecationWarning: x is deprecated",
        "2026-11-23 - dagster - WARNING - something",
    ],
)
def test_a_warning_would_be_noticed(line: str) -> None:
    assert own_warnings(f"all is well\n{line}\n") == [line]
