"""The lake as a whole: its tables, made empty before first use, opened as snapshots."""

from __future__ import annotations

from dataclasses import dataclass

from deltalake import DeltaTable
from deltalake.exceptions import DeltaError, TableNotFoundError
from deltalake.transaction import CommitProperties

from sparkify_assets.errors import LakeError
from sparkify_assets.lake.location import Location
from sparkify_assets.lake.snapshot import Snapshot
from sparkify_assets.tables import TABLES, Table


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

    def exists(self, table: Table) -> bool:
        """Whether the table was made already."""
        location = self.table_location(table)
        return DeltaTable.is_deltatable(location.uri, location.storage_options)

    def snapshot(self, table: Table) -> Snapshot:
        """The newest version of a table.

        Raises:
            LakeError: there is no such table yet, or it is not the table that is declared.
        """
        location = self.table_location(table)
        try:
            delta = DeltaTable(location.uri, storage_options=location.storage_options)
        except TableNotFoundError as error:
            raise LakeError(
                f"{self.location.uri} has no table {table.name} yet; `sparkify run` makes it"
            ) from error
        except (DeltaError, OSError) as error:
            reason = str(error).splitlines()[0]
            raise LakeError(f"{location.uri}: the table cannot be opened: {reason}") from error
        _check(table, delta, location)
        return Snapshot(table, location, delta)

    def create_missing(self) -> None:
        """Make every table that is not there yet, empty.

        Raises:
            LakeError: the lake cannot be written.
        """
        try:
            self.location.make()
            for table in TABLES.values():
                if not self.exists(table):
                    self._create(table)
                self.table_location(table).check_writable()
        except (OSError, DeltaError) as error:
            raise LakeError(
                f"SPARKIFY_LAKE: the lake {self.location.uri} cannot be written: {error}; "
                "expected a folder that may be made and written"
            ) from error

    def _create(self, table: Table) -> None:
        location = self.table_location(table)
        try:
            # Of two creators the second one gets an error. Without the last option delta-rs tries
            # its commit again as version 1, in which the table gets another identity.
            DeltaTable.create(
                location.uri,
                schema=table.delta_schema(),
                mode="error",
                partition_by=list(table.partition_by) or None,
                name=table.name,
                description=table.description,
                storage_options=location.storage_options or None,
                commit_properties=CommitProperties(max_commit_retries=0),
            )
        except DeltaError:
            if not self.exists(table):
                raise


def _check(table: Table, delta: DeltaTable, location: Location) -> None:
    found = [(field.name, str(field.type)) for field in delta.schema().fields]
    declared = [(field.name, str(field.type)) for field in table.delta_schema().fields]
    partitions = list(delta.metadata().partition_columns)
    if found == declared and partitions == list(table.partition_by):
        return
    lacking = [name for name, _ in declared if name not in dict(found)]
    differing = [name for name, kind in declared if dict(found).get(name, kind) != kind]
    raise LakeError(
        f"{location.uri} is not the table {table.name} that this version of the project writes "
        f"(missing columns: {lacking or 'none'}; other types: {differing or 'none'}; partitioned "
        f"by {partitions or 'nothing'}, declared {list(table.partition_by) or 'nothing'}); "
        "use the version that wrote it, or set SPARKIFY_LAKE to another folder and run again"
    )
