"""What is told about a run: its steps while it goes on, its outcome at the end.

Apart from `run`, which does it, so that showing it does not load Dagster.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sparkify_assets.ingest.taken_in import TakenIn

if TYPE_CHECKING:
    from sparkify_assets.refresh.plan import Plan
    from sparkify_assets.refresh.publish import Published


@dataclass
class Step:
    """What became of one step: `state` is running, retry, done, failed or skipped."""

    name: str
    state: str
    seconds: float = 0.0


@dataclass
class Outcome:
    """What a whole run did.

    Attributes:
        left: what there still is to do.
        seconds: by step.
        unreadable: files that could not be read, with the reason of each.
        laid_aside: months that could not be made, with the reason.
        published: the newest release afterwards.
        taken_in: what its own commits of the ledger took in, in all passes.
    """

    before: Plan
    left: Plan
    run_ids: list[str] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)
    unreadable: dict[str, str] = field(default_factory=dict)
    laid_aside: dict[str, str] = field(default_factory=dict)
    published: Published | None = None
    taken_in: TakenIn = field(default_factory=TakenIn)


Watcher = Callable[[Step], None]
