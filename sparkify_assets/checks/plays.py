"""Checks that need all tables: plays against events, references, sessions and the match rate.

One step after all others, in which every month of the run has results of its own.
"""

import os
from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from statistics import median
from typing import Any

import duckdb
from dagster import (
    AssetCheckExecutionContext,
    AssetChecksDefinition,
    PartitionsDefinition,
    multi_asset_check,
)
from pyspark.sql import SparkSession

from sparkify_assets.checks.elsewhere import ReferencesElsewhere, count_elsewhere
from sparkify_assets.checks.queries import (
    EVENT_COLUMNS,
    PLAY_COLUMNS,
    REFERENCES_OF_PLAYS,
    Counts,
    Month,
    References,
    database,
)
from sparkify_assets.checks.remembered import again, examined, remembered, with_mark
from sparkify_assets.checks.results import errors, evaluation, nothing_more
from sparkify_assets.checks.specs import (
    AFTERWARDS,
    MATCH_RATE,
    PLAYS_ARE_EVENTS,
    REFERENCES,
    SESSIONS_WITHOUT_HOLES,
    STEP,
    specs,
)
from sparkify_assets.errors import PlanChanged, SparkifyError
from sparkify_assets.ingest.ledger import seen_ledger
from sparkify_assets.ingest.raw import LandedLines
from sparkify_assets.lake.lake import Lake
from sparkify_assets.lake.notes import Row
from sparkify_assets.lake.snapshot import Snapshot
from sparkify_assets.metadata.found import rates_by_month
from sparkify_assets.refresh.audit import Finding
from sparkify_assets.refresh.failures import explained, is_passing, reason_of, refused
from sparkify_assets.refresh.freshness import Freshness
from sparkify_assets.resources.spark import SparkResource
from sparkify_assets.resources.storage import LakeResource
from sparkify_assets.tables import SONGPLAYS, TABLES

_EARLIER_MONTHS = 6
# Months, each of which is in memory meanwhile.
_AT_ONCE = min(4, os.cpu_count() or 1)
# A rate of fewer plays says little.
_LEAST_PLAYS = 100
_AGAIN = "Make {month} again from the landing files: the job `rebuild`"


