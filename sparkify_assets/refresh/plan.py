"""What a run would do, and why: files to take in, and partitions that are out of date.

Compares the landing zone with the ledger and the fingerprints with those in the lake; starts no
engine and writes nothing. `sparkify run`, `--dry-run` and `status` all ask here.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from sparkify_assets.errors import LandingError
from sparkify_assets.ingest.landing import SONG_SCOPE, Listing, landing_at
from sparkify_assets.ingest.ledger import Ledger, seen_ledger
from sparkify_assets.ingest.plan import Rules, ScopePlan, plan_scope, scopes_of
from sparkify_assets.lake.lake import Lake
from sparkify_assets.partitions import ranges_of
from sparkify_assets.refresh.freshness import Freshness, Stale
from sparkify_assets.settings import Settings
from sparkify_assets.tables import BUILT


@dataclass
class Plan:
    """What there is to do.

    Attributes:
        scopes: by scope, the files to take in; only scopes with something to do.
        gone: how many landed files are no longer in the landing zone.
        stale: partitions that are out of date already. Those which only the new files will put
            out of date are not among them.
        months: every month with something to do, sorted.
        refused: why nothing is done for some scopes.
        rebuild: whether everything is to be made again, also what is up to date.
    """

    ledger: Ledger
    listing: Listing
    scopes: list[ScopePlan] = field(default_factory=list)
    gone: int = 0
    stale: list[Stale] = field(default_factory=list)
    months: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    rebuild: bool = False

    @property
    def needed(self) -> bool:
        """Whether there is anything to do."""
        return bool(self.scopes or self.stale or self.rebuild)

    def ranges(self, most_bytes: int) -> list[list[str]]:
        """The months in ranges without gaps, each with log files of about so many bytes at most.

        One month is never cut. Files that are gone from the landing zone count as they landed.
        """
        found: list[list[str]] = []
        for without_gap in ranges_of(self.months):
            size = 0
            for number, month in enumerate(without_gap):
                here = self.listing.of(month).bytes
                if not here and month in self.ledger.scopes:
                    here = self.ledger.account(month).bytes
                if number == 0 or size + here > most_bytes:
                    found.append([])
                    size = 0
                found[-1].append(month)
                size += here
        return found

    def work(self) -> set[str]:
        """What there is to do, to compare with another plan."""
        files = {f"{file.key} {file.etag}" for scope in self.scopes for file in scope.to_read}
        gone = {key for scope in self.scopes for key in scope.removed}
        return files | gone | {f"{stale.table.name}/{stale.key}" for stale in self.stale}

    @property
    def files_to_read(self) -> int:
        """How many landing files are new or changed."""
        return sum(len(scope.to_read) for scope in self.scopes)


def make_plan(
    settings: Settings,
    *,
    only: Collection[str] | None = None,
    rebuild: bool = False,
) -> Plan:
    """Look at the landing zone and the lake.

    Args:
        only: months to look at; the songs are looked at in any case.
        rebuild: plan everything again, also what is up to date.

    Raises:
        LandingError: the landing zone is missing or empty, or too much of it is gone.
    """
    lake = Lake.at(settings.lake)
    rules = Rules(
        months=frozenset(settings.months),
        on_delete=settings.on_delete,
        confirm_remove=settings.confirm_remove,
        rebuild=rebuild,
    )
    # The lake first: a file that lands between the two is then new, not gone.
    lake.look()
    ledger = seen_ledger(lake)
    listing = landing_at(settings.landing).list(set(rules.months))
    _check_not_empty(listing, ledger, settings)
    plan = plan_from(lake, ledger, listing, rules, rules.months if only is None else only)
    if plan.refused:
        raise LandingError("; ".join(plan.refused))
    return plan


def plan_from(
    lake: Lake,
    ledger: Ledger,
    listing: Listing,
    rules: Rules,
    months: Collection[str],
    *,
    look_at_tables: bool = True,
) -> Plan:
    """Compare a listing with what was seen of the lake before.

    Args:
        look_at_tables: whether to find tables that are out of date, too.

    Scopes in which too much is gone are left out, and told in `refused`.
    """
    plan = Plan(ledger, listing, rebuild=rules.rebuild)
    for scope in scopes_of(listing, ledger, months):
        try:
            found = plan_scope(scope, listing, ledger, rules)
        except LandingError as error:
            plan.refused.append(str(error))
            continue
        plan.gone += len(found.gone)
        if found.needed:
            plan.scopes.append(found)
    if look_at_tables and any(lake.exists(table) for table in BUILT):
        plan.stale = Freshness(lake, ledger).all_stale(sorted(months))
    plan.months = _months(plan, months, rebuild=rules.rebuild)
    return plan


def _months(plan: Plan, allowed: Collection[str], *, rebuild: bool) -> list[str]:
    months = {scope.scope for scope in plan.scopes if scope.scope != SONG_SCOPE}
    months |= {stale.key for stale in plan.stale if stale.table.monthly}
    # New songs can match plays of any month.
    if rebuild or any(scope.scope == SONG_SCOPE for scope in plan.scopes):
        months |= set(plan.ledger.event_months())
    return sorted(months & set(allowed))


def _check_not_empty(listing: Listing, ledger: Ledger, settings: Settings) -> None:
    if listing.scopes or listing.unplaced or ledger.scopes:
        return
    raise LandingError(
        f"SPARKIFY_LANDING: {settings.landing} holds no song or log file; expected .json, "
        ".jsonl or .ndjson files (also .gz) below log_data/ and song_data/"
    )
