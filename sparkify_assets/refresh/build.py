"""Making one table current: what one Dagster step does, from the first look to the commit.

The order matters. What is seen of the table itself is never newer than what is seen of the ledger,
of the upstream tables and of the raw rows (see `Lake.look`); the commit starts from that. In any
other order an older result could replace a newer one, or be recorded as made from files that it
never read.
"""

from __future__ import annotations

from collections.abc import Collection

from pyspark.sql import DataFrame, SparkSession

from sparkify_assets.errors import LakeError
from sparkify_assets.ingest.ledger import Ledger, seen_ledger
from sparkify_assets.ingest.raw import read_raw_logs, read_raw_songs
from sparkify_assets.lake.commit import Stamp, replace
from sparkify_assets.lake.frames import read_frame, write_frame
from sparkify_assets.lake.lake import Lake
from sparkify_assets.lake.parts import Written
from sparkify_assets.lake.snapshot import Snapshot
from sparkify_assets.refresh.freshness import Freshness
from sparkify_assets.tables import TABLES, WHOLE_TABLE, Reads, Table

_ROWS_PER_TASK = 500_000


class Build:
    """One table on its way from one version to the next, from what this process saw last.

    Attributes:
        keys: the partitions to make, of those that were asked for: the ones that are not up to
            date, or all with `rebuild`. Where it is empty, nothing is read or written.
    """

    def __init__(
        self, lake: Lake, table: Table, requested: Collection[str], *, rebuild: bool = False
    ) -> None:
        self._lake = lake
        self.table = table
        self.base: Snapshot = lake.last_seen(table)
        self.ledger: Ledger = seen_ledger(lake)
        self._freshness = Freshness(lake, self.ledger)
        wanted = list(requested) if table.monthly else [WHOLE_TABLE]
        self._stamps = {key: self._freshness.fingerprint(table, key) for key in wanted}
        self.keys = [k for k in wanted if rebuild or self.base.stamp(k) != self._stamps[k]]

    def read(self, spark: SparkSession, name: str) -> DataFrame:
        """What an upstream table contributes to the partitions in `keys`.

        For raw tables: only the rows that count, and for logs only events within those months.
        """
        reads = self.table.reads.get(name)
        if reads is None:
            raise LakeError(f"{self.table.name} is not declared to read {name}")
        if reads is Reads.FILES_OF_MONTH:
            return read_raw_logs(spark, self._lake, self.ledger, self.keys)
        if reads is Reads.FILES:
            return read_raw_songs(spark, self._lake, self.ledger)
        upstream = self._freshness.snapshot(TABLES[name])
        keys = {k for key in self.keys for k in self._freshness.upstream_keys(upstream, reads, key)}
        return read_frame(spark, upstream, keys)

    def commit(self, frame: DataFrame) -> tuple[Snapshot, Written]:
        """Write the rows of `frame` and put them in place of the partitions in `keys`.

        Raises:
            PlanChanged: another run replaced one of them meanwhile; plan again.
        """
        if not self.keys:
            return self.base, Written()
        written = write_frame(
            frame, self.table, self._lake.table_location(self.table), self._tasks()
        )
        stamps = {key: Stamp(self._stamps[key], self._more(key, written)) for key in self.keys}
        return replace(self._lake, self.base, written.parts, stamps), written

    def _more(self, key: str, written: Written) -> dict[str, int]:
        more = self._freshness.through(self.table)
        if self.table.content_hash:
            more["content"] = written.content.get(key, 0)
        return more

    def _tasks(self) -> int:
        if not self.table.monthly:
            return 1
        rows = sum(file.rows for file in self.ledger.with_events_in(*self.keys))
        return min(len(self.keys), 1 + rows // _ROWS_PER_TASK)
