"""What the systemd units in deploy/ say: the tests start the processes as they do."""

from __future__ import annotations

import configparser
import re
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path

from sparkify_assets_tests.dagster_dev import PROJECT

DEPLOY = PROJECT / "deploy"
# Where the units take the project and its packages to be.
INSTALLED = "/opt/sparkify"
VENV = Path(sys.executable).parent


def unit(name: str) -> configparser.RawConfigParser:
    """The unit `sparkify-<name>@.service`."""
    parser = configparser.RawConfigParser()
    parser.read_string((DEPLOY / "systemd" / f"sparkify-{name}@.service").read_text())
    return parser


def command(name: str, environment: Mapping[str, str], what: str = "ExecStart") -> list[str]:
    """A command of the unit for the project as it lies here, with its variables filled in."""
    line = unit(name)["Service"][what].replace(f"{INSTALLED}/.venv/bin", str(VENV))
    words = shlex.split(line.replace(INSTALLED, str(PROJECT)))
    return [re.sub(r"\$\{(\w+)\}", lambda found: environment[found[1]], word) for word in words]
