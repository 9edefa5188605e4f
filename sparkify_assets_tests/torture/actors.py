"""Who works on a lake beside `sparkify`: what Dagster's daemon would start, as processes.

Functions for `zygote`, which read the settings from their environment and return an exit code.
Why a run failed is told as the command line does it: see `endings`.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from dagster import AssetKey

from sparkify_assets.composition import REFRESH, build_defs
from sparkify_assets.refresh.answers import RELEASE
from sparkify_assets.refresh.instance import open_instance
from sparkify_assets.refresh.reasons import reasons
from sparkify_assets.refresh.run_tags import range_tags
from sparkify_assets.settings import load_settings
from sparkify_assets.tables import BUILT, RAW_LOGS, RAW_SONGS
from sparkify_assets_tests.sensors.station import QUIET, Station
from sparkify_assets_tests.torture.endings import ERROR

_MOST_TICKS = 4
# Without the page of plots: it is no table, and takes longer than all of them.
_MADE = (RAW_LOGS.name, RAW_SONGS.name, *[table.name for table in BUILT], RELEASE)
_REBUILT = {"raw_logs", "raw_songs", "songplays", "users", "time"}


def sensor() -> int:
    """The sensor, tick by tick, with the runs that it asks for, until it asks for none."""
    with open_instance() as instance:
        station = Station(lambda **given: load_settings(**given), instance)
        for _ in range(_MOST_TICKS):
            requests = station.tick()
            if not requests:
                break
            station.run(requests)
    return _told(station.reasons)


def backfill(rebuild: str) -> int:
    """A backfill of all tables over all months, as one run."""
    settings = load_settings()
    job = build_defs(settings).resolve_job_def(REFRESH)
    again = {name: {"config": {"rebuild": True}} for name in _REBUILT} if rebuild else {}
    with open_instance() as instance:
        done = job.execute_in_process(
            instance=instance,
            raise_on_error=False,
            tags=range_tags(settings.months),
            asset_selection=[AssetKey(name) for name in _MADE],
            run_config={"ops": again, **QUIET},
        )
    found = reasons(done.dagster_run.tags, done.all_events)
    return _told([] if done.success else [str(found)])


def _told(failed: Sequence[str]) -> int:
    """Tell why runs failed, one reason a line; the exit code."""
    if failed:
        sys.stderr.write(ERROR + "\n".join(failed) + "\n")
    return int(bool(failed))
