"""Trino: its connector for Delta tables registers a table where it lies, by a procedure.

`COMMENT ON` would write to the Delta log, so descriptions stand in SQL comments.
"""

from __future__ import annotations

from sparkify_assets.analytics.ddl.target import Target, described
from sparkify_assets.analytics.sql import text
from sparkify_assets.tables import PUBLIC

_NOTES = """
Trino, connector delta_lake. In the catalog's file (etc/catalog/{catalog}.properties), besides
connector.name=delta_lake and the metastore: delta.register-table-procedure.enabled=true, which
is off by default.
Trino reads the newest version of each table. FOR VERSION AS OF reads an earlier one: the versions
that belong together are in the lake's folder _releases.
start_time is a TIMESTAMP(3) WITH TIME ZONE, an instant; SET TIME ZONE 'UTC' shows it in UTC.
Only read: INSERT, COMMENT, ANALYZE, OPTIMIZE or VACUUM from here would change the lake. Writes on
S3 are off as long as delta.enable-non-concurrent-writes is not set.
Parsed, not run: there was no Trino server.
"""


def script(target: Target) -> tuple[str, list[str]]:
    """Notes and statements. Raises UsageError for a lake in a folder."""
    lake = target.lake_on_s3("Trino")
    found = [f'CREATE SCHEMA IF NOT EXISTS "{target.catalog}"."{target.schema}"']
    for table in PUBLIC:
        found.append(
            f"{described(table)}\n"
            f'CALL "{target.catalog}".system.register_table('
            f"schema_name => {text(target.schema)}, table_name => {text(table.name)}, "
            f"table_location => {text(lake.join(table.name).uri)})"
        )
    return _NOTES.format(catalog=target.catalog), found
