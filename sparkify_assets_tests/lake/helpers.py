"""Small replacements of months of songplays' little sister, the table time."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import pyarrow as pa

from sparkify_assets.lake.commit import Stamp, replace
from sparkify_assets.lake.lake import Lake
from sparkify_assets.lake.part import Part
from sparkify_assets.lake.parts import write_parts
from sparkify_assets.lake.snapshot import Snapshot
from sparkify_assets.partitions import year_and_month
from sparkify_assets.tables import TIME


def rows(month: str, *days: int) -> pa.Table:
    """Rows of `time`, one a day."""
    year, number = year_and_month(month)
    return pa.Table.from_pylist(
        [
            {
                "start_time": dt.datetime(year, number, day, 12, tzinfo=dt.UTC),
                "hour": 12,
                "day": day,
                "week": 1,
                "month": number,
                "year": year,
                "weekday": 1,
            }
            for day in days
        ],
        schema=TIME.plain_schema,
    )


def parts(lake: Lake, month: str, *days: int) -> list[Part]:
    """The rows, written but not committed."""
    return write_parts(rows(month, *days).to_batches(), TIME, lake.table_location(TIME)).parts


def put(
    lake: Lake, base: Snapshot, fingerprint: int, month: str, days: Sequence[int] = ()
) -> Snapshot:
    """Replace a month by these days, from `base`."""
    return replace(lake, base, parts(lake, month, *days), {month: Stamp(fingerprint)})


def content(lake: Lake) -> list[tuple[int, int]]:
    """What a reader sees: (month, day) of every row, sorted."""
    found = lake.snapshot(TIME).read(["month", "day"]).to_pylist()
    return sorted((row["month"], row["day"]) for row in found)
