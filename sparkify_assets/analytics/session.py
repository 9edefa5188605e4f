"""SQL over one release: a DuckDB that reads the tables at the release's versions, and nothing else.

Tables are opened when a statement names them: a log is read, and files are known by then. Every
statement of a session sees the same release until `refresh`.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import duckdb
import pyarrow as pa

from sparkify_assets.analytics.part_files import PartFiles, PartGone
from sparkify_assets.analytics.relations import Relation, with_needed
from sparkify_assets.analytics.select_parts import select_parts
from sparkify_assets.analytics.statement import (
    QueryError,
    Statement,
    explained_by_duckdb,
    read_statement,
)
from sparkify_assets.analytics.stoppable import Stoppable, TookTooLong
from sparkify_assets.errors import LakeError, SparkifyError
from sparkify_assets.lake.lake import Lake
from sparkify_assets.lake.release import Release, last_release
from sparkify_assets.lake.snapshot import Snapshot
from sparkify_assets.tables import TABLES

BATCH_ROWS = 16_384
# In a bucket a first read is mostly waiting; more than these are in each other's way afterwards.
_THREADS_A_CORE_ON_S3 = 4
_SPILL_TIMES_MEMORY = 8


class QueryFailed(SparkifyError):  # noqa: N818 -- reads as what happened
    """A query hit a limit, or its files are gone."""


@dataclass(frozen=True)
class Limits:
    """What one query may use: memory in GiB before it spills to disk, and seconds."""

    memory_gb: float = 2.0
    seconds: float = 300.0


class Session:
    """A closed DuckDB over one release. For one thread at a time.

    Attributes:
        release: what it reads.
        files: the parts, as DuckDB sees them.
    """

    def __init__(
        self, lake: Lake, release: Release, limits: Limits | None = None, *, keep: bool = False
    ) -> None:
        self._lake = lake
        self._keep = keep
        self.limits = limits or Limits()
        self.files = PartFiles()
        self._snapshots: dict[str, Snapshot] = {}
        self._open: dict[str, str] = {}
        self.release = release
        self._spill = tempfile.mkdtemp(prefix="sparkify-query-")
        self._sql = duckdb.connect(config=self._config())
        self._parser = duckdb.connect()
        self._work = Stoppable(self._sql.interrupt)
        try:
            self._prepare()
        except BaseException:
            self.close()
            raise

    @property
    def lake_uri(self) -> str:
        """Where the lake is."""
        return self._lake.location.uri

    def refresh(self) -> bool:
        """Go on to the newest release; whether there was a newer one."""
        newest = last_release(self._lake)
        if newest == self.release:
            return False
        self.release = newest
        self._snapshots.clear()
        for name, kind in self._open.items():
            self._sql.execute(f'DROP {kind} IF EXISTS "{name}"')
            self._sql.execute(f'DROP VIEW IF EXISTS parts."{name}"')
        self._open.clear()
        return True

    def snapshot(self, name: str) -> Snapshot:
        """A table at its version in the release.

        Raises:
            LakeError: the release has no such table, or that version is no longer there.
        """
        if name not in self._snapshots:
            version = self.release.versions.get(name)
            if version is None:
                raise LakeError(f"{self.release} has no table {name}; `sparkify run` adds it")
            self._snapshots[name] = self._lake.snapshot_at(TABLES[name], version)
        return self._snapshots[name]

    def check(self, sql: str) -> Statement:
        """What a statement is about, without running it.

        Raises:
            QueryError: it is not one statement that only reads.
        """
        return read_statement(self._parser, sql)

    @contextmanager
    def reader(
        self, sql: str, parameters: Mapping[str, Any] | None = None
    ) -> Iterator[pa.RecordBatchReader]:
        """The result batch by batch, never all of it in memory.

        Args:
            parameters: values of `$name` in the SQL; those that it does not name are passed over.

        Raises:
            QueryError: the SQL is wrong or does more than read.
            QueryFailed: it took too long or too much memory, or a file is gone.
            KeyboardInterrupt: Ctrl-C; the session is as good as before.
        """
        statement = self.check(sql)
        values = {k: v for k, v in (parameters or {}).items() if k in statement.parameters}
        lacking = sorted(statement.parameters - set(values))
        if lacking:
            raise QueryError(f"the SQL has parameters without a value: ${', $'.join(lacking)}")
        batches: list[pa.RecordBatchReader] = []

        def start() -> pa.RecordBatchReader:
            self._open_relations(statement)
            try:
                relation = self._sql.sql(statement.text, params=values or None)
            except duckdb.BinderException:
                # The same error again, and with the line and the place in it.
                self._sql.execute(statement.text, values or None)
                raise
            if relation is None:
                raise QueryError("the statement gives no rows")
            return relation.to_arrow_reader(BATCH_ROWS)

        spent = 0.0

        def told(work: Any) -> Any:
            # Whoever takes the rows may take time; only the query's own counts.
            nonlocal spent
            began = time.monotonic()
            try:
                return self._told(work, began + self.limits.seconds - spent)
            finally:
                spent += time.monotonic() - began

        def steps() -> Iterator[pa.RecordBatch]:
            while (batch := told(lambda: _next(batches[0]))) is not None:
                yield batch

        try:
            batches.append(told(start))
            yield pa.RecordBatchReader.from_batches(batches[0].schema, steps())
        finally:
            for batch_reader in batches:
                with suppress(pa.ArrowException, OSError):
                    batch_reader.close()

    def table(self, sql: str, parameters: Mapping[str, Any] | None = None) -> pa.Table:
        """The whole result. Raises as `reader`."""
        with self.reader(sql, parameters) as reader:
            return pa.Table.from_batches(list(reader), schema=reader.schema)

    def close(self) -> None:
        """Give everything back."""
        self._work.close()
        self._sql.close()
        self._parser.close()
        shutil.rmtree(self._spill, ignore_errors=True)

    def _config(self) -> dict[str, Any]:
        threads = os.cpu_count() or 1
        return {
            "memory_limit": f"{self.limits.memory_gb * 1024:.0f}MiB",
            "temp_directory": self._spill,
            "max_temp_directory_size": (
                f"{self.limits.memory_gb * 1024 * _SPILL_TIMES_MEMORY:.0f}MiB"
            ),
            "threads": threads * (_THREADS_A_CORE_ON_S3 if self._lake.location.on_s3 else 1),
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "allow_community_extensions": "false",
            "python_enable_replacements": "false",
        }

    def _prepare(self) -> None:
        self._sql.register_filesystem(self.files)
        self._sql.execute("SET TimeZone = 'UTC'")
        # It loses the filters that choose the files: totals over all months (DuckDB 2.0.0).
        self._sql.execute("SET disabled_optimizers = 'window_self_join'")
        self._sql.execute("CREATE SCHEMA parts")
        self._sql.execute("SET allowed_directories = ['lake://']")
        self._sql.execute("SET enable_external_access = false")
        self._sql.execute("SET lock_configuration = true")

    def _open_relations(self, statement: Statement) -> None:
        for relation in with_needed(statement.relations):
            name, kind = relation.name, self._kind(relation, statement)
            if self._open.get(name) in (kind, "TABLE"):
                continue
            if "*" in statement.relations and not self._has(relation):
                continue
            if name in TABLES:
                self._open_table(relation)
            if name in self._open:
                self._sql.execute(f'DROP {self._open.pop(name)} "{name}"')
            # Replaced: what Ctrl-C left of another try is not in the way.
            self._sql.execute(f'CREATE OR REPLACE {kind} "{name}" AS {relation.sql}')
            self._open[name] = kind

    def _kind(self, relation: Relation, statement: Statement) -> str:
        """A view that needs all plays is made once, where several questions are to come."""
        return "TABLE" if relation.whole and self._keep and statement.reads else "VIEW"

    def _has(self, relation: Relation) -> bool:
        """Whether the release has what a relation is made of: an older one may lack a table."""
        return relation.name not in TABLES or relation.name in self.release.versions

    def _open_table(self, relation: Relation) -> None:
        table, snapshot = TABLES[relation.name], self.snapshot(relation.name)
        selected = select_parts(self.files, table, snapshot)
        self._sql.execute(f'CREATE OR REPLACE VIEW parts."{table.name}" AS {selected}')

    def _told(self, work: Any, deadline: float) -> Any:
        """What `work` gives, its errors in our own words."""
        self.files.failure = None
        try:
            return self._work.run(work, deadline)
        except TookTooLong:
            raise QueryFailed(
                f"stopped after {self.limits.seconds:g} s; ask for less, for example for a month, "
                "or raise SPARKIFY_QUERY_SECONDS"
            ) from None
        except (duckdb.OutOfMemoryException, MemoryError):
            raise self._too_much_memory() from None
        except (duckdb.Error, pa.ArrowException, OSError) as error:
            raise self._explained(error) from None

    def _too_much_memory(self) -> QueryFailed:
        return QueryFailed(
            f"the query needs more than {self.limits.memory_gb:g} GiB of memory; ask for less, "
            "or raise SPARKIFY_QUERY_MEMORY_GB"
        )

    def _explained(self, error: Exception) -> SparkifyError:
        found = self.files.failure
        if isinstance(found, PartGone):
            return QueryFailed(
                f"{found}: {self.release} was cleaned up while it was read; ask again. "
                "SPARKIFY_GRACE_HOURS says how long one is kept"
            )
        if found is not None:
            return found
        told = explained_by_duckdb(error) if isinstance(error, duckdb.Error) else str(error)
        if "Out of Memory" in told:
            return self._too_much_memory()
        if isinstance(error, (duckdb.IOException, OSError)) and not isinstance(
            error, duckdb.ProgrammingError
        ):
            return QueryFailed(told)
        return QueryError(told)


@contextmanager
def open_session(
    lake: Lake,
    release: Release | None = None,
    limits: Limits | None = None,
    *,
    keep: bool = False,
) -> Iterator[Session]:
    """A session over a release, the newest if none is given.

    Args:
        keep: for several questions: `sessions` and `levels` are made at the first one that names
            them and stay, in memory or beyond it on disk, until another release is read.

    Raises:
        LakeError: the lake has no release yet.
    """
    session = Session(lake, release or last_release(lake), limits, keep=keep)
    try:
        yield session
    finally:
        session.close()


def _next(reader: pa.RecordBatchReader) -> pa.RecordBatch | None:
    try:
        return reader.read_next_batch()
    except StopIteration:
        return None