class Examination:
    """The published tables as they are now, month by month beside the landed events.

    Args:
        elsewhere: the session of an engine on other machines, whose tasks then read the rows; None:
            they are read in this process.
    """

    def __init__(
        self,
        lake: Lake,
        match_drop: float,
        elsewhere: SparkSession | None = None,
    ) -> None:
        lake.look()
        self._elsewhere = elsewhere
        self._lake = lake
        self._ledger = seen_ledger(lake)
        self._freshness = Freshness(lake, self._ledger)
        self._plays = self._freshness.snapshot(SONGPLAYS)
        self._match_drop = match_drop
        self._rates = rates_by_month(self._plays)

    def examined(self, month: str) -> str:
        """Stands for what the checks of a month look at."""
        return examined(self._plays, self._ledger, month)

    def findings(self, wanted: Mapping[str, Collection[str]]) -> dict[str, list[Finding]]:
        """By month, the findings of the wanted checks.

        Raises:
            PlanChanged: another run changed the raw rows meanwhile; look anew.
        """
        with database() as connection, ThreadPoolExecutor(_AT_ONCE) as pool:
            references: References | ReferencesElsewhere | None = None
            if any(REFERENCES in checks for checks in wanted.values()):
                references = (
                    References(connection, self._referred())
                    if self._elsewhere is None
                    else ReferencesElsewhere(self._elsewhere, self._referred())
                )

            def examine(month: str) -> list[Finding]:
                with connection.cursor() as own:  # what it loads is for this month only
                    return self._month_or_why_not(own, references, month, wanted[month])

            return dict(zip(wanted, pool.map(examine, wanted), strict=True))

    def _month_or_why_not(
        self,
        connection: duckdb.DuckDBPyConnection,
        references: References | ReferencesElsewhere | None,
        month: str,
        checks: Collection[str],
    ) -> list[Finding]:
        try:
            return self._month(connection, references, month, checks)
        except (duckdb.Error, SparkifyError, FileNotFoundError) as error:
            if isinstance(error, PlanChanged) or is_passing(error):
                raise
            return [_unreadable(check, month, error) for check in checks]

    def _month(
        self,
        connection: duckdb.DuckDBPyConnection,
        references: References | ReferencesElsewhere | None,
        month: str,
        checks: Collection[str],
    ) -> list[Finding]:
        found = []
        if not {PLAYS_ARE_EVENTS, SESSIONS_WITHOUT_HOLES}.isdisjoint(checks):
            counts, differing = self._events(connection, month)
            if PLAYS_ARE_EVENTS in checks:
                found.append(self._plays_are_events(month, counts, differing))
            if SESSIONS_WITHOUT_HOLES in checks:
                found.append(_sessions(counts))
        if REFERENCES in checks and references is not None:
            found.append(self._references(connection, month, references))
        if MATCH_RATE in checks:
            found.append(self._match_rate(month))
        return found

    def _events(
        self, connection: duckdb.DuckDBPyConnection, month: str
    ) -> tuple[Counts, Callable[[], list[Row]]]:
        """What is counted among the events, and who tells of some that differ from the plays."""
        if self._elsewhere is not None:
            # Which ones would take both sides; how many is enough to know what to do.
            return count_elsewhere(self._elsewhere, self._lake, self._ledger, month), list
        lines = LandedLines(self._lake, self._ledger, month, EVENT_COLUMNS)
        events = Month(connection, month, lines)
        lines.check()

        def differing() -> list[Row]:
            return events.differing(self._plays.batches(PLAY_COLUMNS, [month]))

        return events.counts(), differing

    def _plays_are_events(
        self, month: str, events: Counts, differing: Callable[[], list[Row]]
    ) -> Finding:
        expected, at_most = events.plays, events.at_most
        plays = self._plays.rows_of([month])
        numbers = {"plays": plays, "events": expected, "ambiguous_events": at_most - expected}
        if expected <= plays <= at_most:
            return Finding(
                PLAYS_ARE_EVENTS, True, f"{plays:,} plays, {expected:,} events.", numbers
            )
        stale = self._out_of_date(SONGPLAYS.name, month)
        return Finding(
            PLAYS_ARE_EVENTS,
            False,
            f"{plays:,} plays, but {expected:,} distinct NextSong events have landed. "
            + (stale or _AGAIN.format(month=month)),
            numbers,
            differing(),
            warning=bool(stale),
        )

    def _references(
        self,
        connection: duckdb.DuckDBPyConnection,
        month: str,
        references: References | ReferencesElsewhere,
    ) -> Finding:
        missing, sample = references.missing(connection, month, self._plays)
        numbers = {"missing": sum(missing.values())}
        if not missing:
            return Finding(REFERENCES, True, "Everything that plays refer to is there.", numbers)
        named = ", ".join(f"{number:,} times in {name}" for name, number in missing.items())
        stale = [self._out_of_date(name, month) for name in missing]
        return Finding(
            REFERENCES,
            False,
            f"Plays refer to what is not there: {named}. "
            + (" ".join(filter(None, stale)) or _AGAIN.format(month=month)),
            numbers,
            sample,
            warning=all(stale),
        )

    def _match_rate(self, month: str) -> Finding:
        rate = self._rates.get(month)
        plays = self._plays.rows_of([month])
        before = [self._rates[m] for m in sorted(self._rates) if m < month][-_EARLIER_MONTHS:]
        if rate is None or not before or plays < _LEAST_PLAYS:
            told = "no plays" if rate is None else f"{rate:.1%} of {plays:,} plays"
            numbers: dict[str, float] = {} if rate is None else {"match_rate": round(rate, 4)}
            text = f"{told}; too little to compare with."
            return Finding(MATCH_RATE, True, text, numbers)
        usual = median(before)
        numbers = {"match_rate": round(rate, 4), "usual_match_rate": round(usual, 4)}
        told = f"{rate:.1%} of the plays match a song; {usual:.1%} in the months before"
        if rate >= usual * (1 - self._match_drop):
            return Finding(MATCH_RATE, True, f"{told}.", numbers)
        return Finding(
            MATCH_RATE,
            False,
            f"{told}. Did song files vanish, or titles change their spelling? After mending, "
            "the job `rematch` matches the month again; SPARKIFY_MATCH_DROP sets what is sudden",
            numbers,
            [
                {"month": m, "match rate": f"{r:.1%}"}
                for m, r in sorted(self._rates.items())
                if m <= month
            ][-_EARLIER_MONTHS - 1 :],
        )

    def _referred(self) -> dict[str, Snapshot]:
        return {one.table.name: self._freshness.snapshot(one.table) for one in REFERENCES_OF_PLAYS}

    def _out_of_date(self, name: str, month: str) -> str:
        """What to do where a table simply was not made yet; "" where it is up to date."""
        stale = {found.table.name for found in self._freshness.all_stale([month])}
        if stale.isdisjoint(_made_from(name)):
            return ""
        return f"{name} is out of date: materialize it, or launch `refresh` for {month}"


