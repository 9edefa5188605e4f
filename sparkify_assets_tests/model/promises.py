"""What the protocol promises: of every state, of every step, and of the end after a recovery run.

The numbers are those of `docs/protocol.md`.
"""

from __future__ import annotations

from sparkify_assets_tests.model.builds import counting
from sparkify_assets_tests.model.state import FILES, Built, Ledger, Raw, Shared

TWICE = "1: no row counts twice"
LOST = "2: what the ledger names has its rows"
STAYS = "3: a file that is in and lies there unchanged stays in"
STAMPED = "4: a table's rows are what its stamp says"
FORWARD = "5: a table never goes back to an older state of its source"
TOGETHER = "6: the tables of a release belong together"
LATER = "7: a later release never has an older table"
RECOVERED = "8: after one undisturbed run all is as one clean load makes it"
TIDY = "9: upkeep changes no row and leaves no dead one"
PROMISES = (TWICE, LOST, STAYS, STAMPED, FORWARD, TOGETHER, LATER, RECOVERED, TIDY)


def broken(before: Shared, after: Shared) -> str | None:
    """The promise that a step broke, None where it broke none."""
    if after.raw is not before.raw or after.ledger is not before.ledger:
        if found := _rows(after.ledger, after.raw):
            return found
        if not _stays(before, after):
            return STAYS
    for old, new in ((before.plays, after.plays), (before.totals, after.totals)):
        if new is old:
            continue
        if len({file for file, _ in new.rows}) < len(new.rows):
            return TWICE
        if new.rows != (new.stamp or ()):
            return STAMPED
        if new.source < old.source:
            return FORWARD
    if after.release is not before.release:
        return _release(before, after)
    return None


def _rows(ledger: Ledger, raw: Raw) -> str | None:
    rows = [file for file, _ in counting(ledger, raw)]
    if len(set(rows)) < len(rows):
        return TWICE
    return LOST if len(rows) < len(ledger.files) else None


def _stays(before: Shared, after: Shared) -> bool:
    lying = set(zip(FILES, before.landing, strict=False))
    kept = set(before.ledger.fingerprint) & lying
    return kept <= set(after.ledger.fingerprint)


def _release(before: Shared, after: Shared) -> str | None:
    new = after.release
    if new.plays.stamp != new.ledger.fingerprint or new.totals.stamp != new.plays.stamp:
        return TOGETHER
    if _rows(new.ledger, new.raw):
        return TOGETHER
    older = [n < o for n, o in zip(new.versions, before.release.versions, strict=True)]
    return LATER if any(older) else None


def broken_after_recovery(found: Shared) -> str | None:
    """Whether everything is as if the landing zone, as it is, had been loaded once."""
    rows = tuple((file, now) for file, now in zip(FILES, found.landing, strict=False) if now)
    for table in (found.plays, found.totals):
        if (table.stamp, table.rows) != (rows, rows):
            return RECOVERED
    if found.ledger.fingerprint != rows or counting(found.ledger, found.raw) != rows:
        return RECOVERED
    released = (_content(found.release.totals), _content(found.release.plays))
    if released != (_content(found.totals), _content(found.plays)):
        return RECOVERED
    return None


def broken_after_upkeep(before: Shared, after: Shared) -> str | None:
    """Whether upkeep after the recovery left the same rows that count, and no other."""
    rows = counting(before.ledger, before.raw)
    if counting(after.ledger, after.raw) != rows or after.ledger.fingerprint != rows:
        return TIDY
    there = tuple(sorted(row for part in after.raw.parts for row in part.rows))
    if (after.plays, after.totals) != (before.plays, before.totals):
        return TIDY
    # A batch of which some files still count stays whole.
    named = {file.batch for file in after.ledger.files}
    dead = [part for part in after.raw.parts if part.batch not in named]
    return TIDY if dead or not set(rows) <= set(there) else None


def _content(table: Built) -> tuple[object, object]:
    return table.stamp, table.rows
