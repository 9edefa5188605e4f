"""Spark SQL: tables by location. Columns and descriptions come from the Delta log."""

from __future__ import annotations

from sparkify_assets.analytics.ddl.target import Target, described
from sparkify_assets.analytics.sql import text
from sparkify_assets.tables import PUBLIC

_NOTES = """
Spark SQL. Apache Spark needs the package delta-spark and, for a lake in a bucket, hadoop-aws;
Sail, the embedded engine, has both.
Spark reads the newest version of each table, VERSION AS OF an earlier one: the versions that belong
together are in the lake's folder _releases.
start_time is a TIMESTAMP, an instant, and shown in the session's time zone: set
spark.sql.session.timeZone to UTC, so that days and hours are those of UTC.
Only read: INSERT, OPTIMIZE or VACUUM from here would change the lake.
"""


def script(target: Target) -> tuple[str, list[str]]:
    """Notes and statements."""
    lake = target.lake.uri
    if target.lake.on_s3:
        lake = lake.replace("s3://", "s3a://", 1)
    found = [f"CREATE DATABASE IF NOT EXISTS `{target.schema}`"]
    for table in PUBLIC:
        found.append(
            f"{described(table)}\n"
            f"CREATE TABLE IF NOT EXISTS `{target.schema}`.`{table.name}`\n"
            f"USING delta\nLOCATION {text(f'{lake}/{table.name}')}"
        )
    return _NOTES, found
