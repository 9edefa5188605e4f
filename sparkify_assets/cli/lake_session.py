"""A session over the lake of the settings, for the commands that answer from it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
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
        help="A moment, UTC: 2018-11-30, '2018-11-30 12:00' or 2018-11-30T12:00:00; the lake as "
        "of its last release then.",
        show_default="the newest release",
    ),
]


@contextmanager
def lake_session(lake: str | None, at: str | None) -> Iterator[Session]:
    """A session with the settings' limits.

    Args:
        lake: the option `--lake`.
        at: the option `--at`.

    Raises:
        UsageError: `at` is no moment.
        LakeError: there is no release, or none of that moment.
    """
    from sparkify_assets.analytics.session import Limits, open_session
    from sparkify_assets.lake.lake import Lake
    from sparkify_assets.lake.release import release_at

    settings = load_settings(lake=lake)
    found = Lake.at(settings.lake)
    release = None if at is None else release_at(found, moment(at))
    limits = Limits(settings.query_memory_gb, settings.query_seconds)
    with open_session(found, release, limits) as session:
        yield session


def moment(text: str) -> datetime:
    """The moment that a text stands for, UTC where it names no other.

    Raises:
        UsageError: it is none.
    """
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        raise UsageError(
            f"--at: found {text!r}, expected a moment as 2018-11-30 or '2018-11-30 12:00'"
        ) from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
