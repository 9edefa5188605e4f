"""Which of the project's assets are partitioned by month."""

from __future__ import annotations

from sparkify_assets.refresh.answers import LISTENING_REPORT
from sparkify_assets.tables import BUILT, RAW_LOGS

# raw_logs is a table without months (its partitions are batches), but an asset with them.
BY_MONTH = frozenset(
    {RAW_LOGS.name, LISTENING_REPORT, *(table.name for table in BUILT if table.monthly)}
)
