"""The SQL session of a command: over the lake of the settings, with their limits."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from sparkify_assets.errors import UsageError
from sparkify_assets.settings import load_settings

if TYPE_CHECKING:
    from sparkify_assets.analytics.session import Session

AtOption = Annotated[
    str | None,
    typer.Option(
        "--at",
        help="Read the release of that time: 2018-11-30T12:00 (UTC if it names no zone), "
        "or so long ago: 30m, 2h.",
        show_default="the newest",
    ),
]
_AGO = re.compile(r"(\d+)\s*(s|m|h|d)")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


@contextmanager
def lake_session(lake: str | None, at: str | None = None) -> Iterator[Session]:
    """A session over the newest release, or that of a time.

    Args:
        lake: in place of the setting.
        at: see `moment`.

    Raises:
        UsageError: `at` is no time.
        LakeError: there is no release, or none of that time is kept.
    """
    from sparkify_assets.analytics.memory import limit_memory
    from sparkify_assets.analytics.session import Limits, open_session
    from sparkify_assets.lake.lake import Lake
    from sparkify_assets.lake.release import release_at

    when = moment(at) if at else None
    settings = load_settings(lake=lake)
    found = Lake.at(settings.lake)
    limits = Limits(settings.query_memory_gb, settings.query_seconds)
    limit_memory(limits.memory_gb)
    with open_session(found, release_at(found, when) if when else None, limits) as session:
        yield session


def moment(text: str) -> datetime:
    """A time as people write it.

    Raises:
        UsageError: it is none.
    """
    ago = _AGO.fullmatch(text.strip())
    if ago:
        return datetime.now(UTC) - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        raise UsageError(
            f"--at: found {text!r}, expected a time as 2018-11-30T12:00, or so long ago: 30m, 2h"
        ) from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
