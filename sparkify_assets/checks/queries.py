"""The counting behind the checks of plays: DuckDB over the parts, month by month.

Written apart from the transforms on purpose: what both get wrong in the same way, no check finds.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple

import duckdb
import pyarrow as pa

from sparkify_assets.lake.notes import SAMPLE_ROWS, Row
from sparkify_assets.lake.snapshot import Snapshot
from sparkify_assets.partitions import DAY_MS, first_instant, next_month
from sparkify_assets.tables import RAW_LOGS, SONGPLAYS, TABLES, WHOLE_TABLE, Table
from sparkify_assets.transforms.events import PLAY

EVENT_COLUMNS = ("session_id", "item_in_session", "ts", "user_id", "page")
PLAY_COLUMNS = ("session_id", "start_time", "user_id", "song_id", "artist_id")
# Beside an engine that may use half of the machine.
_MEMORY = "2GB"
# Of the GiB that a task has (`cluster.sizes`).
_MEMORY_OF_A_TASK = "400MB"


class Reference(NamedTuple):
    """A column of plays, and the table and column in which each of its values stands."""

    column: str
    table: Table
    name: str


def _references() -> Iterator[Reference]:
    for column in SONGPLAYS.columns:
        if column.refers_to:
            table, _, name = column.refers_to.partition(".")
            yield Reference(column.name, TABLES[table], name)


REFERENCES_OF_PLAYS = tuple(_references())


@dataclass(frozen=True)
class Counts:
    """What was counted among the events of a month, or of some of its sessions.

    Attributes:
        plays: distinct events that are plays.
        at_most: those that may be one: an event that was delivered with another page, too, is one
            or the other.
        sessions, with_holes: how many, and how many of them lack events.
        holes: some of the latter.
    """

    plays: int
    at_most: int
    sessions: int
    with_holes: int
    holes: list[Row]


class Month:
    """One month: its events as they landed, and its plays as they are published.

    Args:
        events: log lines with EVENT_COLUMNS, also of other months; every line of a session that is
            to be counted.
    """

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, month: str, events: Iterable[pa.RecordBatch]
    ) -> None:
        self._sql = connection
        self._first = first_instant(month)
        with _streamed(connection, RAW_LOGS, EVENT_COLUMNS, events) as landed:
            connection.execute(
                "CREATE OR REPLACE TEMP TABLE events AS SELECT session_id, item_in_session, ts, "
                "nullif(user_id, '') AS user_id, bool_and(page = $play) AS certain, "
                f"bool_or(page = $play) AS possible FROM {landed} WHERE ts >= $first AND ts < $end "
                "GROUP BY ALL",
                {"play": PLAY, "first": self._first, "end": first_instant(next_month(month))},
            )

    def counts(self) -> Counts:
        """Plays, sessions and their holes."""
        ((certain, possible),) = self._sql.execute(
            "SELECT count(*) FILTER (certain), count(*) FILTER (possible) FROM events"
        ).fetchall()
        return Counts(int(certain), int(possible), *self._holes())

    def differing(self, published: Iterable[pa.RecordBatch]) -> list[Row]:
        """Sessions and times with another number of plays than of events."""
        _load(self._sql, "published", SONGPLAYS, PLAY_COLUMNS, published)
        return self._rows(
            f"""
            WITH e AS (SELECT session_id, ts, user_id, count(DISTINCT item_in_session) AS events
                       FROM events WHERE possible GROUP BY ALL),
                 p AS (SELECT session_id, epoch_ms(start_time) AS ts, user_id, count(*) AS plays
                       FROM published GROUP BY ALL)
            SELECT coalesce(e.session_id, p.session_id) AS session_id,
                   coalesce(e.ts, p.ts) AS ts, coalesce(e.user_id, p.user_id) AS user_id,
                   coalesce(events, 0) AS events, coalesce(plays, 0) AS plays
            FROM e FULL JOIN p ON e.session_id = p.session_id AND e.ts = p.ts
                 AND e.user_id IS NOT DISTINCT FROM p.user_id
            WHERE coalesce(events, 0) <> coalesce(plays, 0)
            ORDER BY ALL LIMIT {SAMPLE_ROWS}
            """
        )

    def _holes(self) -> tuple[int, int, list[Row]]:
        """Sessions, sessions with holes, and some of these.

        One that begins on the first day may have begun in the month before.
        """
        self._sql.execute(
            "CREATE OR REPLACE TEMP TABLE sessions AS SELECT session_id, min(item_in_session) AS "
            "first_item, max(item_in_session) AS last_item, count(*) AS events, min(ts) AS began "
            "FROM (SELECT session_id, item_in_session, min(ts) AS ts FROM events GROUP BY ALL) "
            "GROUP BY session_id"
        )
        holes = (
            "FROM sessions WHERE last_item::HUGEINT - first_item + 1 <> events "
            f"OR (first_item > 0 AND began >= {self._first + DAY_MS})"
        )
        found = self._rows(
            "SELECT session_id, first_item, last_item, events, last_item::HUGEINT + 1 - events - "
            f"(CASE WHEN began < {self._first + DAY_MS} THEN first_item ELSE 0 END) AS missing "
            f"{holes} ORDER BY session_id LIMIT {SAMPLE_ROWS}"
        )
        return (
            self._number("SELECT count(*) FROM sessions"),
            self._number(f"SELECT count(*) {holes}"),
            found,
        )

    def _number(self, query: str) -> int:
        return int(self._sql.execute(query).fetchall()[0][0])

    def _rows(self, query: str) -> list[Row]:
        return _rows(self._sql.execute(query))


class References:
    """The columns of plays that refer to other tables, with what stands there.

    Tables without months are read once for all months.
    """

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, snapshots: dict[str, Snapshot]
    ) -> None:
        self._snapshots = snapshots
        for _, table, name in REFERENCES_OF_PLAYS:
            if not table.monthly:
                rows = snapshots[table.name].batches([name], [WHOLE_TABLE])
                _load(connection, f"all_{table.name}", table, (name,), rows, temporary=False)

    def missing(
        self, connection: duckdb.DuckDBPyConnection, month: str, plays: Snapshot
    ) -> tuple[dict[str, int], list[Row]]:
        """By table, how many plays of a month refer to what is not there, and some of them.

        Args:
            connection: to the same database.
        """
        for _, table, name in REFERENCES_OF_PLAYS:
            if table.monthly:
                rows = self._snapshots[table.name].batches([name], [month])
                _load(connection, f"all_{table.name}", table, (name,), rows)
        names = [reference.column for reference in REFERENCES_OF_PLAYS]
        lost = [_lost(reference) for reference in REFERENCES_OF_PLAYS]
        numbers = ", ".join(f"count(*) FILTER ({condition})" for condition in lost)
        with _streamed(connection, SONGPLAYS, names, plays.batches(names, [month])) as all_plays:
            (found,) = connection.execute(f"SELECT {numbers} FROM {all_plays}").fetchall()
        counts: Counter[str] = Counter()
        sample: list[Row] = []
        for reference, condition, number in zip(REFERENCES_OF_PLAYS, lost, found, strict=True):
            if number:
                counts[reference.table.name] += int(number)
                sample += self._some(connection, month, plays, reference, condition)
        return dict(counts), sample[:SAMPLE_ROWS]

    def _some(
        self,
        connection: duckdb.DuckDBPyConnection,
        month: str,
        plays: Snapshot,
        reference: Reference,
        condition: str,
    ) -> list[Row]:
        """Some of the plays whose reference is lost."""
        column, table, name = reference
        names = ["songplay_id", column]
        with _streamed(connection, SONGPLAYS, names, plays.batches(names, [month])) as all_plays:
            return _rows(
                connection.execute(
                    f"SELECT songplay_id, '{column}' AS refers, {column}::VARCHAR AS value, "
                    f"'{table.name}.{name}' AS missing_in FROM {all_plays} WHERE {condition} "
                    f"ORDER BY ALL LIMIT {SAMPLE_ROWS}"
                )
            )


def _lost(reference: Reference) -> str:
    """The condition in SQL under which a play refers to what is not there."""
    column, table, name = reference
    there = f"SELECT {name} FROM all_{table.name} WHERE {name} IS NOT NULL"
    return f"{column} IS NOT NULL AND {column} NOT IN ({there})"


@contextmanager
def database(*, in_a_task: bool = False) -> Iterator[duckdb.DuckDBPyConnection]:
    """A DuckDB of its own; what does not fit into its memory goes to the local disk.

    Args:
        in_a_task: whether others of its kind work beside it on the same machine.
    """
    with tempfile.TemporaryDirectory(prefix="sparkify-checks-") as folder:
        limits: dict[str, Any] = {"memory_limit": _MEMORY, "temp_directory": folder}
        if in_a_task:
            limits |= {"memory_limit": _MEMORY_OF_A_TASK, "threads": 1}
        with duckdb.connect(config=limits) as connection:
            yield connection


def _load(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    table: Table,
    columns: Sequence[str],
    batches: Iterable[pa.RecordBatch],
    *,
    temporary: bool = True,
) -> None:
    kind = "TEMP TABLE" if temporary else "TABLE"  # the former is seen by its connection only
    with _streamed(connection, table, columns, batches) as source:
        connection.execute(f"CREATE OR REPLACE {kind} {name} AS FROM {source}")


@contextmanager
def _streamed(
    connection: duckdb.DuckDBPyConnection,
    table: Table,
    columns: Sequence[str],
    batches: Iterable[pa.RecordBatch],
) -> Iterator[str]:
    """The name under which one query, and only one, can read these rows as they come."""
    schema = pa.schema([table.plain_schema.field(column) for column in columns])
    connection.register("source", pa.RecordBatchReader.from_batches(schema, batches))
    try:
        yield "source"
    finally:
        connection.unregister("source")


def _rows(result: Any) -> list[Row]:
    names = [column[0] for column in result.description]
    return [
        {name: "" if value is None else str(value) for name, value in zip(names, row, strict=True)}
        for row in result.fetchall()
    ]
