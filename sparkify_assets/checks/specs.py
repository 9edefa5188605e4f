"""The checks of every asset, by name: what each says, and whether it stops what comes after."""

from __future__ import annotations

from collections.abc import Iterable

from dagster import AssetCheckSpec, PartitionsDefinition

from sparkify_assets.refresh.audit import KEY, SCHEMA
from sparkify_assets.tables import RAW_LOGS, SONGPLAYS, Table

# The step with the checks that need all tables.
STEP = "checks_of_plays"
LINES_ACCOUNTED = "lines_accounted"
REJECTED_SHARE = "rejected_share"
MONTHS_CONFIGURED = "months_configured"
SESSIONS_WITHOUT_HOLES = "sessions_without_holes"
PLAYS_ARE_EVENTS = "plays_are_events"
REFERENCES = "references"
MATCH_RATE = "match_rate"

_SAYS = {
    KEY: "The key is unique and every required column is filled. Checked before a commit: what "
    "fails is not published, and readers see the partition as it was.",
    SCHEMA: "The written columns and types are those declared in tables/. Checked before a commit.",
    LINES_ACCOUNTED: "For every landed file, rows + rejected = lines, and the raw table and "
    "rejects hold as many rows as the ledger counts.",
    REJECTED_SHARE: "No more lines are rejected than SPARKIFY_REJECTED_SHARE allows (a warning).",
    MONTHS_CONFIGURED: "No file has events outside the configured months: they would be in no "
    "table (a warning).",
    SESSIONS_WITHOUT_HOLES: "itemInSession runs without holes within each session: otherwise "
    "events were lost before they landed (a warning).",
    PLAYS_ARE_EVENTS: "As many plays as distinct NextSong events in the landed files, counted "
    "apart from the transform.",
    REFERENCES: "Every play refers to an existing time and, where set, user, song and artist.",
    MATCH_RATE: "The share of plays that match a song has not dropped suddenly, compared with "
    "the months before (a warning).",
}  # fmt: skip
BLOCKING = frozenset({KEY, SCHEMA, LINES_ACCOUNTED})
WARNINGS = frozenset({REJECTED_SHARE, MONTHS_CONFIGURED, SESSIONS_WITHOUT_HOLES, MATCH_RATE})

AUDITED = (KEY, SCHEMA)
OF_RAW_LOGS = (LINES_ACCOUNTED, REJECTED_SHARE, MONTHS_CONFIGURED)
OF_RAW_SONGS = (LINES_ACCOUNTED, REJECTED_SHARE)
# Made in a step of their own, after all tables.
AFTERWARDS = {
    RAW_LOGS.name: (SESSIONS_WITHOUT_HOLES,),
    SONGPLAYS.name: (PLAYS_ARE_EVENTS, REFERENCES, MATCH_RATE),
}


def specs(
    table: Table,
    names: Iterable[str],
    months: PartitionsDefinition[str] | None,
    after: Iterable[str] = (),
) -> list[AssetCheckSpec]:
    """The specs of some checks of a table.

    Args:
        months: of a table by month; each month then has results of its own.
        after: assets that the checks have to wait for, where they are in the same run.
    """
    return [
        AssetCheckSpec(
            name,
            asset=table.name,
            description=_SAYS[name],
            blocking=name in BLOCKING,
            partitions_def=months,
            additional_deps=list(after),
        )
        for name in names
    ]
