"""The session that commands ask: over the lake of the settings, at a release."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from sparkify_assets.analytics.session import Limits, Session, open_session
from sparkify_assets.errors import UsageError
from sparkify_assets.lake.lake import Lake
from sparkify_assets.lake.release import release_at
from sparkify_assets.settings import load_settings


@contextmanager
def lake_session(lake: str | None, at: str | None) -> Iterator[Session]:
    """A session over a release.

    Args:
        lake: instead of SPARKIFY_LAKE.
        at: a time in ISO form, UTC where it says no zone; the release that was the newest then.

    Raises:
        UsageError: `at` is no time.
        LakeError: there is no such release.
    """
    settings = load_settings(lake=lake)
    found = Lake.at(settings.lake)
    limits = Limits(settings.query_memory_gb, settings.query_seconds)
    release = None if at is None else release_at(found, _moment(at))
    with open_session(found, release, limits) as session:
        yield session


def _moment(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"--at: found {text!r}, expected a time as 2018-11-30T12:00") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
