"""Removing raw rows that no ledger row names: of replaced files, of interrupted or merged readings.

Right only if what is there (R) is seen, and the ledger read, before the counters of the scopes in
question are raised; then what lies in R and is not named is removed. An ingest that has appended
its rows and not yet committed looks just like one that died. If it commits first, the ledger that
was read here is out of date and the raised counters cannot be committed; if it comes later, its own
commit fails and it plans again, with a new batch that is not in R. If R were seen later, or no
counter raised, its rows would be lost.
"""

from __future__ import annotations

from sparkify_assets.errors import PlanChanged
from sparkify_assets.ingest.ledger import read_ledger
from sparkify_assets.lake.commit import drop
from sparkify_assets.lake.lake import Lake
from sparkify_assets.maintenance.batches import RAW_TABLES, Batch, find_batches, parts_in, split

_ATTEMPTS = 8


def remove_dead(lake: Lake, *, dry_run: bool = False) -> list[Batch]:
    """Take the parts of every batch that the ledger does not name out of the raw tables.

    Their files stay for readers under way until they are vacuumed.

    Returns:
        The batches that were removed (or would be).

    Raises:
        PlanChanged: other runs changed these scopes each time; nothing was removed.
    """
    for _ in range(_ATTEMPTS):
        found = find_batches(lake)
        ledger = read_ledger(lake)
        _, dead = split(found, ledger)
        if dry_run or not dead:
            return dead
        try:
            ledger.fence(lake, {one.scope for one in dead})
        except PlanChanged as change:
            last = change
            continue
        for table in RAW_TABLES:
            drop(lake, table, [part.path for part in parts_in(dead, table)])
        return dead
    raise PlanChanged(f"no dead row was removed, in {_ATTEMPTS} attempts: {last}")
