"""A lake with three rows in `time` and a release, and a shell that asks it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sparkify_assets.analytics.session import open_session
from sparkify_assets.cli.answer import AnswerFormat
from sparkify_assets.cli.shell.shell import Shell
from sparkify_assets.lake.lake import Lake
from sparkify_assets.lake.release import Release, newest_release, record_release
from sparkify_assets.tables import TABLES, TIME
from sparkify_assets_tests.lake.helpers import put


def release(lake: Lake) -> Release:
    """Record a release of the tables as they are now."""
    versions = {name: lake.snapshot(table).version for name, table in TABLES.items()}
    return record_release(lake, newest_release(lake), versions)


@pytest.fixture
def released(lake: Lake) -> Lake:
    put(lake, lake.snapshot(TIME), 1, "2018-11", [1, 2, 3])
    release(lake)
    return lake


@pytest.fixture
def shell(released: Lake) -> Iterator[Shell]:
    """A shell that does not talk."""
    with open_session(released) as session:
        yield Shell(session, AnswerFormat.TABLE)
