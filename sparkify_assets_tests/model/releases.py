"""The end of a run: recording a release, as `refresh/publish.py` does."""

from __future__ import annotations

from sparkify_assets_tests.model import ingest
from sparkify_assets_tests.model.builds import look
from sparkify_assets_tests.model.process import Next, Process, Step, commit
from sparkify_assets_tests.model.rules import Rules
from sparkify_assets_tests.model.state import Release, Shared


def newest_release(shared: Shared, process: Process, rules: Rules) -> list[Next]:
    """See the newest release; nothing more is done where it is of what was seen of the tables."""
    before = shared.release
    found = process._replace(before=before)
    label = f"newest_release: {before.number}"
    if not rules.release_first:
        return [Next(label, shared, found.goes_to("record"))]
    if before.number and _seen(process, 0).versions == before.versions:
        return [Next(label, shared, done(process))]
    return [Next(label, shared, found.goes_to("release: look 0"))]


def ledger_again(shared: Shared, process: Process, rules: Rules) -> list[Next]:
    """Whether the ledger is still the one that was seen before the raw rows, and all is current."""
    if rules.release_ledger_again and shared.ledger.version != process.ledger.version:
        found = process.sees("ledger", shared.ledger).goes_to(_first(rules))
        return [Next("snapshot ledger: another one", shared, found)]
    stale = process.plays.stamp != process.ledger.fingerprint
    stale = stale or process.totals.stamp != process.plays.stamp
    if stale and rules.release_when_current:
        return [Next("snapshot ledger: out of date", shared, done(process))]
    after = "record" if rules.release_first else "newest release"
    return [Next("snapshot ledger", shared, process.goes_to(after))]


def record_release(shared: Shared, process: Process, rules: Rules) -> list[Next]:
    """Put the release after the one that was the newest; refused where there is one already."""
    before = process.before
    if shared.release.number != before.number:
        if not rules.release_looks_again:
            process = process._replace(before=shared.release)
            return [Next("record_release: overtaken", shared, process.goes_to("record"))]
        found = process.goes_to(_first(rules))
        return [Next("record_release: overtaken", shared, found)]
    new = _seen(process, before.number + 1)
    writer = process._replace(retry=_first(rules))
    label = f"record_release {new.number} of versions {new.versions}"
    return commit(shared, writer, "release", new, done(process), label)


def done(process: Process) -> Process:
    """The process after all of its work: ended, or about to do it once more as a new process."""
    if not process.again:
        return process.ends()
    return Process(process.kind, ingest.BEGIN, process.again - 1)


def _first(rules: Rules) -> str:
    return "release" if rules.release_first else "release: look 0"


def _seen(process: Process, number: int) -> Release:
    return Release(number, process.totals, process.plays, process.ledger, process.raw)


def begin(shared: Shared, process: Process, rules: Rules) -> list[Next]:
    """`publish`."""
    if rules.release_first:
        return newest_release(shared, process, rules)
    return STEPS["release: look 0"](shared, process, rules)


STEPS: dict[str, Step] = {
    "release": begin,
    "newest release": newest_release,
    **look("release", "snapshot ledger"),
    "snapshot ledger": ledger_again,
    "record": record_release,
}
