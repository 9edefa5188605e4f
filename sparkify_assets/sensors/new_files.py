"""The sensor `new_files`: asks for a run when files land, change or vanish, or tables fall behind,
and tells how many files and bytes there are.

One tick lists the landing zone (or reads the notices of the bucket), compares with the ledger and
the stamps of the tables, and asks for one run for each month and one for the songs. It decides by
what is there now: a tick that fails, a daemon that stops or a run that dies loses nothing.
"""

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import pyarrow as pa
from dagster import (
    AssetKey,
    DefaultSensorStatus,
    RunRequest,
    SensorDefinition,
    SensorEvaluationContext,
    SensorResult,
    sensor,
)

from sparkify_assets.errors import StorageError
from sparkify_assets.ingest.landing import Landing, Listing
from sparkify_assets.ingest.ledger import seen_ledger
from sparkify_assets.lake.lake import Lake
from sparkify_assets.lake.snapshot import Snapshot
from sparkify_assets.refresh.plan import Plan, plan_from
from sparkify_assets.refresh.publish import publish
from sparkify_assets.refresh.run_tags import range_tags
from sparkify_assets.resources.storage import LakeResource, LandingResource
from sparkify_assets.sensors.attempts import (
    ATTEMPT_TAG,
    FIRST_PAUSE_SECONDS,
    GROUP_TAG,
    WHY_TAG,
    WORK_TAG,
    Verdict,
    judge,
    under_way,
)
from sparkify_assets.sensors.due import Due, due_runs
from sparkify_assets.sensors.landed import landed
from sparkify_assets.sensors.notices import Notices, Queue, queue_of
from sparkify_assets.storage.listing import Place
from sparkify_assets.tables import LANDED_FILES

NAME = "new_files"
# Dagster ends a tick after a minute; what could not be listed by then is listed by the next one.
LISTING_SECONDS = 35
# So often the tables are looked at where no file was taken in; with a queue the landing zone, too.
RECONCILE_SECONDS = 300
_TOLD = 5
# So often Dagster's daemon looks which sensors are due, a few milliseconds more or less.
_DAEMON_SECONDS = 5


@dataclass
class Cursor:
    """What one tick leaves to the next. To lose it costs a listing.

    Attributes:
        rest: where an unfinished listing goes on.
        listed_at: when the last whole listing began, seconds since the epoch.
        counted: files that the unfinished listing has seen so far.
        quiet_since: when all tables were up to date and released, seconds since the epoch; 0 if
            they were not.
        ledger: the ledger's version at that time.
        told: data versions by scope, as told of the landing zone.
    """

    rest: list[tuple[str, str]] = field(default_factory=list)
    listed_at: float = 0.0
    counted: int = 0
    quiet_since: float = 0.0
    ledger: int = -1
    told: dict[str, str] = field(default_factory=dict)

    @staticmethod
    def read(text: str | None) -> "Cursor":
        try:
            values = json.loads(text or "{}")
            values["rest"] = [(str(prefix), str(after)) for prefix, after in values["rest"]]
            return Cursor(**values)
        except (ValueError, TypeError, KeyError):
            return Cursor()

    def is_quiet(self, ledger: Snapshot | None) -> bool:
        """Whether the tables were up to date not long ago, and no file was taken in since."""
        recent = time.time() - self.quiet_since < RECONCILE_SECONDS
        return recent and ledger is not None and ledger.version == self.ledger

    def list_again(self, *, soon: bool, after_runs: bool) -> None:
        """What was told by notices is not told again: look whether it was done.

        Args:
            soon: at the next tick, as something waits.
            after_runs: when runs that are asked for now may have failed.
        """
        if soon:
            self.listed_at = 0
        elif after_runs:
            latest = time.time() - RECONCILE_SECONDS + FIRST_PAUSE_SECONDS
            self.listed_at = min(self.listed_at, latest)

    def note(self, plan: Plan, ledger: Snapshot | None, *, released: bool) -> None:
        """Keep whether the tables are up to date, and SQL reads them as they are."""
        quiet = ledger is not None and not plan.stale and released
        self.quiet_since = time.time() if quiet else 0.0
        self.ledger = ledger.version if ledger is not None else -1

    def write(self) -> str:
        return json.dumps(asdict(self))


@dataclass
class Look:
    """What one tick looked at."""

    listing: Listing
    cursor: Cursor
    what: str
    problems: list[str] = field(default_factory=list)
    done: Callable[[], None] = lambda: None


