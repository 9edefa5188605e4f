"""Expressions that several transforms share."""

from __future__ import annotations

from collections.abc import Sequence

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F  # noqa: N812 -- the name everybody knows it by


def filled(name: str, alias: str | None = None) -> Column:
    """A text column in which empty text is null."""
    return F.when(F.col(name) != "", F.col(name)).alias(alias or name)


def first_of_each(frame: DataFrame, key: Sequence[str], order: Sequence[Column]) -> DataFrame:
    """One row for each key: the first in this order, which must leave no ties that differ."""
    rank = F.row_number().over(Window.partitionBy(*key).orderBy(*order))
    return frame.withColumn("_rank", rank).filter(F.col("_rank") == 1).drop("_rank")


def instant() -> Column:
    """`ts`, milliseconds since the epoch, as a timestamp."""
    return F.timestamp_millis(F.col("ts"))


def with_month(frame: DataFrame) -> DataFrame:
    """Adds `year` and `month` of `ts`, UTC."""
    return frame.withColumns(
        {"year": F.year(instant()).cast("int"), "month": F.month(instant()).cast("int")}
    )
