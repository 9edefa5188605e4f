"""Amazon Redshift: external tables (Spectrum) over the plain copy that `sparkify export` makes.

Spectrum knows a Delta table only by a manifest that `GENERATE symlink_format_manifest` of Spark's
Delta package writes below the table; this project writes none, and one would be out of date after
each run. Partitions of an external table are added by statements, a month each.
"""

from __future__ import annotations

import pyarrow as pa

from sparkify_assets.analytics.ddl.target import Target, described
from sparkify_assets.analytics.sql import text
from sparkify_assets.errors import UsageError
from sparkify_assets.partitions import year_and_month
from sparkify_assets.storage.location import Location
from sparkify_assets.tables import PUBLIC, Column, Table

_NOTES = """
Amazon Redshift, external tables over the copy in {export}.
Redshift reads no Delta log (only manifests that Spark writes beside it, which this lake has not),
hence the copy. It is as of one release: export again after a run, and run the ALTER TABLE
statements again when there are new months. While a copy is replaced, a query may see rows of a
changed month twice, or miss a file that is just removed: export when nobody asks.
start_time is a TIMESTAMP without a time zone, in UTC. Texts are VARCHAR(65535), as long as it may
be: Redshift cuts longer ones off without an error.
IAM_ROLE default is the cluster's default role; it needs the bucket and the Glue catalog.
CREATE EXTERNAL TABLE cannot run in a transaction. External tables take no descriptions.
Parsed, not run: there was no AWS account.
"""

_TYPES = {
    pa.string(): "varchar(65535)",
    pa.int64(): "bigint",
    pa.int32(): "integer",
    pa.float64(): "double precision",
    pa.timestamp("us", tz="UTC"): "timestamp",
}


def script(target: Target) -> tuple[str, list[str]]:
    """Notes and statements. Raises UsageError where there is no copy in a bucket."""
    export = target.export
    if export is None or not export.on_s3:
        raise UsageError(
            "Redshift cannot read the Delta log: make a plain copy with `sparkify export s3://…`, "
            "and name it here with --export s3://…"
        )
    name = text(target.schema)
    found = [
        f'CREATE EXTERNAL SCHEMA IF NOT EXISTS "{target.schema}"\n'
        f"FROM DATA CATALOG DATABASE {name}\n"
        "IAM_ROLE default\n"
        "CREATE EXTERNAL DATABASE IF NOT EXISTS"
    ]
    for table in PUBLIC:
        found += _table(target, table, export.join(table.name))
    return _NOTES.format(export=export.uri), found


def _table(target: Target, table: Table, location: Location) -> list[str]:
    name = f'"{target.schema}"."{table.name}"'
    inside = [column for column in table.columns if column.name not in table.partition_by]
    by_name = {column.name: column for column in table.columns}
    columns = ",\n  ".join(_column(column) for column in inside)
    partitions = ", ".join(_column(by_name[name]) for name in table.partition_by)
    partitioned = f"PARTITIONED BY ({partitions})\n" if partitions else ""
    found = [
        f"{described(table)}\nCREATE EXTERNAL TABLE {name} (\n  {columns}\n)\n{partitioned}"
        f"STORED AS PARQUET\nLOCATION {text(location.uri + '/')}"
    ]
    for month in target.months if table.monthly else ():
        year, number = year_and_month(month)
        found.append(
            f'ALTER TABLE {name} ADD IF NOT EXISTS PARTITION ("year"={year}, "month"={number})\n'
            f"LOCATION {text(f'{location.uri}/year={year}/month={number}/')}"
        )
    return found


def _column(column: Column) -> str:
    return f'"{column.name}" {_TYPES[column.type]}'
