"""The lake as a whole: its tables, made empty before first use, opened as snapshots."""

from __future__ import annotations

import errno
import os
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sparkify_assets.errors import MALFORMED, LakeError, StorageError
from sparkify_assets.lake.layout import check_table, check_tables, check_writer
from sparkify_assets.lake.log import (
    READER_VERSION,
    WRITER_VERSION,
    LogState,
    known_log,
    read_log,
    read_log_at,
    write_log,
)
from sparkify_assets.lake.snapshot import Snapshot
from sparkify_assets.storage.location import Location
from sparkify_assets.storage.objects import make_folder, objects
from sparkify_assets.tables import BUILT, LANDED_FILES, RAW_LOGS, RAW_SONGS, REJECTS, Table

# Tables before those that they are made from, then the ledger, then what it speaks of. In this
# order they are looked at: whatever is seen of a table, at least as new is what is seen of its
# sources, so that nothing is made from something older than what it replaces.
_IN_ORDER = (*reversed(BUILT), LANDED_FILES, REJECTS, RAW_LOGS, RAW_SONGS)

# Lakes whose tables this process made or found.
_made: set[str] = set()


@dataclass(frozen=True)
class Lake:
    """All tables below one location."""

    location: Location

    @staticmethod
    def at(uri: str) -> Lake:
        """The lake at a URI (see `settings.Settings.lake`)."""
        return Lake(Location(uri.rstrip("/")))

    def table_location(self, table: Table) -> Location:
        """The folder of a table."""
        return self.location.join(table.name)

    def find(self, table: Table) -> Snapshot | None:
        """The newest version of a table, None where it was not made yet.

        Raises:
            LakeError: it is not the table that is declared, or its log is broken.
            StorageError: the lake cannot be reached.
        """
        location = self.table_location(table)
        with _told(location):
            state = read_log(location)
            if state is None:
                return None
            check_table(table, state, location)
        return Snapshot(table, location, state)

    def look(self) -> None:
        """See what is new in every table; what is `seen` afterwards is as of now."""
        for table in _IN_ORDER:
            self.find(table)

    def seen(self, table: Table) -> Snapshot | None:
        """The version of a table that this process saw last; looks only if there is none.

        Raises:
            LakeError: as for `find`.
        """
        location = self.table_location(table)
        state = known_log(location)
        if state is None:
            return self.find(table)
        check_table(table, state, location)
        return Snapshot(table, location, state)

    def empty(self, table: Table) -> Snapshot:
        """What a table is before its first version."""
        return Snapshot(table, self.table_location(table), LogState())

    def exists(self, table: Table) -> bool:
        """Whether the table was made already."""
        return self.seen(table) is not None

    def last_seen(self, table: Table) -> Snapshot:
        """As `seen`, of a table that must be there.

        Raises:
            LakeError: there is no such table yet, or as for `find`.
        """
        return self._there(table, self.seen(table))

    def snapshot(self, table: Table) -> Snapshot:
        """The newest version of a table.

        Raises:
            LakeError: there is no such table yet, or as for `find`.
        """
        return self._there(table, self.find(table))

    def snapshot_at(self, table: Table, version: int) -> Snapshot:
        """A table at one version.

        Raises:
            LakeError: that version is no longer there, or as for `find`.
        """
        location = self.table_location(table)
        with _told(location):
            state = read_log_at(location, version)
            check_table(table, state, location)
        return Snapshot(table, location, state)

    def _there(self, table: Table, found: Snapshot | None) -> Snapshot:
        if found is None:
            raise LakeError(
                f"{self.location.uri} has no table {table.name} yet; `sparkify run` makes it"
            )
        return found

    def create_missing(self) -> bool:
        """Make every table that is not there yet, empty. In a bucket a process looks but once.

        Returns:
            Whether one was made.

        Raises:
            LakeError: the lake cannot be written, has a table that is not declared, or one that
                this version must not write.
        """
        made = False
        if self.location.uri in _made:
            self.check_writers()
            return made
        look = self.seen if self.location.on_s3 else self.find
        try:
            if not self.location.on_s3:
                self._check_writable(Path(self.location.uri))
            self.check_tables()
            missing = [table for table in _IN_ORDER if look(table) is None]
            self.check_writers()
            for table in _IN_ORDER:
                if table in missing:
                    self._create(table)
                    made = True
                if not self.location.on_s3:
                    self._check_writable(Path(self.table_location(table).uri))
        except StorageError:
            raise
        except OSError as error:
            raise LakeError(
                f"SPARKIFY_LAKE: the lake {self.location.uri} cannot be written: {error}; "
                "expected a folder that may be made and written"
            ) from error
        if self.location.on_s3:
            _made.add(self.location.uri)
        return made

    def check_tables(self) -> None:
        """Refuse a lake with a table that is not declared: one LIST.

        Raises:
            LakeError: it has one.
        """
        check_tables(self.location, objects(self.location).folders())

    def check_writers(self) -> None:
        """Refuse to write a lake with a table, as seen last, that asks for a newer writer.

        Each commit looks for itself; here a run is refused before it has done any work.

        Raises:
            LakeError: it has one.
        """
        for table in _IN_ORDER:
            location = self.table_location(table)
            state = known_log(location)
            if state is not None:
                check_writer(state, location)

    def _check_writable(self, folder: Path) -> None:
        make_folder(folder)
        if not os.access(folder, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(folder))

    def _create(self, table: Table) -> None:
        try:
            write_log(self.table_location(table), LogState(), _first_version(table))
        except FileExistsError:  # another run was quicker
            return
        except StorageError:
            if not self.exists(table):
                raise


@contextmanager
def _told(location: Location) -> Iterator[None]:
    """A log that cannot be read, whatever is wrong with it, as an error for people."""
    try:
        yield
    except StorageError:
        raise
    except (OSError, *MALFORMED) as error:
        reason = f"{type(error).__name__}: {error}".splitlines()[0]
        raise LakeError(
            f"{location.uri}: the table cannot be opened: {reason}. Restore the folder from a "
            "backup, or set SPARKIFY_LAKE to another place and run again"
        ) from error


def _first_version(table: Table) -> list[dict[str, Any]]:
    now = time.time_ns() // 1_000_000
    return [
        {"commitInfo": {"timestamp": now, "operation": "CREATE TABLE"}},
        {
            "protocol": {"minReaderVersion": READER_VERSION, "minWriterVersion": WRITER_VERSION},
        },
        {
            "metaData": {
                "id": str(uuid.uuid4()),
                "name": table.name,
                "description": table.description,
                "format": {"provider": "parquet", "options": {}},
                "schemaString": table.delta_schema,
                "partitionColumns": list(table.partition_by),
                "configuration": {},
                "createdTime": now,
            }
        },
    ]
