"""One process: what it has seen of the lake, where it is, and how its commits can go out.

A commit is one step here: the writer's put of the next version. In the code it is a loop: a put
that comes too late is followed by a look, by the same check and by another put. The put that lands
follows a check against just the version before it, so check and put are as one step; all others
change nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, cast

from sparkify_assets_tests.model.rules import Rules
from sparkify_assets_tests.model.state import (
    Built,
    Ledger,
    Log,
    Put,
    Raw,
    RawPart,
    Release,
    Shared,
    place,
)

ENDED = "ended"
_KEEPS_WHAT_IT_SAW = ("release", "release: look 0")


class Taken(NamedTuple):
    """A file that was read: its content as it was listed, and as it was read."""

    file: str
    listed: int
    read: int


class Process(NamedTuple):
    """What one process knows: nothing is shared with others but through the lake.

    Attributes:
        kind: what it does; `runs`, `upkeep` have the steps.
        next: the name of its next step.
        again: how often it does all of it after this time.
        raw, ledger, plays, totals: the versions that it saw last (`Lake.seen`).
        listing: of the landing zone, as `Shared.landing`.
        taken, removed: what an ingest read, and files that are gone.
        batch: the one that it has appended.
        batches: those to put together, or to drop.
        before: the newest release when the recording of the next was begun.
        after: how it goes on if a commit with an error turns out to have landed.
        retry: the step with which it begins again where the lake does not answer.
    """

    kind: str
    next: str
    again: int = 0
    raw: Raw = Raw()
    ledger: Ledger = Ledger()
    plays: Built = Built()
    totals: Built = Built()
    listing: tuple[int, ...] = ()
    taken: tuple[Taken, ...] = ()
    removed: tuple[str, ...] = ()
    batch: int = 0
    batches: tuple[RawPart, ...] = ()
    before: Release = Release()
    after: Pending | None = None
    retry: str = ""

    def goes_to(self, step: str) -> Process:
        """The process with its next step; what it saw stays."""
        return self._replace(next=step, after=None, retry="")

    def sees(self, log: str, found: Log) -> Process:
        """The process once it has looked at one of the logs."""
        changed: dict[str, Any] = {log: found}
        return self._replace(**changed)

    def built(self, name: str) -> Built:
        """What it saw last of a built table."""
        return self.plays if name == "plays" else self.totals

    def ends(self) -> Process:
        """Ended well, failed or killed: nothing that it knew is left."""
        return Process(self.kind, ENDED)


class Pending(NamedTuple):
    """A commit that was answered by an error.

    Attributes:
        log: the log that it was for.
        then: the process, had it been answered well.
        new: what was put.
    """

    log: str
    then: Process
    new: Log


class Next(NamedTuple):
    """One way a step can go out: what it is called, and what there is afterwards."""

    label: str
    shared: Shared
    process: Process


Step = Callable[[Shared, Process, Rules], list[Next]]


def commit(
    shared: Shared, process: Process, log: str, new: Log, then: Process, label: str
) -> list[Next]:
    """Every way in which a put of `new` can go out.

    Args:
        process: the writer before it.
        then: the writer after it.
    """
    done = shared.with_log(log, new)
    found = [Next(label, done, _knowing(then, log, new))]
    if shared.faults:
        told = process._replace(next="look_up", after=Pending(log, then, new))
        left = shared.faults - 1
        under_way = shared._replace(faults=left, under_way=Put(log, new))
        found += [
            Next(f"{label}; the reply is lost", done._replace(faults=left, landed=True), told),
            Next(f"{label} fails", shared._replace(faults=left), told),
            Next(f"{label} is told as failed, and is still under way", under_way, told),
        ]
    return found


def look_up(shared: Shared, process: Process, rules: Rules) -> list[Next]:
    """What a writer does about an error of its commit: `_commit` in `lake/commit.py`.

    It looks for the id of its commit in the log. Where that look fails as well (StorageUnavailable)
    the step is tried again from its beginning. Of a release nothing is looked up: the run fails, or
    the storage's client has put once more and found it taken.
    """
    pending = process.after
    assert pending is not None
    log, current = pending.log, shared.log(pending.log)
    failed = Next("the step fails", shared, process.ends())
    retried = Next("no answer, the step begins again", shared, begins_again(process))
    if log == "release":
        return [failed, retried]
    if not rules.parts_kept and isinstance(pending.new, Built):
        return [Next("deletes its parts", _without_parts(shared, pending), process.ends())]
    if not rules.commit_looked_up and not isinstance(pending.new, Raw | Release):
        again = pending.new._replace(version=place(current) + 1)
        return [
            Next(
                f"puts {log} again", shared.with_log(log, again), _knowing(pending.then, log, again)
            )
        ]
    if not rules.appended_once and isinstance(current, Raw):
        rows = tuple(p for p in cast("Raw", pending.new).parts if p.batch == pending.then.batch)
        twice = Raw(current.version + 1, (*current.parts, *rows))
        return [Next("appends its rows again", shared.with_log(log, twice), pending.then)]
    if not shared.landed:
        return [failed, retried]
    then = _knowing(pending.then, log, current)
    return [Next(f"look_up {log}: it landed", shared, then), retried]


def begins_again(process: Process) -> Process:
    """The process at the beginning of its step; what it saw is used only for the release."""
    if process.retry in _KEEPS_WHAT_IT_SAW:
        return process.goes_to(process.retry)
    return Process(process.kind, process.retry, process.again)


def _knowing(process: Process, log: str, new: Log) -> Process:
    """A commit shows the writer its table; of raw rows and ledger nobody uses that unlooked."""
    return process.sees(log, new) if isinstance(new, Built) else process


def _without_parts(shared: Shared, pending: Pending) -> Shared:
    """What stands in the log if the files that the commit names are deleted."""
    if not shared.landed:
        return shared
    return shared.with_log(pending.log, shared.built(pending.log)._replace(rows=()))
