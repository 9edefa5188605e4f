"""Groups of rows in Parquet files are worth a read, however small the batches that come."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from sparkify_assets.lake import row_groups as lake_row_groups
from sparkify_assets.lake import writers
from sparkify_assets.lake.lake import Lake
from sparkify_assets.lake.parts import write_parts
from sparkify_assets.lake.row_groups import (
    GROUP_BYTES,
    GROUP_ROWS,
    MOST_BYTES,
    groups_by_file,
    row_groups,
)
from sparkify_assets.tables import REJECTS, TIME

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
    rest = _BATCHES * _ROWS - 4 * GROUP_ROWS
    assert _groups(lake, months=1) == [[GROUP_ROWS] * 4 + [rest]]


def test_so_has_each_part_where_partitions_come_mixed(lake: Lake) -> None:
    rest = _BATCHES * _ROWS // 2 - 2 * GROUP_ROWS
    assert _groups(lake, months=2) == [[GROUP_ROWS] * 2 + [rest]] * 2


def test_a_part_that_is_large_enough_is_followed_by_another(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writers, "FILE_BYTES", 1)
    rest = _BATCHES * _ROWS - 4 * GROUP_ROWS
    assert _groups(lake, months=1) == [[GROUP_ROWS]] * 4 + [[rest]]


def test_batches_are_put_together_and_cut_in_order_and_nothing_is_left_over() -> None:
    numbers = pa.RecordBatch.from_pydict({"n": list(range(GROUP_ROWS // 4 * 3))})
    nothing = numbers.slice(0, 0)
    found = list(row_groups([numbers, nothing, numbers, numbers, numbers, nothing]))
    assert [batch.num_rows for batch in found] == [GROUP_ROWS] * 3
    together = [n for batch in found for n in batch.column("n").to_pylist()]
    assert together == list(range(GROUP_ROWS // 4 * 3)) * 4
    assert list(row_groups([])) == []
    assert [batch.num_rows for batch in row_groups([numbers.slice(0, 7), nothing])] == [7]


def test_wide_rows_do_not_wait() -> None:
    wide = pa.RecordBatch.from_pydict({"text": ["x" * (1 << 20)] * 10})
    sizes = [batch.nbytes for batch in row_groups([wide] * 20)]
    assert len(sizes) == 10
    assert all(GROUP_BYTES <= size < GROUP_BYTES + wide.nbytes for size in sizes)


def test_many_files_wait_for_no_more_than_one_does() -> None:
    """Each row a file of its own: what waits is bounded for all of them together."""
    given = 0

    def batches() -> Iterator[tuple[str, pa.RecordBatch]]:
        nonlocal given
        for _ in range(20):
            given += 30 << 20
            batch = pa.RecordBatch.from_pydict({"text": ["x" * (1 << 20)] * 30})
            yield from ((str(n), batch.take(pa.array([n]))) for n in range(batch.num_rows))

    taken = 0
    for _, group in groups_by_file(batches()):
        assert given - taken < MOST_BYTES + (31 << 20)
        taken += group.nbytes
    assert taken >= 600 << 20


def test_each_files_rows_stay_in_order_whichever_is_written_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(lake_row_groups, "MOST_BYTES", 500)

    def apart(batch: pa.RecordBatch) -> Iterator[tuple[str, pa.RecordBatch]]:
        for name in ("even", "odd"):
            odd = pc.bit_wise_and(batch.column("n"), 1)
            yield name, batch.filter(pc.equal(odd, int(name == "odd")))

    numbers = [pa.RecordBatch.from_pydict({"n": list(range(k, k + 9))}) for k in range(0, 900, 9)]
    given = (one for batch in numbers for one in apart(batch))
    found = [batch.column("n").to_pylist() for _, batch in groups_by_file(given)]
    assert 10 < len(found) < 50
    for rest in (0, 1):
        of_file = [n for group in found if group[0] % 2 == rest for n in group]
        assert of_file == list(range(rest, 900, 2))


def test_a_file_of_wide_rows_takes_bounded_memory(lake: Lake) -> None:
    before = pa.total_allocated_bytes()
    most = 0

    def batches() -> Iterator[pa.RecordBatch]:
        nonlocal most
        row = {"source_file": "a", "line": 1, "reason": "r", "scope": "2018-11", "batch": "b"}
        text = pa.array([f"{n:08}" * 5_000 for n in range(200)])
        for _ in range(200):  # 1.6 GB in all
            most = max(most, pa.total_allocated_bytes() - before)
            rows = {name: [value] * 200 for name, value in row.items()} | {"text": text}
            yield pa.RecordBatch.from_pydict(
                {name: rows[name] for name in REJECTS.names}, schema=REJECTS.plain_schema
            )

    written = write_parts(batches(), REJECTS, lake.table_location(REJECTS))
    assert sum(part.rows for part in written.parts) == 40_000
    assert most < 10 * MOST_BYTES


def test_a_file_that_is_complete_is_written_before_the_end() -> None:
    """Months that come one after the other: what is left of one does not wait for the last."""
    month = pa.RecordBatch.from_pydict({"text": ["x" * 500] * (GROUP_ROWS // 4)})

    def batches() -> Iterator[tuple[str, pa.RecordBatch]]:
        for name in "abcdef":
            yield from ((name, month) for _ in range(2))

    waiting = most = 0
    names = []

    def given() -> Iterator[tuple[str, pa.RecordBatch]]:
        nonlocal waiting, most
        for name, batch in batches():
            waiting += batch.nbytes
            most = max(most, waiting)
            yield name, batch

    for name, group in groups_by_file(given()):
        waiting -= group.nbytes
        names.append((name, group.num_rows))
    assert names == [(name, GROUP_ROWS // 2) for name in "abcdef"]
    assert most < GROUP_BYTES + 4 * month.nbytes < 12 * month.nbytes  # which is all of them


def test_a_file_with_little_in_it_waits_for_more_while_others_go() -> None:
    large = pa.RecordBatch.from_pydict({"text": ["x" * 1_000] * 5_000})
    few = pa.RecordBatch.from_pydict({"text": ["few"] * 2})
    given = [pair for _ in range(20) for pair in (("small", few), ("large", large))]
    found = [(name, group.num_rows) for name, group in groups_by_file(given)]
    assert [rows for name, rows in found if name == "small"] == [40]
    assert sum(rows for name, rows in found if name == "large") == 100_000


def test_who_got_rows_last_is_not_idle_however_early_it_came() -> None:
    batch = pa.RecordBatch.from_pydict({"text": ["x" * 500] * (GROUP_ROWS // 4)})
    given = [("a", batch), ("b", batch), *[("a", batch)] * 6]
    order = [name for name, _ in groups_by_file(given)]
    assert order == ["a", "b", "a"]  # b goes as soon as a got much more, and not at the end


def test_a_few_rows_that_wait_do_not_hold_the_batch_that_they_came_in() -> None:
    before = pa.total_allocated_bytes()
    most = 0

    def months() -> Iterator[tuple[str, pa.RecordBatch]]:
        nonlocal most
        for month in range(40):
            whole = pa.RecordBatch.from_pydict({"text": ["x" * 200] * (GROUP_ROWS + 50)})
            most = max(most, pa.total_allocated_bytes() - before)
            yield str(month), whole

    rows = sum(group.num_rows for _, group in groups_by_file(months()))
    assert rows == 40 * (GROUP_ROWS + 50)
    assert most < 5 * 200 * GROUP_ROWS
