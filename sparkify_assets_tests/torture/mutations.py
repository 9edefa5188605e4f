"""That the suite would find it: variants that break a promise, and the point that shows it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path

from sparkify_assets_tests.torture import mutants
from sparkify_assets_tests.torture.bucket import RequestTrap, drop_reply, kill, requests_of
from sparkify_assets_tests.torture.operations import change
from sparkify_assets_tests.torture.scene import bucket_scene
from sparkify_assets_tests.torture.sweep import evenly, try_point
from sparkify_assets_tests.torture.tally import OTHER, Say, Tally

_COMMITS = r"PUT .*/_delta_log/\d{20}\.json"
_PARTS_AND_COMMITS = r"PUT .*(\.parquet|/_delta_log/\d{20}\.json)"
# By variant: the sweep that finds it, and the requests at which it is looked for.
CAUGHT_BY: Mapping[str, tuple[str, Callable[..., None], str]] = {
    "ledger before rows": ("kills", kill, _COMMITS),
    "parts deleted on an error": ("replies dropped", drop_reply, _COMMITS),
    "stamped before rows": ("kills", kill, _COMMITS),
    "month by month": ("kills", kill, _COMMITS),
    "replaced files removed at once": ("kills", kill, _PARTS_AND_COMMITS),
}


def mutations(folder: Path, say: Say) -> Tally:
    """Sweep each variant until a promise breaks; one that breaks none is a failure."""
    tally = Tally("mutations")
    with bucket_scene(folder) as scene:
        operation = change(scene)
        for name, (sweep, arm, match) in CAUGHT_BY.items():
            scene.more = {mutants.MUTATION: name}
            # Undisturbed it ends well, so that only what goes wrong can show it.
            lines = requests_of(scene, operation)
            total = sum(re.search(match, line) is not None for line in lines)
            for point in evenly(total):
                tally.counts["points"] += 1
                trap = RequestTrap(sweep, arm, match, point)
                broken = try_point(scene, operation, trap).broken
                if broken:
                    kind, what = min(broken, key=lambda one: one[0] == OTHER)
                    shown = " ".join(what.split())[:200]
                    say(f"{name}: {sweep}, at {point} of {total} requests: {kind}: {shown}")
                    tally.counts["mutations caught"] += 1
                    break
            else:
                tally.fail(OTHER, f"{name}: no promise broke", "make torture ONLY=mutations")
    return tally
