"""What is due, in groups of one run each: every month with work, and the songs.

Plain values from a plan; nothing here knows Dagster.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

from sparkify_assets.ingest.landing import SONG_SCOPE
from sparkify_assets.ingest.plan import ScopePlan
from sparkify_assets.partitions import ranges_of
from sparkify_assets.refresh.answers import RELEASE
from sparkify_assets.refresh.freshness import Stale
from sparkify_assets.refresh.plan import Plan
from sparkify_assets.tables import (
    ARTISTS,
    BUILT,
    RAW_LOGS,
    RAW_SONGS,
    SONG_MATCHES,
    SONGPLAYS,
    SONGS,
    TIME,
)

# What a run for new songs makes: their tables, and what was heard of them in every month.
SONG_TABLES = (RAW_SONGS.name, SONGS.name, ARTISTS.name)
REMATCHED = (SONG_MATCHES.name, SONGPLAYS.name, TIME.name, RELEASE)
MONTH_TABLES = (
    RAW_LOGS.name,
    *[t.name for t in BUILT if t.name not in SONG_TABLES],
    RELEASE,
)


@dataclass(frozen=True)
class Due:
    """One run that is due.

    Attributes:
        group: a month, or `songs` (with a range of months where there are several).
        months: the months that the run is for; none where it is for song tables alone.
        tables: the assets to materialize.
        why: for people.
        works: each stands for exactly what there is to do, and has another value for other work.
    """

    group: str
    months: tuple[str, ...]
    tables: tuple[str, ...]
    why: str
    works: tuple[str, ...]


@dataclass
class _Work:
    scope: ScopePlan | None = None
    stale: list[Stale] = field(default_factory=list)

    def why(self) -> str:
        found = []
        if self.scope:
            counts = {
                "new": len(self.scope.new),
                "changed": len(self.scope.changed),
                "removed": len(self.scope.removed),
            }
            found += [f"{number} {kind}" for kind, number in counts.items() if number]
            found[-1:] = [f"{found[-1]} file{'' if sum(counts.values()) == 1 else 's'}"]
        if self.stale:
            names = sorted({stale.table.name for stale in self.stale})
            found.append(f"out of date: {', '.join(names)}")
        return ", ".join(found)

    def works(self, ledger: str) -> list[str]:
        """What stands for the files, and what for the tables alone; each is tried by itself.

        Tables are not looked at each time, and mostly follow from the files; so they are not part
        of the first. But where its files are given up, a month's tables can still be made.
        """
        works = []
        if self.scope:
            items = [f"{file.key}\0{file.etag}\0{file.size}" for file in self.scope.to_read]
            works.append(_hash(ledger, [*items, *self.scope.removed]))
        if self.stale:
            items = [f"{s.table.name}/{s.key} {s.fingerprint}" for s in self.stale]
            works.append(_hash(ledger, items))
        return works


def _hash(ledger: str, items: list[str]) -> str:
    digest = hashlib.blake2b(f"{ledger}\n".encode(), digest_size=8)
    for item in sorted(items):
        digest.update(f"{item}\n".encode())
    return digest.hexdigest()


def due_runs(plan: Plan, months: Iterable[str], busy: Collection[str] = ()) -> list[Due]:
    """Every run that is due, the songs first.

    Args:
        months: the configured ones.
        busy: groups with a run under way, which will make what is out of date there.
    """
    allowed = set(months)
    groups: dict[str, _Work] = {}
    for scope in plan.scopes:
        groups.setdefault(scope.scope, _Work()).scope = scope
    events = [month for month in plan.ledger.event_months() if month in allowed]
    # Tables without months come last: users are made with any month that is made anyhow.
    for stale in sorted(plan.stale, key=lambda found: not found.table.monthly):
        group = _group_of(stale, {*groups, *busy}, events)
        if group is not None:
            groups.setdefault(group, _Work()).stale.append(stale)
    found = []
    for group, work in sorted(groups.items(), reverse=True):
        counter = plan.ledger.counter(group)
        works = work.works(f"{plan.ledger.identity}/{counter}")
        if group == SONG_SCOPE:
            # A range with a gap would make months that nobody asked for.
            ranges = ranges_of(events) or [[]]
            for several in ranges:
                tables = SONG_TABLES + (REMATCHED if several else (RELEASE,))
                part = f" {several[0]}..{several[-1]}" if len(ranges) > 1 else ""
                found.append(_due(group + part, several, tables, work, works, counter))
        else:
            found.append(_due(group, [group], MONTH_TABLES, work, works, counter))
    return found


def _due(
    group: str,
    months: Sequence[str],
    tables: tuple[str, ...],
    work: _Work,
    works: list[str],
    counter: int,
) -> Due:
    named = tuple(f"{group}:{counter}-{one}" for one in works)
    return Due(group, tuple(months), tables, work.why(), named)


def _group_of(stale: Stale, groups: Collection[str], events: list[str]) -> str | None:
    """The run that makes it: of its month, of the songs, or of the newest month."""
    if stale.table in (SONGS, ARTISTS):
        return SONG_SCOPE
    if stale.table is SONG_MATCHES and stale.key not in groups:
        return SONG_SCOPE
    if stale.table.monthly:
        return stale.key
    of_months = [group for group in groups if not group.startswith(SONG_SCOPE)]
    return max(of_months, default=None) or (events[-1] if events else None)
