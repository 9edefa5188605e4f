"""Maintenance: raw parts put together and dead rows removed, as in `maintenance/`."""

from __future__ import annotations

from sparkify_assets_tests.model.ingest import replace_scopes
from sparkify_assets_tests.model.process import Next, Process, Step, commit
from sparkify_assets_tests.model.rules import Rules
from sparkify_assets_tests.model.state import Landed, Ledger, Raw, RawPart, Row, Shared

COMPACT, DEAD = "compaction", "removal of dead rows"
# More live batches of a scope than this are put together.
_MOST_BATCHES = 1


def read_ledger(shared: Shared, process: Process, rules: Rules) -> list[Next]:
    """See the ledger, before the rows that it names: `_plan` in `maintenance/compact.py`.

    The plan before the first round, which only says where there is something to do, is left out.
    """
    found = process.sees("ledger", shared.ledger)
    return [Next("read_ledger", shared, found.goes_to("compact: find_batches"))]


def find_batches(shared: Shared, process: Process, rules: Rules) -> list[Next]:
    """See the raw rows, choose the batches of one scope, write their rows anew (`rewrite`)."""
    found = process.sees("raw", shared.raw)
    for scope in range(len(process.ledger.scopes)):
        chosen = tuple(p for p in live(found.raw, found.ledger) if p.scope == scope)
        if len({part.batch for part in chosen}) > _MOST_BATCHES:
            after = found._replace(batches=chosen).goes_to("compact: append")
            return [Next("find_batches, rewrite", shared, after)]
    return [Next("find_batches: few", shared, process.ends())]


def append(shared: Shared, process: Process, rules: Rules) -> list[Next]:
    """Make the rows of the old batches visible as one new batch, which no file names yet."""
    version = shared.raw.version + 1
    scope = process.batches[0].scope
    new = RawPart(version, scope, _rows(process, rules))
    after = process._replace(batch=version).goes_to("compact: commit")
    writer = process._replace(retry="compact: read_ledger")
    raw = Raw(version, (*shared.raw.parts, new))
    return commit(shared, writer, "raw", raw, after, f"append raw, batch {version}, of old rows")


def commit_ledger(shared: Shared, process: Process, rules: Rules) -> list[Next]:
    """Commit the ledger with the files naming the new batch."""
    scope, old = process.batches[0].scope, {part.batch for part in process.batches}
    files = process.ledger.scopes[scope].files
    after = tuple(f._replace(batch=process.batch) if f.batch in old else f for f in files)
    label = f"commit ledger, batch {process.batch} named"
    again = "compact: read_ledger"
    return replace_scopes(shared, process, rules, {scope: after}, process.ends(), label, again)


def see_raw(shared: Shared, process: Process, rules: Rules) -> list[Next]:
    """R: what lies in the raw tables. `remove_dead` in `maintenance/dead.py` begins with it."""
    found = process.sees("raw", shared.raw)
    return [Next("find_batches", shared, found.goes_to("dead: read_ledger"))]


def find_dead(shared: Shared, process: Process, rules: Rules) -> list[Next]:
    """See the ledger; dead is what lies in R and is not named."""
    found = process.sees("ledger", shared.ledger)
    dead = tuple(part for part in found.raw.parts if part not in live(found.raw, found.ledger))
    if not rules.replaced_are_dead:
        dead = tuple(p for p in dead if p.batch > max(f.batch for f in found.ledger.files))
    label = f"read_ledger, dead: {[part.batch for part in dead]}"
    if not dead:
        return [Next(label, shared, process.ends())]
    after = "dead: fence" if rules.fence_before_drop else "dead: drop"
    return [Next(label, shared, found._replace(batches=dead).goes_to(after))]


def fence(shared: Shared, process: Process, rules: Rules) -> list[Next]:
    """Raise the counters of the scopes that have dead rows: `Ledger.fence`."""
    scopes = {part.scope: process.ledger.scopes[part.scope].files for part in process.batches}
    after = process.goes_to("dead: drop")
    return replace_scopes(shared, process, rules, scopes, after, "fence", "dead: find_batches")


def drop(shared: Shared, process: Process, rules: Rules) -> list[Next]:
    """Take the dead parts out of the log; those that are gone already are passed over."""
    dead = process.batches
    if not rules.dead_before_fence:
        dead = tuple(p for p in shared.raw.parts if p not in live(shared.raw, process.ledger))
    left = tuple(part for part in shared.raw.parts if part not in dead)
    label = f"drop batches {[part.batch for part in dead]}"
    if left == shared.raw.parts:
        return [Next(label, shared, process.ends())]
    raw = Raw(shared.raw.version + 1, left)
    writer = process._replace(retry="dead: find_batches")
    return commit(shared, writer, "raw", raw, process.ends(), label)


def live(raw: Raw, ledger: Ledger) -> tuple[RawPart, ...]:
    """The parts of batches that the ledger names for any file of their scope: `split`."""
    named = {(number, f.batch) for number, scope in enumerate(ledger.scopes) for f in scope.files}
    return tuple(part for part in raw.parts if (part.scope, part.batch) in named)


def _rows(process: Process, rules: Rules) -> tuple[Row, ...]:
    if not rules.counting_rows_together:
        return tuple(row for part in process.batches for row in part.rows)
    scope = process.batches[0].scope
    files: tuple[Landed, ...] = process.ledger.scopes[scope].files
    named = {(file.file, file.batch) for file in files}
    return tuple(r for p in process.batches for r in p.rows if (r[0], p.batch) in named)


STEPS: dict[str, Step] = {
    "compact: read_ledger": read_ledger,
    "compact: find_batches": find_batches,
    "compact: append": append,
    "compact: commit": commit_ledger,
    "dead: find_batches": see_raw,
    "dead: read_ledger": find_dead,
    "dead: fence": fence,
    "dead: drop": drop,
}
