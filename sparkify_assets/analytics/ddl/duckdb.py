"""DuckDB: views over the tables by its `delta` extension, and the views for people above them."""

from __future__ import annotations

from collections.abc import Sequence

from sparkify_assets.analytics.ddl.target import Target
from sparkify_assets.analytics.relations import RELATIONS
from sparkify_assets.analytics.sql import text, utc
from sparkify_assets.analytics.views import VIEWS
from sparkify_assets.tables import PUBLIC, Column, Table
from sparkify_assets.tables.declaration import INSTANT

_NOTES = """
DuckDB, with its extension delta: INSTALL fetches it once from the internet.
The views read the newest version of each table when they are asked, so two tables may be from
before and after a run that is just at work. To hold on to a release, newer versions of the
extension take delta_scan('…', version => 12); the versions are in the lake's folder _releases.
In a database file: one that is not called like the schema, for DuckDB could not tell them apart.
start_time is a TIMESTAMP in UTC, without a zone: days, weeks and hours are those of UTC.
"""
_MONTH = "*, printf('%04d-%02d', year, month) AS year_month"


def script(target: Target) -> tuple[str, list[str]]:
    """Notes and statements."""
    schema = f'"{target.schema}"'
    found = ["INSTALL delta", "LOAD delta"]
    if target.lake.on_s3:
        found.append("CREATE OR REPLACE SECRET sparkify (TYPE s3, PROVIDER credential_chain)")
    # A view finds tables without a schema in its own.
    found += [f"CREATE SCHEMA IF NOT EXISTS {schema}", f"USE {schema}"]
    for table in PUBLIC:
        found.append(f'CREATE OR REPLACE VIEW {schema}."{table.name}" AS\n{_scan(target, table)}')
        found += _comments(schema, table.name, table.description, table.columns)
    for view in VIEWS:
        # They name the parts of a month by year_month, which is made of year and month here.
        sql = RELATIONS[view.name].sql.strip()
        for table in PUBLIC:
            inner = f'(SELECT {_MONTH} FROM {schema}."{table.name}")'
            sql = sql.replace(f"parts.{table.name} ", f"{inner} ")
        found.append(f'CREATE OR REPLACE VIEW {schema}."{view.name}" AS\n{sql}')
        found += _comments(schema, view.name, view.description, view.columns)
    return _NOTES, found


def _scan(target: Target, table: Table) -> str:
    lake = target.lake.uri if target.lake.on_s3 else f"file://{target.lake.uri}"
    columns = ", ".join(map(_column, table.columns))
    return f"SELECT {columns}\nFROM delta_scan({text(f'{lake}/{table.name}')})"


def _column(column: Column) -> str:
    if column.type != INSTANT:
        return f'"{column.name}"'
    return utc(column.name)


def _comments(schema: str, name: str, description: str, columns: Sequence[Column]) -> list[str]:
    relation = f'{schema}."{name}"'
    return [
        f"COMMENT ON VIEW {relation} IS {text(description)}",
        *(
            f'COMMENT ON COLUMN {relation}."{column.name}" IS {text(column.description)}'
            for column in columns
        ),
    ]
