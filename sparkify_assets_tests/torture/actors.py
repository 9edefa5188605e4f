"""Who works on a lake beside `sparkify`: what Dagster's daemon would start, as processes.

Functions for `zygote`, which read the settings from their environment and return an exit code.
"""

from __future__ import annotations

import sys

from dagster import DagsterInstance

from sparkify_assets.composition import REFRESH, build_defs
from sparkify_assets.refresh.run_tags import range_tags
from sparkify_assets.settings import load_settings
from sparkify_assets_tests.sensors.station import Station

_MOST_TICKS = 4


def sensor() -> int:
    """The sensor, tick by tick, with the runs that it asks for, until it asks for none."""
    with DagsterInstance.get() as instance:
        station = Station(lambda **given: load_settings(**given), instance)
        done = [True]
        for _ in range(_MOST_TICKS):
            requests = station.tick()
            if not requests:
                break
            done = station.run(requests)
    return 0 if all(done) else 1


def backfill(rebuild: str) -> int:
    """A backfill of all assets over all months, as one run."""
    settings = load_settings()
    job = build_defs(settings).resolve_job_def(REFRESH)
    names = [node.name for node in job.nodes] if rebuild else []
    config = {"ops": {name: {"config": {"rebuild": True}} for name in names if name in _REBUILT}}
    with DagsterInstance.get() as instance:
        done = job.execute_in_process(
            instance=instance,
            raise_on_error=False,
            tags=range_tags(settings.months),
            run_config=config,
        )
    if not done.success:
        sys.stderr.write("error: the run of the backfill failed\n")
    return 0 if done.success else 1


_REBUILT = {"raw_logs", "raw_songs", "songplays", "users", "time"}
