"""Dagster's history in SQLite, as processes write it that tell hundreds of events at a stretch.

Dagster opens and closes its files for each event; whoever closes the last connection also empties
the write-ahead log into the file, and each commit waits for the disk. With some 800 events, in a
run over two years, that was a fifth of the time. Here a connection is kept for the files of the
last runs, and a commit waits for the disk when the log is emptied: after a power failure the last
events may be missing, never the file broken. What the lake holds does not depend on any of them.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from dagster import DagsterInstance
from dagster._core.instance.ref import InstanceRef
from dagster._core.storage.event_log.sqlite.sqlite_event_log import SqliteEventLogStorage
from dagster._core.storage.sqlite_storage import DagsterSqliteStorage
from dagster._serdes import ConfigurableClassData
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.pool import QueuePool

_BUSY_SECONDS = 60
# A run has a file of its own; the daemon and the UI see many runs.
_MOST_HELD = 16


class HeldEventLog(SqliteEventLogStorage):
    """Dagster's event log, with a connection held for each file that was in use lately."""

    def __init__(self, base_dir: str) -> None:
        super().__init__(base_dir)
        self._engines: dict[str, Engine] = {}
        self._tables: set[str] = set()

    def has_table(self, table_name: str) -> bool:
        """Asked for every result of a check; a table that is there stays."""
        if table_name not in self._tables and super().has_table(table_name):
            self._tables.add(table_name)
        return table_name in self._tables

    def dispose(self) -> None:
        """Close the connections, which empties the write-ahead logs."""
        self._close()
        super().dispose()

    def wipe(self) -> None:
        """Remove the files, and none of them may be held then."""
        self._close()
        super().wipe()

    def _close(self) -> None:
        with self._db_lock:
            for engine in self._engines.values():
                engine.dispose()
            self._engines.clear()

    @contextmanager
    def _connect(self, shard: str) -> Iterator[Connection]:
        with self._db_lock:
            # The one used last stands last.
            engine = self._engines.pop(shard, None) or self._opened(shard)
            self._engines[shard] = engine
            while len(self._engines) > _MOST_HELD:
                self._engines.pop(next(iter(self._engines))).dispose()
            with engine.connect() as connection, connection.begin():
                yield connection
            # The UI watches the file, and not the log beside it.
            os.utime(self.path_for_shard(shard))

    def _opened(self, shard: str) -> Engine:
        engine = create_engine(
            self.conn_string_for_shard(shard),
            poolclass=QueuePool,
            pool_size=1,
            connect_args={"timeout": _BUSY_SECONDS, "check_same_thread": False},
        )
        event.listen(engine, "connect", _wait_less)
        self._initdb(engine)
        self._initialized_dbs.add(shard)
        return engine


class HeldStorage(DagsterSqliteStorage):
    """Dagster's storage in SQLite, with such an event log."""

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        super().__init__(base_dir, inst_data)
        self._event_log_storage = HeldEventLog(self._event_log_storage._base_dir)

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Any
    ) -> HeldStorage:
        """As Dagster makes it from the instance's configuration."""
        return cls.from_local(inst_data=inst_data, **config_value)


def instance_of(ref: InstanceRef) -> DagsterInstance:
    """The instance, with a held history where it is Dagster's in SQLite."""
    data = ref.storage_data
    if data is not None and data.class_name == DagsterSqliteStorage.__name__:
        held = ConfigurableClassData(__name__, HeldStorage.__name__, data.config_yaml)
        ref = ref._replace(storage_data=held)
    return DagsterInstance.from_ref(ref)


def _wait_less(connection: Any, _record: Any) -> None:
    connection.execute("PRAGMA synchronous = NORMAL")
