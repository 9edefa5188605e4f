"""That the suite would find it: variants that break a promise, and the point that shows it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path

from sparkify_assets_tests.torture import mutants
from sparkify_assets_tests.torture.bucket import KILLS, LOST_REPLIES, bucket_lanes
from sparkify_assets_tests.torture.operations import CHANGE, change
from sparkify_assets_tests.torture.scene import bucket_scene
from sparkify_assets_tests.torture.sweep import evenly, try_point
from sparkify_assets_tests.torture.tally import OTHER, Say, Tally

# By variant, what goes wrong where it is to be found.
CAUGHT_BY: Mapping[str, str] = {
    "ledger before rows": KILLS,
    "parts deleted on an error": LOST_REPLIES,
    "error taken for failure": LOST_REPLIES,
    "stamped before rows": KILLS,
    "month by month": KILLS,
    "replaced files removed at once": KILLS,
}


def mutations(folder: Path, say: Say) -> Tally:
    """Sweep each variant until a promise breaks; one that breaks none is a failure."""
    tally = Tally("mutations")
    began = time.monotonic()
    with bucket_scene(folder) as scene:
        operation = change(scene)
        lanes = {lane.name: lane for lane in bucket_lanes(scene, {CHANGE: operation})}
        for name, lane_name in CAUGHT_BY.items():
            scene.more = {mutants.MUTATION: name}
            lane = lanes[lane_name]
            for tried, point in enumerate(evenly(lane.total), 1):
                broken = try_point(scene, operation, lane.trap(point)).broken
                if broken:
                    say(f"{name}: found at {lane_name} {point} ({broken[0][0]}), point {tried}")
                    tally.counts["mutations caught"] += 1
                    break
            else:
                tally.fail(OTHER, f"{name}: no promise broke at {lane_name}", "ONLY=mutations")
            tally.counts["points"] += tried
    tally.seconds = time.monotonic() - began
    return tally
