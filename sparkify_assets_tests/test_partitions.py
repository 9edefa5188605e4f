"""Months."""

from __future__ import annotations

import pytest

from sparkify_assets.partitions import (
    first_instant,
    is_month,
    monthly_partitions,
    months_between,
    next_month,
)


@pytest.mark.parametrize("text", ["2018-13", "2018-00", "2018-1", "18-11", "2018/11", "", "x"])
def test_what_is_no_month(text: str) -> None:
    assert not is_month(text)


def test_months_follow_each_other_over_the_year() -> None:
    assert next_month("2018-12") == "2019-01"
    assert months_between("2018-11", "2019-02") == ["2018-11", "2018-12", "2019-01", "2019-02"]
    assert months_between("2019-02", "2018-11") == []


def test_a_month_begins_in_utc() -> None:
    assert first_instant("2018-11") == 1_541_030_400_000


def test_dagster_has_the_same_months() -> None:
    partitions = monthly_partitions("2018-11", "2019-02")
    assert list(partitions.get_partition_keys()) == months_between("2018-11", "2019-02")


def test_the_current_month_is_included_where_no_last_one_is_set() -> None:
    from sparkify_assets.partitions import current_month

    assert monthly_partitions("2018-11", None).get_partition_keys()[-1] == current_month()
