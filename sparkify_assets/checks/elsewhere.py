"""The counting behind the checks of plays, by the tasks of an engine on other machines.

A month may have more rows there than this process should read. Each task counts the events of some
sessions, with the queries that this process would use; only their counts come here.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict

import duckdb
import pyarrow as pa
from pyspark.sql import SparkSession
from pyspark.sql import functions as F  # noqa: N812 -- the name everybody knows it by

from sparkify_assets.checks.queries import (
    EVENT_COLUMNS,
    REFERENCES_OF_PLAYS,
    Counts,
    Month,
    Reference,
    database,
)
from sparkify_assets.ingest.ledger import Ledger
from sparkify_assets.ingest.raw import check_as_many, landed_rows
from sparkify_assets.lake.frames import make_room, read_frame, slices, tasks_at_once
from sparkify_assets.lake.lake import Lake
from sparkify_assets.lake.notes import SAMPLE_ROWS, Row
from sparkify_assets.lake.parts import REPORT_SCHEMA
from sparkify_assets.lake.snapshot import Snapshot
from sparkify_assets.tables import RAW_LOGS, WHOLE_TABLE

_THERE = "_there"
# Rows that may pass through the driver; of a small month that is far quicker.
_MOST_BROADCAST = 1 << 18


def count_elsewhere(spark: SparkSession, lake: Lake, ledger: Ledger, month: str) -> Counts:
    """What stands in the log lines of the files with events in a month.

    Raises:
        PlanChanged: there are not as many lines as the ledger says; look anew.
    """
    files = ledger.with_events_in(month)
    snapshot = lake.last_seen(RAW_LOGS)
    expected = sum(file.rows for file in files)
    if not files:
        return Counts(0, 0, 0, 0, [])
    make_room(spark, expected)
    rows = landed_rows(spark, snapshot, files, EVENT_COLUMNS).select(*EVENT_COLUMNS)
    # All lines of a session come to one task, and so do those of an event.
    together = rows.repartition(tasks_at_once(spark, slices(RAW_LOGS, expected)), "session_id")
    lines, found = 0, Counts(0, 0, 0, 0, [])
    for row in together.mapInArrow(counter(month), REPORT_SCHEMA).collect():
        report = json.loads(row["report"])
        lines += report["lines"]
        found = _added(found, Counts(**report["counts"]))
    check_as_many(snapshot, lines, expected)
    return found


def counter(month: str) -> Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """The function for `mapInArrow`: in, EVENT_COLUMNS; out, one row with the counts as JSON."""

    def count(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        lines = 0

        def counted() -> Iterator[pa.RecordBatch]:
            nonlocal lines
            wanted = pa.schema([RAW_LOGS.plain_schema.field(name) for name in EVENT_COLUMNS])
            for batch in batches:
                lines += batch.num_rows
                columns = [batch.column(field.name).cast(field.type) for field in wanted]
                yield pa.RecordBatch.from_arrays(columns, schema=wanted)

        with database(in_a_task=True) as connection:
            counts = Month(connection, month, counted()).counts()
        report = {"lines": lines, "counts": asdict(counts)}
        yield pa.RecordBatch.from_pydict({"report": [json.dumps(report)]})

    return count


def _added(one: Counts, other: Counts) -> Counts:
    holes = sorted([*one.holes, *other.holes], key=lambda row: int(row["session_id"]))
    return Counts(
        one.plays + other.plays,
        one.at_most + other.at_most,
        one.sessions + other.sessions,
        one.with_holes + other.with_holes,
        holes[:SAMPLE_ROWS],
    )


class ReferencesElsewhere:
    """As `queries.References`, by joins of the engine."""

    def __init__(self, spark: SparkSession, snapshots: dict[str, Snapshot]) -> None:
        self._spark = spark
        self._snapshots = snapshots

    def missing(
        self, _connection: duckdb.DuckDBPyConnection, month: str, plays: Snapshot
    ) -> tuple[dict[str, int], list[Row]]:
        """By table, how many plays of a month refer to what is not there, and some of them."""
        counts: Counter[str] = Counter()
        sample: list[Row] = []
        for reference in REFERENCES_OF_PLAYS:
            number, some = self._lost(reference, month, plays)
            if number:
                counts[reference.table.name] += number
                sample += some
        return dict(counts), sample[:SAMPLE_ROWS]

    def _lost(self, reference: Reference, month: str, plays: Snapshot) -> tuple[int, list[Row]]:
        column, table, name = reference
        keys = [month] if table.monthly else [WHOLE_TABLE]
        snapshot = self._snapshots[table.name]
        there = read_frame(self._spark, snapshot, keys, [name])
        there = there.select(F.col(name).alias(column), F.lit(True).alias(_THERE))
        refer = read_frame(self._spark, plays, [month], ["songplay_id", column])
        refer = refer.filter(F.col(column).isNotNull())
        # Else Spark sends it through the driver whole where it takes it for small by its bytes:
        # `time` of a few million plays is.
        if snapshot.rows_of(keys) > _MOST_BROADCAST:
            there = there.hint("merge")
        # Not an anti-join: Sail would keep its first side, all plays, in memory.
        lost = there.join(refer, column, "right").filter(F.col(_THERE).isNull())
        number = lost.count()
        if not number:
            return 0, []
        value = F.col(column).cast("string").alias("value")
        some = lost.select("songplay_id", value).orderBy("songplay_id").limit(SAMPLE_ROWS)
        return number, [
            {
                "songplay_id": str(row["songplay_id"]),
                "refers": column,
                "value": row["value"],
                "missing_in": f"{table.name}.{name}",
            }
            for row in some.collect()
        ]
