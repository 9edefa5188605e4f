"""A run, second half: making the tables, as `refresh/build.py` does.

`plays` is made from the landed files, `totals` from `plays`. Reading, transforming and writing
parts are one step with the commit: what they read was seen before, and does not change.
"""

from __future__ import annotations

from sparkify_assets_tests.model.process import Next, Process, Step, commit
from sparkify_assets_tests.model.rules import Rules
from sparkify_assets_tests.model.state import Built, Ledger, Raw, Row, Shared

# `Lake.look`: tables before those that they are made from, then the ledger, then the raw rows.
_LOOK = ("totals", "plays", "ledger", "raw")
_LOOK_WRONG = ("ledger", "raw", "plays", "totals")
# A run whose steps are processes of their own, as under most of Dagster's executors: each looks.
RUN, RUN_BY_STEPS = "run", "run by steps"


def look(purpose: str, then: str) -> dict[str, Step]:
    """The steps of one `Lake.look`, `PURPOSE: look 0` and on; `then` is the step after it."""

    def see(number: int) -> Step:
        def step(shared: Shared, process: Process, rules: Rules) -> list[Next]:
            log = (_LOOK if rules.tables_before_sources else _LOOK_WRONG)[number]
            if not number:  # what was seen before is of no use any more
                process = process._replace(
                    totals=Built(), plays=Built(), ledger=Ledger(), raw=Raw()
                )
            goes = f"{purpose}: look {number + 1}" if number + 1 < len(_LOOK) else then
            found = process.sees(log, shared.log(log)).goes_to(goes)
            return [Next(f"look: find {log}", shared, found)]

        return step

    return {f"{purpose}: look {number}": see(number) for number in range(len(_LOOK))}


def build_plays(shared: Shared, process: Process, rules: Rules) -> list[Next]:
    """Make `plays` from the rows that count, if it is not up to date."""
    after = "look for totals: look 0" if process.kind == RUN_BY_STEPS else "build totals"
    stamp = process.ledger.fingerprint
    if process.plays.stamp == stamp:
        return [Next("build plays: up to date", shared, process.goes_to(after))]
    rows = counting(process.ledger, process.raw)
    if rules.rows_counted and len(rows) != len(stamp):
        return [Next("build plays: PlanChanged, rows", shared, process.goes_to("build: look 0"))]
    source = process.ledger.version
    return _replace(shared, process, rules, "plays", (stamp, rows, source), after, "build: look 0")


def build_totals(shared: Shared, process: Process, rules: Rules) -> list[Next]:
    """Make `totals` from `plays`, if it is not up to date."""
    again = "look for totals: look 0"
    source = process.plays
    stamp = source.stamp or ()
    if process.totals.stamp == stamp:
        return [Next("build totals: up to date", shared, process.goes_to("release"))]
    made = (stamp, source.rows, source.version)
    return _replace(shared, process, rules, "totals", made, "release", again)


def counting(ledger: Ledger, raw: Raw) -> tuple[Row, ...]:
    """The raw rows that count: those of the batches that the ledger names for their file."""
    named = {
        (scope, file.batch, file.file)
        for scope, found in enumerate(ledger.scopes)
        for file in found.files
    }
    return tuple(
        sorted(
            row
            for part in raw.parts
            for row in part.rows
            if (part.scope, part.batch, row[0]) in named
        )
    )


def _replace(
    shared: Shared,
    process: Process,
    rules: Rules,
    name: str,
    made: tuple[tuple[Row, ...], tuple[Row, ...], int],
    then: str,
    again: str,
) -> list[Next]:
    """`commit.replace`: refused where the partition was replaced since the process saw it."""
    base, current = process.built(name), shared.built(name)
    label = f"replace {name}"
    stamp, rows, source = made
    same = (base.stamp, base.part) == (current.stamp, current.part)
    if rules.replacement_known:
        same = base.version == current.version
    if rules.tables_checked and not same:
        return [Next(f"{label}: PlanChanged", shared, process.goes_to(again))]
    version = current.version + 1
    new = Built(version, stamp, rows, version if rows else 0, source)
    label = f"{label} by {' '.join(f'{file}{content}' for file, content in stamp) or 'nothing'}"
    writer = process._replace(retry=again)
    return commit(shared, writer, name, new, process.goes_to(then), label)


STEPS: dict[str, Step] = {
    **look("build", "build plays"),
    "build plays": build_plays,
    **look("look for totals", "build totals"),
    "build totals": build_totals,
}
