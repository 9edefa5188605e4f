"""Groups of rows in Parquet files are worth a read, however small the batches that come."""

from __future__ import annotations

import datetime as dt

import pyarrow as pa
import pyarrow.parquet as pq

from sparkify_assets.lake.lake import Lake
from sparkify_assets.lake.parts import write_parts
from sparkify_assets.lake.row_groups import LEAST_ROWS, MOST_ROWS, row_groups
from sparkify_assets.tables import TIME

_BATCHES, _ROWS = 150, 1_000


def _batch(number: int, months: int) -> pa.RecordBatch:
    start = dt.datetime(2018, 11, 1, tzinfo=dt.UTC) + dt.timedelta(seconds=number)
    rows = {"start_time": start, "hour": 0, "day": 1, "week": 44, "weekday": 4, "year": 2018}
    return pa.RecordBatch.from_pylist(
        [rows | {"month": 1 + row % months} for row in range(_ROWS)], schema=TIME.plain_schema
    )


def _groups(lake: Lake, months: int) -> list[list[int]]:
    location = lake.table_location(TIME)
    batches = (_batch(number, months) for number in range(_BATCHES))
    found = []
    for part in write_parts(batches, TIME, location).parts:
        metadata = pq.read_metadata(f"{location.uri}/{part.path}")
        groups = [metadata.row_group(n).num_rows for n in range(metadata.num_row_groups)]
        assert sum(groups) == part.rows
        found.append(groups)
    return found


def test_a_part_of_many_small_batches_has_few_groups(lake: Lake) -> None:
    [groups] = _groups(lake, months=1)
    assert len(groups) == 3
    assert all(LEAST_ROWS <= rows <= MOST_ROWS for rows in groups[:-1])


def test_so_has_each_part_where_partitions_come_mixed(lake: Lake) -> None:
    found = _groups(lake, months=2)
    assert [len(groups) for groups in found] == [2, 2]
    assert all(groups[0] >= LEAST_ROWS for groups in found)


def test_batches_are_put_together_in_order_and_without_a_rest_too_many() -> None:
    numbers = pa.RecordBatch.from_pydict({"n": list(range(LEAST_ROWS // 2))})
    tables = list(row_groups([numbers] * 4))
    assert [table.num_rows for table in tables] == [LEAST_ROWS, LEAST_ROWS]
    assert tables[1].column("n").to_pylist() == list(range(LEAST_ROWS // 2)) * 2
    assert list(row_groups([])) == []
