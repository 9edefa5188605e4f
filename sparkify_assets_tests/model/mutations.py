"""Broken protocols: one rule of `Rules` each, and a small world in which that shows."""

from __future__ import annotations

from dataclasses import dataclass

from sparkify_assets_tests.model.builds import RUN
from sparkify_assets_tests.model.explore import Explored, State, explore
from sparkify_assets_tests.model.promises import (
    FORWARD,
    LATER,
    LOST,
    RECOVERED,
    STAMPED,
    STAYS,
    TIDY,
    TOGETHER,
    TWICE,
)
from sparkify_assets_tests.model.rules import Rules
from sparkify_assets_tests.model.upkeep import COMPACT, DEAD
from sparkify_assets_tests.model.worlds import emptied, empty, loaded, nothing, together


@dataclass(frozen=True)
class Mutation:
    """One rule that is not kept.

    Attributes:
        name: what is done instead, in words.
        rule: the field of `Rules` that is False.
        breaks: the promise that is broken first.
        begin: where a broken promise is found soon.
    """

    name: str
    rule: str
    breaks: str
    begin: State

    def explore(self) -> Explored:
        """Find the shortest way to a broken promise."""
        return explore(self.begin, Rules(**{self.rule: False}))


MUTATIONS = [
    Mutation(
        "only who took files in makes tables", "due_by_fingerprint", RECOVERED, empty(1, 0, 1, RUN)
    ),
    Mutation(
        "after an error rows are written and appended once more",
        "appended_once",
        TWICE,
        empty(1, 0, 1, RUN),
    ),
    Mutation(
        "rows that count no longer are put together with those that do",
        "counting_rows_together",
        TWICE,
        together(COMPACT),
    ),
    Mutation(
        "only what interrupted runs left is dropped", "replaced_are_dead", TIDY, loaded(0, 0, RUN)
    ),
    Mutation(
        "the landing zone is listed before the ledger is read",
        "ledger_before_listing",
        STAYS,
        nothing(1, 0, RUN, RUN),
    ),
    Mutation(
        "a file that changed while it was read is taken in under its old tag",
        "unchanged_files_only",
        STAMPED,
        empty(1, 1, 0, RUN),
    ),
    Mutation(
        "the ledger is committed before the rows are appended",
        "rows_before_ledger",
        LOST,
        empty(1, 0, 1, RUN),
    ),
    Mutation("no counter is checked", "ledger_checked", STAYS, empty(1, 1, 0, RUN, RUN)),
    Mutation("no stamp of a table is checked", "tables_checked", FORWARD, loaded(0, 0, RUN, RUN)),
    Mutation(
        "a partition that became empty again passes for one that was left alone",
        "replacement_known",
        FORWARD,
        emptied(),
    ),
    Mutation(
        "a table is looked at after its sources",
        "tables_before_sources",
        FORWARD,
        empty(1, 1, 0, RUN, RUN),
    ),
    Mutation(
        "rows are not counted against the ledger",
        "rows_counted",
        STAMPED,
        loaded(0, 0, RUN, COMPACT, DEAD),
    ),
    Mutation(
        "dead rows are dropped without a fence", "fence_before_drop", LOST, loaded(0, 0, RUN, DEAD)
    ),
    Mutation(
        "dead rows are looked for after the fence",
        "dead_before_fence",
        LOST,
        loaded(0, 0, RUN, DEAD),
    ),
    Mutation(
        "an error is taken for a commit that did not land, and it is put again",
        "commit_looked_up",
        STAYS,
        loaded(0, 1, RUN, DEAD),
    ),
    Mutation("parts are deleted after an error", "parts_kept", STAMPED, empty(1, 0, 1, RUN)),
    Mutation(
        "the newest release is looked up after the tables",
        "release_first",
        LATER,
        loaded(0, 0, RUN, RUN),
    ),
    Mutation(
        "who was overtaken records without a new look",
        "release_looks_again",
        LATER,
        loaded(0, 0, RUN, RUN),
    ),
    Mutation(
        "a release is recorded while something is out of date",
        "release_when_current",
        TOGETHER,
        empty(1, 1, 0, RUN, RUN),
    ),
    Mutation(
        "the ledger is not looked at again before a release",
        "release_ledger_again",
        TOGETHER,
        loaded(0, 0, RUN, COMPACT, DEAD),
    ),
]
