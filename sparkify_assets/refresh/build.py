"""Making one table current: what one Dagster step does, from the first look to the commit.

The order matters. What is seen of the table itself is never newer than what is seen of the ledger,
of the upstream tables and of the raw rows (see `Lake.look`); the commit starts from that. In any
other order an older result could replace a newer one, or be recorded as made from files that it
never read.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from pyspark.sql import DataFrame, SparkSession

from sparkify_assets.errors import LakeError
from sparkify_assets.ingest.ledger import Ledger, seen_ledger
from sparkify_assets.ingest.raw import read_raw_logs, read_raw_songs
from sparkify_assets.lake.commit import Stamp, replace
from sparkify_assets.lake.frames import read_frame, write_frame
from sparkify_assets.lake.lake import Lake
from sparkify_assets.lake.parts import Written
from sparkify_assets.lake.snapshot import Snapshot
from sparkify_assets.refresh.audit import Finding, audit, published
from sparkify_assets.refresh.diagnosis import broken_keys
from sparkify_assets.refresh.freshness import Freshness
from sparkify_assets.refresh.given_up import give_up
from sparkify_assets.tables import TABLES, WHOLE_TABLE, Reads, Table


@dataclass
class Made:
    """What became of the requested partitions of a table.

    Attributes:
        snapshot: the table as it is afterwards.
        made: keys of the partitions that were replaced.
        refused: by key, why a partition was not made; it is as it was before.
        findings: of the audit, by key.
        lines: by month, how many lines with a play were read, also those delivered twice.
    """

    snapshot: Snapshot
    made: list[str] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    findings: dict[str, list[Finding]] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)
    written: Written = field(default_factory=Written)


class Build:
    """One table on its way from one version to the next, from what this process saw last.

    Attributes:
        requested: the partitions that were asked for.
        keys: those to make: the ones that are not up to date, or all with `rebuild`, without
            those laid aside. Where it is empty, nothing is read or written.
        laid_aside: partitions that cannot be made, with the reason; see `broken`.
    """

    def __init__(
        self,
        lake: Lake,
        table: Table,
        requested: Collection[str],
        *,
        rebuild: bool = False,
        broken: Mapping[str, str] | None = None,
    ) -> None:
        self._lake = lake
        self.table = table
        self.base: Snapshot = lake.last_seen(table)
        self.ledger: Ledger = seen_ledger(lake)
        self._freshness = Freshness(lake, self.ledger)
        self.requested = list(requested) if table.monthly else [WHOLE_TABLE]
        self._stamps = {key: self._freshness.fingerprint(table, key) for key in self.requested}
        due = [k for k in self.requested if rebuild or self.base.stamp(k) != self._stamps[k]]
        self._lines: dict[str, int] = {}
        self.laid_aside = {key: (broken or {})[key] for key in due if key in (broken or {})}
        self.keys = [key for key in due if key not in self.laid_aside]

    def read(self, spark: SparkSession, name: str) -> DataFrame:
        """What an upstream table contributes to the partitions in `keys`.

        Only the columns that the table `uses`. For raw tables: only the rows that count, and for
        logs only events within those months, each event once.
        """
        reads = self.table.reads.get(name)
        if reads is None:
            raise LakeError(f"{self.table.name} is not declared to read {name}")
        names = self.table.uses.get(name)
        if reads is Reads.FILES_OF_MONTH:
            raw = read_raw_logs(spark, self._lake, self.ledger, self.keys, names)
            self._lines = raw.plays
            return raw.frame
        if reads is Reads.FILES:
            return read_raw_songs(spark, self._lake, self.ledger).frame
        upstream = self._freshness.snapshot(TABLES[name])
        keys = {k for key in self.keys for k in self._freshness.upstream_keys(upstream, reads, key)}
        return read_frame(spark, upstream, keys, names)

    def commit(self, frame: DataFrame) -> Made:
        """Write the rows of `frame`, audit them, and put them in place of the partitions in `keys`.

        A partition that fails the audit is not replaced; the others are.

        Raises:
            PlanChanged: another run replaced one of them meanwhile; plan again.
        """
        made = Made(self.base, refused=dict(self.laid_aside), lines=self._lines)
        if self.keys:
            location = self._lake.table_location(self.table)
            made.written = write_frame(frame, self.table, location, self._rows())
            self._audit(made)
        if made.made:
            parts = [
                part
                for part in made.written.parts
                if self.table.partition_key(part.partition) in made.made
            ]
            stamps = {k: Stamp(self._stamps[k], self._more(k, made.written)) for k in made.made}
            made.snapshot = replace(self._lake, self.base, parts, stamps)
        for key in self.requested:
            if key not in made.findings and key not in made.refused:
                made.findings[key] = published(made.snapshot.version)
        return made

    def give_up(self, keys: Iterable[str]) -> None:
        """Note that these partitions cannot be made, so that releases do not wait for them.

        Raises:
            StorageError: it cannot be written.
        """
        give_up(self._lake, self.table, {key: self._stamps[key] for key in keys})

    def broken(self) -> dict[str, str]:
        """By partition in `keys`, why it cannot be made, for those whose sources are broken.

        Asked of the lake as it is now, and once more: what another run, or maintenance, replaced
        in between is not broken.
        """
        found = dict.fromkeys(self.keys, "")
        for _ in range(2):
            self._lake.look()
            freshness = Freshness(self._lake, seen_ledger(self._lake))
            found = broken_keys(self._lake, freshness, self.table, found)
        return found

    def _audit(self, made: Made) -> None:
        location = self._lake.table_location(self.table)
        for key in self.keys:
            made.findings[key] = audit(self.table, location, made.written, key)
            failed = [finding for finding in made.findings[key] if not finding.passed]
            if failed:
                made.refused[key] = "; ".join(f"{f.check}: {f.description}" for f in failed)
            else:
                made.made.append(key)

    def _more(self, key: str, written: Written) -> dict[str, int]:
        more = self._freshness.through(self.table)
        if self.table.content_hash:
            notes = written.notes.get(key)
            more["content"] = notes.content if notes else 0
        return more

    def _rows(self) -> dict[str, int]:
        """By partition, about how many rows it will have at most."""
        if not self.table.monthly:
            return {WHOLE_TABLE: sum(map(self._rows_read, self.table.reads))}
        return {
            # Of which month the rows of a file are, the ledger does not tell: all may be of this.
            month: sum(file.rows for file in self.ledger.with_events_in(month))
            // self.table.lines_a_row
            for month in self.keys
        }

    def _rows_read(self, name: str) -> int:
        """How many rows of an upstream table make this one, which is replaced as a whole."""
        upstream, reads = self._freshness.snapshot(TABLES[name]), self.table.reads[name]
        if reads is Reads.FILES:
            return upstream.rows
        return upstream.rows_of(self._freshness.upstream_keys(upstream, reads, WHOLE_TABLE))
