"""The rules of the protocol, each of which can be broken on purpose."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Rules:
    """True is the protocol as it is; see `mutations` for what comes of each that is not kept.

    Attributes:
        ledger_before_listing: an ingest reads the ledger, then lists the landing zone.
        unchanged_files_only: a file that is no longer as listed, once it was read, is left out.
        due_by_fingerprint: a table is made if its fingerprint says so, whoever took the files in.
        rows_before_ledger: rows are appended before the ledger names them.
        ledger_checked: the ledger's commit is refused where a scope of it was replaced meanwhile.
        tables_checked: the same of the commit of a built table.
        replacement_known: it compares when a partition was replaced, too, not only what it is.
        tables_before_sources: a table is looked at before what it is made from.
        rows_counted: rows that are delivered are counted against the ledger.
        counting_rows_together: only rows that count are put together.
        replaced_are_dead: rows of replaced files are dropped like those of interrupted runs.
        fence_before_drop: counters are raised before dead rows are dropped.
        dead_before_fence: what is dead is found before the counters are raised, not afterwards.
        commit_looked_up: after an error the log is asked whether the commit landed.
        appended_once: so it is where rows were appended; they are not written once more.
        parts_kept: parts stay after an error of the commit that names them.
        release_first: the newest release is looked up before the tables are looked at.
        release_looks_again: who was overtaken looks at the tables again.
        release_when_current: a release is recorded only where nothing is out of date.
        release_ledger_again: the ledger is looked at once more after the raw rows.
    """

    ledger_before_listing: bool = True
    unchanged_files_only: bool = True
    due_by_fingerprint: bool = True
    rows_before_ledger: bool = True
    ledger_checked: bool = True
    tables_checked: bool = True
    replacement_known: bool = True
    tables_before_sources: bool = True
    rows_counted: bool = True
    counting_rows_together: bool = True
    replaced_are_dead: bool = True
    fence_before_drop: bool = True
    dead_before_fence: bool = True
    commit_looked_up: bool = True
    appended_once: bool = True
    parts_kept: bool = True
    release_first: bool = True
    release_looks_again: bool = True
    release_when_current: bool = True
    release_ledger_again: bool = True


KEPT = Rules()
