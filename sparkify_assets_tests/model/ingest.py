"""A run, first half: taking landing files in, as `ingest/ingest.py` does."""

from __future__ import annotations

from sparkify_assets_tests.model.process import Next, Process, Step, Taken, begins_again, commit
from sparkify_assets_tests.model.rules import Rules
from sparkify_assets_tests.model.state import FILES, Landed, Ledger, Raw, RawPart, Scope, Shared

# What a run does first, and what after the files.
BEGIN = "ingest"
BUILDS = "build: look 0"
# A batch's name where the ledger is committed before there is one.
_EARLY = 1000


def begin(shared: Shared, process: Process, rules: Rules) -> list[Next]:
    """`_ingest_once`: the ledger first. A file that lands between the two is then new, not gone."""
    first = read_ledger if rules.ledger_before_listing else list_landing
    return first(shared, process, rules)


def read_ledger(shared: Shared, process: Process, rules: Rules) -> list[Next]:
    """See the ledger."""
    found = process.sees("ledger", shared.ledger)
    after = found.goes_to("list") if rules.ledger_before_listing else _planned(found, rules)
    return [Next("read_ledger", shared, after)]


def list_landing(shared: Shared, process: Process, rules: Rules) -> list[Next]:
    """See the landing zone, and plan: `plan_scope` in `ingest/plan.py`."""
    found = process._replace(listing=shared.landing)
    after = _planned(found, rules) if rules.ledger_before_listing else found.goes_to("read_ledger")
    return [Next("landing.list", shared, after)]


def read_all(shared: Shared, process: Process, rules: Rules) -> list[Next]:
    """Read the new and changed files; the rows lie in files that no commit names.

    All at one moment: a change of one file and the reading of another do not meet.
    """
    taken = []
    for file, listed, now in zip(FILES, process.listing, shared.landing, strict=False):
        if not listed or (file, listed) in process.ledger.fingerprint or not now:
            continue
        if listed == now or not rules.unchanged_files_only:
            taken.append(Taken(file, listed, now))
    after = process._replace(taken=tuple(taken), listing=())
    if not rules.rows_before_ledger:
        after = after._replace(batch=_EARLY + process.ledger.version)
    label = f"read {', '.join(f'{one.file}{one.listed}' for one in taken) or 'nothing'}"
    if not taken and not after.removed:
        return [Next(label, shared, _nothing_to_do(after, rules))]
    first = "append" if taken and rules.rows_before_ledger else "commit"
    return [Next(label, shared, after.goes_to(first))]


def append(shared: Shared, process: Process, rules: Rules) -> list[Next]:
    """Make the rows visible, as one batch with a part for each scope."""
    version = shared.raw.version + 1
    batch = process.batch or version
    rows: dict[int, list[tuple[str, int]]] = {}
    for one in process.taken:
        rows.setdefault(scope_of(shared, one.file), []).append((one.file, one.read))
    parts = tuple(RawPart(batch, scope, tuple(found)) for scope, found in rows.items())
    new = Raw(version, (*shared.raw.parts, *parts))
    after = process._replace(batch=batch, retry="")
    after = after.goes_to("commit") if rules.rows_before_ledger else _taken_in(after)
    label = f"append raw, batch {batch}"
    return commit(shared, process._replace(retry=BEGIN), "raw", new, after, label)


def commit_ledger(shared: Shared, process: Process, rules: Rules) -> list[Next]:
    """Commit the files as taken in: `Ledger.commit` in `ingest/ledger.py`."""
    landed = [Landed(one.file, one.listed, process.batch) for one in process.taken]
    changed = {scope_of(shared, file) for file in (*process.removed, *(f.file for f in landed))}
    gone = {*process.removed, *(file.file for file in landed)}
    scopes: dict[int, tuple[Landed, ...]] = {}
    for scope in changed:
        kept = [file for file in process.ledger.scopes[scope].files if file.file not in gone]
        here = [file for file in landed if scope_of(shared, file.file) == scope]
        scopes[scope] = tuple(sorted([*kept, *here]))
    label = f"commit ledger {' '.join(f'{f.file}{f.content}' for f in landed)}".rstrip()
    if process.removed:
        label += f", without {' '.join(process.removed)}"
    after = process.goes_to("append") if _appends_now(process, rules) else _taken_in(process)
    return replace_scopes(shared, process, rules, scopes, after, label, BEGIN)


def _appends_now(process: Process, rules: Rules) -> bool:
    return bool(process.taken) and not rules.rows_before_ledger


def replace_scopes(
    shared: Shared,
    process: Process,
    rules: Rules,
    scopes: dict[int, tuple[Landed, ...]],
    then: Process,
    label: str,
    again: str,
) -> list[Next]:
    """Commit these scopes, each with its counter raised; refused where one was replaced since.

    Args:
        again: the step with which the process plans again.
    """
    current = shared.ledger
    unchanged = all(current.scopes[s] == process.ledger.scopes[s] for s in scopes)
    if rules.ledger_checked and not unchanged:
        after = begins_again(process._replace(retry=again))
        return [Next(f"{label}: PlanChanged", shared, after)]
    new = Ledger(
        current.version + 1,
        tuple(
            Scope(process.ledger.scopes[number].counter + 1, scopes[number])
            if number in scopes
            else scope
            for number, scope in enumerate(current.scopes)
        ),
    )
    return commit(shared, process._replace(retry=again), "ledger", new, then, label)


def scope_of(shared: Shared, file: str) -> int:
    """The partition of the ledger that a file belongs to."""
    return shared.scopes[FILES.index(file)]


def _planned(process: Process, rules: Rules) -> Process:
    known = process.ledger.fingerprint
    listed = {(f, c) for f, c in zip(FILES, process.listing, strict=False) if c}
    removed = tuple(file for file, _ in known if file not in {name for name, _ in listed})
    if listed - set(known):
        return process._replace(removed=removed).goes_to("read")
    if removed:
        return process._replace(removed=removed, listing=()).goes_to("commit")
    return _nothing_to_do(process, rules)


def _nothing_to_do(process: Process, rules: Rules) -> Process:
    after = _taken_in(process)
    return after if rules.due_by_fingerprint else after.goes_to("release")


def _taken_in(process: Process) -> Process:
    return Process(process.kind, BUILDS, process.again)


STEPS: dict[str, Step] = {
    BEGIN: begin,
    "read_ledger": read_ledger,
    "list": list_landing,
    "read": read_all,
    "append": append,
    "commit": commit_ledger,
}
