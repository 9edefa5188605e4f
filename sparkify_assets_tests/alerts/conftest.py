"""Fixtures of the alerts' tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sparkify_assets_tests.alerts.webhook import Webhook


@pytest.fixture
def webhook() -> Iterator[Webhook]:
    """A webhook that takes everything."""
    with Webhook() as found:
        yield found
