"""Amazon Athena: engine version 3 reads Delta tables; they are registered in the Glue catalog.

The statement for a Delta table may hold a location and the table type and nothing else: no columns,
no comment. Athena takes them from the log.
"""

from __future__ import annotations

from sparkify_assets.analytics.ddl.target import Target, described
from sparkify_assets.analytics.sql import text
from sparkify_assets.tables import PUBLIC

_NOTES = """
Amazon Athena, engine version 3 (earlier ones cannot read Delta tables). Run the statements one
after the other; Athena takes them one at a time.
Athena reads the newest version of each table; it has no queries of earlier versions. So two tables
may be from before and after a run that is just at work.
start_time is a time in UTC. In SELECT, the name of the table time is written "time".
Columns and partitions come from the Delta log: no crawler and no MSCK REPAIR TABLE is needed, nor
anything for new months.
Parsed, not run: there was no AWS account.
"""


def script(target: Target) -> tuple[str, list[str]]:
    """Notes and statements. Raises UsageError for a lake in a folder."""
    lake = target.lake_on_s3("Athena")
    found = [f"CREATE DATABASE IF NOT EXISTS `{target.schema}`"]
    for table in PUBLIC:
        found.append(
            f"{described(table)}\n"
            f"CREATE EXTERNAL TABLE `{target.schema}`.`{table.name}`\n"
            f"LOCATION {text(lake.join(table.name).uri + '/')}\n"
            "TBLPROPERTIES ('table_type' = 'DELTA')"
        )
    return _NOTES, found
