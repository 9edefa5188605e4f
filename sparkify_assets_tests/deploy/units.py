"""What the systemd units in deploy/ say: the tests start the processes as they do."""

from __future__ import annotations

import configparser
import re
import shlex
from collections.abc import Mapping
from pathlib import Path

from sparkify_assets_tests.dagster_dev import PROJECT

DEPLOY = PROJECT / "deploy"
# Where the units take the project and its packages to be.
INSTALLED = "/opt/sparkify"


def unit(name: str) -> configparser.RawConfigParser:
    """The unit `sparkify-<name>@.service`."""
    parser = configparser.RawConfigParser()
    parser.read_string((DEPLOY / "systemd" / f"sparkify-{name}@.service").read_text())
    return parser


def command(name: str, environment: Mapping[str, str]) -> list[str]:
    """The unit's command for the project as it lies here, with its variables filled in."""
    words = shlex.split(unit(name)["Service"]["ExecStart"])
    assert words[0].startswith(f"{INSTALLED}/.venv/bin/")
    filled = [re.sub(r"\$\{(\w+)\}", lambda found: environment[found[1]], word) for word in words]
    return [Path(words[0]).name, *(word.replace(INSTALLED, str(PROJECT)) for word in filled[1:])]