def _made_from(name: str) -> set[str]:
    """The table and all that it is made from."""
    return {name}.union(*(_made_from(source) for source in TABLES[name].reads))


def _sessions(events: Counts) -> Finding:
    sessions, with_holes, sample = events.sessions, events.with_holes, events.holes
    numbers = {"sessions": sessions, "sessions_with_holes": with_holes}
    if not with_holes:
        text = f"{sessions:,} sessions, none with a hole."
        return Finding(SESSIONS_WITHOUT_HOLES, True, text, numbers)
    named = ", ".join(row["session_id"] for row in sample)
    more = ", …" if with_holes > len(sample) else ""
    return Finding(
        SESSIONS_WITHOUT_HOLES,
        False,
        f"{with_holes:,} of {sessions:,} sessions lack events: {named}{more}. Look for them among "
        "the rejected lines (`sparkify rejects`) and for log files that did not land",
        numbers,
        sample,
    )


def _unreadable(check: str, month: str, error: BaseException) -> Finding:
    return Finding(
        check,
        False,
        f"{month} cannot be examined: {reason_of(error)}. {_AGAIN.format(month=month)}",
    )


def checks_of_plays(months: PartitionsDefinition[str], match_drop: float) -> AssetChecksDefinition:
    """The step; `match_drop` is the share by which the match rate may fall, 0 to 1."""
    needed = {SONGPLAYS.name: [reference.table.name for reference in REFERENCES_OF_PLAYS]}
    every = [
        spec
        for name, checks in AFTERWARDS.items()
        for spec in specs(TABLES[name], checks, months, needed.get(name, ()))
    ]

    @multi_asset_check(name=STEP, specs=every, can_subset=True)
    def examine(
        context: AssetCheckExecutionContext, lake: LakeResource, spark: SparkResource
    ) -> Iterator[Any]:
        keys = [(k.asset_key.path[-1], k.name) for k in context.selected_asset_check_keys]
        assets = {check: asset for asset, check in keys}
        months = list(context.partition_keys)
        with explained(context.log, context.run.tags):
            elsewhere = spark.session if spark.elsewhere else None
            examination = Examination(Lake.at(lake.uri), match_drop, elsewhere)
            of = {month: examination.examined(month) for month in months}
            known = {
                (check, month): result
                for month in months
                for check, asset in assets.items()
                if (result := remembered(context.instance, asset, check, month, of[month]))
            }
            found = examination.findings(
                {month: [c for c in assets if (c, month) not in known] for month in months}
            )
        for (check, month), result in known.items():
            yield again(result, assets[check], month)
        for month, findings in found.items():
            for finding in findings:
                yield evaluation(assets[finding.check], month, with_mark(finding, of[month]))
        for check, asset in assets.items():
            yield from nothing_more(asset, [check])
        if failed := errors(found):
            raise refused(SONGPLAYS.name, failed, made=0)

    return examine
