"""Snapshots as Spark DataFrames, and DataFrames as parts: where the lake meets the engine."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import asdict

import pyarrow as pa
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812 -- the name everybody knows it by
from pyspark.sql.types import StructType

from sparkify_assets.lake.log import StoredPart
from sparkify_assets.lake.parts import REPORT_SCHEMA, Written, part_writer
from sparkify_assets.lake.scan import scan_part
from sparkify_assets.lake.snapshot import Snapshot
from sparkify_assets.storage.location import Location
from sparkify_assets.storage.requests import REQUESTS
from sparkify_assets.tables import TABLES, Table

# Sail's tasks hold what they write.
_ROWS_PER_TASK = 500_000
# Of Apache Spark's each makes a file, which is to be worth a request; it holds hashes of its keys.
SLICE_BYTES = 160 << 20
SLICE_ROWS = 40_000_000
# What tasks hand to others, of each log line, in the largest plans (`python -m bench.cluster`).
SHUFFLED_BYTES = 175
PIECE_BYTES = 128 << 20
_PIECES = "spark.sql.shuffle.partitions"
_TASK = "_task"


def read_frame(
    spark: SparkSession,
    snapshot: Snapshot,
    keys: Collection[str] | None = None,
    names: Sequence[str] | None = None,
) -> DataFrame:
    """Rows of a snapshot, of all or some partitions, with all or some columns in order.

    A part that is gone is an error on every engine, never fewer rows.
    """
    parts = snapshot.parts if keys is None else snapshot.parts_of(keys)
    return _read(spark, snapshot, parts, names)


def read_where(
    spark: SparkSession,
    snapshot: Snapshot,
    wanted: Collection[Mapping[str, str]],
    names: Sequence[str] | None = None,
) -> DataFrame:
    """As `read_frame`, of the partitions with any of these sets of values."""
    sets = {frozenset(values.items()) for values in wanted}
    return _read(spark, snapshot, [p for p in snapshot.parts if _values(p) in sets], names)


def _values(part: StoredPart) -> frozenset[tuple[str, str]]:
    return frozenset(part.partition.items())


def _read(
    spark: SparkSession,
    snapshot: Snapshot,
    parts: Sequence[StoredPart],
    only: Sequence[str] | None,
) -> DataFrame:
    table, location = snapshot.table, snapshot.location
    names = [name for name in table.names if only is None or name in only]
    if not parts:
        return spark.createDataFrame([], table.spark_schema()).select(*names)
    if not is_sail(spark):
        root = location.for_spark()
        reader = spark.read.option("basePath", root).schema(table.spark_schema())
        return reader.parquet(*[f"{root}/{part.path}" for part in parts]).select(*names)
    # Sail's Parquet reader passes over files that do not exist, and its Delta reader reads the
    # whole log again for every query.
    tasks: list[list[StoredPart]] = [[] for _ in range(tasks_at_once(spark, len(parts)))]
    for number, part in enumerate(sorted(parts, key=lambda found: -found.size)):
        tasks[number % len(tasks)].append(part)
    texts = [json.dumps([asdict(part) for part in task]) for task in tasks]
    scan = part_reader(table.name, location, names)
    schema = StructType([field for field in table.spark_schema() if field.name in names])
    return one_a_task(spark, texts, len(tasks)).mapInArrow(scan, schema)


def part_reader(
    table_name: str, location: Location, names: Sequence[str]
) -> Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """The function for `mapInArrow`: in, lists of parts as JSON; out, these columns of theirs."""

    def read(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            for text in batch.column(0).to_pylist():
                for values in json.loads(text):
                    yield from scan_part(TABLES[table_name], location, StoredPart(**values), names)

    return read


def write_frame(
    frame: DataFrame, table: Table, location: Location, rows: Mapping[str, int]
) -> Written:
    """Write the rows of a frame as parts, in the engine's tasks; runs the plan once.

    Rows of one key always go to one task, which can see then that they are several.

    Args:
        rows: at most about so many in each partition that the frame has rows of.
    """
    make_room(frame.sparkSession, sum(rows.values()) * table.lines_a_row)
    frame = _in_tasks(frame, table, rows)
    # Sail leaves this out (nobody asks for an order afterwards): parts are smaller on Spark alone.
    frame = frame.sortWithinPartitions(*table.key)
    written = Written()
    for row in frame.mapInArrow(part_writer(table.name, location), REPORT_SCHEMA).collect():
        written.add(Written.from_json(row["report"]))
    REQUESTS.add_all(written.requests)
    return written


def _in_tasks(frame: DataFrame, table: Table, rows: Mapping[str, int]) -> DataFrame:
    """The same rows, those of each task in a partition of their own."""
    if is_sail(frame.sparkSession):
        if not table.partition_by:
            return frame.coalesce(1)
        tasks = min(len(rows), 1 + sum(rows.values()) // _ROWS_PER_TASK)
        return frame.repartition(max(1, tasks), *table.partition_by)
    # A partition with more rows than a task should have is cut by the keys. Which task gets which
    # piece is said and not left to a hash of it, by which some would get several and others none.
    task: Column | None = None
    tasks = 0
    for key, number in sorted(rows.items()):
        pieces = slices(table, number)
        mine = F.pmod(F.xxhash64(*table.key), F.lit(pieces)) + tasks
        # One level for all: Spark Connect sends no plan that is a hundred deep.
        task = (F.when if task is None else task.when)(_is(table, key), mine)
        tasks += pieces
    which = F.lit(0) if task is None else task.otherwise(F.lit(0))
    cut = frame.withColumn(_TASK, which.cast("int"))
    return cut.repartitionById(max(1, tasks), _TASK).drop(_TASK)


def _is(table: Table, key: str) -> Column:
    """Whether a row belongs to a partition."""
    condition = F.lit(True)
    for name, value in table.partition_values(key).items():
        condition = condition & (F.col(name) == value)
    return condition


def slices(table: Table, rows: int) -> int:
    """Into how many pieces Apache Spark cuts a partition with at most so many rows."""
    return 1 + max(int(rows * table.row_bytes) // SLICE_BYTES, rows // SLICE_ROWS)


def make_room(spark: SparkSession, lines: int) -> None:
    """Have shuffles of plans over so many log lines cut finely enough, from now on.

    Apache Spark puts small pieces together by itself; it cuts none that is too large for a task.
    """
    pieces = shuffle_pieces(lines)
    if not is_sail(spark) and pieces > int(spark.conf.get(_PIECES) or 0):
        spark.conf.set(_PIECES, str(pieces))


def shuffle_pieces(lines: int) -> int:
    """How many pieces the rows of so many log lines are cut into between tasks."""
    return max(1, -(-lines * SHUFFLED_BYTES // PIECE_BYTES))


def one_a_task(spark: SparkSession, texts: Sequence[str], tasks: int) -> DataFrame:
    """A frame with one column of texts, in so many tasks: as many in each, as far as that goes."""
    number = pa.array([place % tasks for place in range(len(texts))], pa.int32())
    frame = spark.createDataFrame(pa.table({"text": pa.array(texts, pa.string()), _TASK: number}))
    if is_sail(spark):
        return frame.select("text").repartition(tasks)
    # In turns, each of its partitions would begin anywhere, and some tasks would get nothing.
    return frame.repartitionById(tasks, _TASK).select("text")


def is_sail(spark: SparkSession) -> bool:
    """Whether this session is served by Sail, in this process or another.

    Sail gives itself out as the Spark version that it stands in for, except in SQL.
    """
    session = getattr(spark, "session_id", None)  # a classic session has none
    if session is None:
        return False
    if session not in _SAIL:
        version = str(spark.sql("SELECT version()").collect()[0][0])
        _SAIL[session] = not version.startswith(spark.version)
    return _SAIL[session]


_SAIL: dict[str, bool] = {}


def tasks_at_once(spark: SparkSession, wanted: int) -> int:
    """Into how many tasks to cut work that holds much memory.

    Sail runs all tasks of a stage at once, Spark as many as there are cores.
    """
    return min(wanted, os.cpu_count() or 1) if is_sail(spark) else wanted
