"""A batch is cut by partition once: nothing lost, nothing out of order."""

from __future__ import annotations

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from sparkify_assets.lake.slices import by_partition
from sparkify_assets.lake.writers import folder_of
from sparkify_assets.tables import RAW_SONGS, REJECTS, TIME, USERS

_MONTHS = st.tuples(st.integers(2017, 2019), st.integers(1, 12))


@given(st.lists(_MONTHS, max_size=60))
def test_the_slices_are_the_batch(months: list[tuple[int, int]]) -> None:
    batch = pa.RecordBatch.from_pydict(
        {
            "year": pa.array([year for year, _ in months], pa.int32()),
            "month": pa.array([month for _, month in months], pa.int32()),
            "n": pa.array(range(len(months)), pa.int64()),
        }
    )
    found = {
        one.key: (one.values, one.rows.column("n").to_pylist()) for one in by_partition(TIME, batch)
    }
    expected: dict[str, tuple[dict[str, str], list[int]]] = {}
    for number, (year, month) in enumerate(months):
        values = {"year": str(year), "month": str(month)}
        expected.setdefault(f"{year}-{month:02d}", (values, []))[1].append(number)
    assert found == expected


def test_a_table_without_partitions_is_one_slice() -> None:
    batch = pa.RecordBatch.from_pydict({"user_id": ["1", "2"]})
    [found] = by_partition(USERS, batch)
    assert (found.key, found.values, found.rows) == ("all", {}, batch)


def test_several_columns_tell_partitions_apart() -> None:
    batch = pa.RecordBatch.from_pydict({"scope": ["a", "b", "a"], "batch": ["x", "x", "y"]})
    found = [one.values for one in by_partition(REJECTS, batch)]
    assert found == [
        {"scope": "a", "batch": "x"},
        {"scope": "a", "batch": "y"},
        {"scope": "b", "batch": "x"},
    ]
    assert by_partition(RAW_SONGS, batch.slice(0, 0)) == []


def test_folders_are_named_in_hives_way() -> None:
    assert folder_of({"year": "2018", "month": "11"}) == "year=2018/month=11/"
    assert folder_of({"scope": "a/b c=é"}) == "scope=a%2Fb%20c%3D%C3%A9/"
    assert folder_of({}) == ""
