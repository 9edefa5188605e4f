"""The tools that statements can be made for."""

from __future__ import annotations

from enum import StrEnum


class Tool(StrEnum):
    """Who is to know the tables."""

    ATHENA = "athena"
    TRINO = "trino"
    REDSHIFT = "redshift"
    DUCKDB = "duckdb"
    SPARK = "spark"