def new_files_sensor(job_name: str, sqs_url: str | None, seconds: int) -> SensorDefinition:
    """The sensor.

    Args:
        job_name: of the job over all assets.
        sqs_url: a queue with the landing bucket's notifications.
        seconds: between two ticks, at least.
    """

    @sensor(
        name=NAME,
        job_name=job_name,
        minimum_interval_seconds=_due_after(seconds),
        default_status=DefaultSensorStatus.STOPPED,
        description="Asks for a run for each month (and one for the songs) with files that are "
        "new, changed or removed, or with tables that are out of date. What failed is tried again "
        "after 30 s, 1, 2, 4, 8 and 16 minutes.",
    )
    def new_files(
        context: SensorEvaluationContext, landing: LandingResource, lake: LakeResource
    ) -> SensorResult:
        use_little_memory()
        zone, months = landing.landing(), set(landing.months())
        tables, cursor = Lake.at(lake.uri), Cursor.read(context.cursor)
        busy = under_way(context.instance)
        # The lake first: a file that lands between the two is then new, not gone.
        quiet = cursor.is_quiet(tables.find(LANDED_FILES))
        if not quiet:
            tables.look()
        ledger = seen_ledger(tables)
        look = _look(zone, months, cursor, queue_of(sqs_url, zone))
        plan = plan_from(
            tables, ledger, look.listing, landing.rules(), months, look_at_tables=not quiet
        )
        requests, reasons = [], [*plan.refused, *look.problems]
        later: set[str] = set()
        hopeless: set[str] = set()
        for due in due_runs(plan, months, busy):
            verdict = judge(context.instance, due, busy)
            if verdict.attempt:
                requests.append(_request(due, verdict))
            else:
                reasons.append(verdict.reason)
                (later if verdict.later else hopeless).update(due.months or [due.group])
                (context.log.info if verdict.later else context.log.warning)(verdict.reason)
        if not quiet:
            released = (
                not busy and not requests and _released(tables, months, hopeless - later, context)
            )
            look.cursor.note(plan, tables.seen(LANDED_FILES), released=released)
        for problem in (*plan.refused, *look.problems):
            context.log.warning(problem)
        events, look.cursor.told = landed(look.listing, look.cursor.told)
        look.cursor.list_again(soon=bool(later), after_runs=bool(requests))
        # Last of all: if anything above fails, the next tick is told again.
        look.done()
        return SensorResult(
            run_requests=requests,
            skip_reason=None if requests else _skipped(look, plan, reasons),
            cursor=look.cursor.write(),
            asset_events=events,
        )

    return new_files


def _due_after(seconds: int) -> int:
    """What Dagster has to be told, so that each of its looks finds the sensor due that should."""
    return seconds - 1 if seconds % _DAEMON_SECONDS == 0 else seconds


def use_little_memory() -> None:
    """Have Arrow give back what it does not use: the process of a code location lives for long.

    With its own allocator a look at a million files takes a third more memory, and is no faster.
    """
    pa.set_memory_pool(pa.system_memory_pool())


def _look(zone: Landing, months: set[str], cursor: Cursor, queue: Queue | None) -> Look:
    now = time.time()
    problems: list[str] = []
    notices = Notices()
    # An unfinished listing goes on first: what waits in the queue meanwhile is not lost.
    if queue is not None and not cursor.rest:
        try:
            notices = queue.receive()
        except StorageError as error:  # they are hints, and a listing tells as much
            problems.append(str(error))
            cursor = replace(cursor, listed_at=0)
        fresh = now - cursor.listed_at < RECONCILE_SECONDS
        if fresh and not notices.full:
            files = notices.listing(months)
            what = f"{len(notices.receipts)} notifications ({len(files)} data files)"
            return Look(files, cursor, what, done=lambda: queue.delete(notices))
    places = [Place(*place) for place in cursor.rest]
    listing = zone.list(months, places=places, until=time.monotonic() + LISTING_SECONDS)
    following = replace(
        cursor,
        rest=[(place.prefix, place.after) for place in listing.rest],
        listed_at=cursor.listed_at if places else now,
        counted=(cursor.counted if places else 0) + len(listing),
    )
    part = f"; {len(listing.rest)} prefixes are left for the next tick" if listing.rest else ""
    took = f" with {listing.requests} requests" if listing.requests else ""
    what = f"{following.counted:,} data files listed{took}{part}"
    if queue is None:
        return Look(listing, following, what)
    return Look(listing, following, what, problems, lambda: queue.delete(notices))


def _released(
    lake: Lake, months: set[str], hopeless: set[str], context: SensorEvaluationContext
) -> bool:
    """Record a release where a run could not: it failed for a month, or died at its end."""
    if not lake.exists(LANDED_FILES):
        return True
    done = publish(lake, months, hopeless)
    if done.recorded:
        context.log.info(f"recorded {done.release}")
    return not done.why_not


def _request(due: Due, verdict: Verdict) -> RunRequest:
    tags: dict[str, Any] = {
        GROUP_TAG: due.group,
        WORK_TAG: verdict.work,
        ATTEMPT_TAG: str(verdict.attempt),
        WHY_TAG: due.why,
    }
    one = len(due.months) == 1
    return RunRequest(
        run_key=f"{verdict.work}:{verdict.attempt}",
        partition_key=due.months[0] if one else None,
        asset_selection=[AssetKey(name) for name in due.tables],
        tags={**tags, **({} if one or not due.months else range_tags(due.months))},
    )


def _skipped(look: Look, plan: Plan, reasons: list[str]) -> str:
    found = [f"Nothing to start: {look.what}"]
    if plan.listing.unplaced:
        key, reason = plan.listing.unplaced[0]
        several = "; `sparkify status` names all" if len(plan.listing.unplaced) > 1 else ""
        found.append(f"{len(plan.listing.unplaced)} not loaded: {key}: {reason}{several}")
    if reasons:
        found.append("; ".join(reasons[:_TOLD]))
    return ". ".join(found)
