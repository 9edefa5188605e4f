"""Taking parts away, stamps without rows, and checkpoints on demand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from deltalake import DeltaTable

from sparkify_assets.errors import PlanChanged, StorageError
from sparkify_assets.lake import commit, log
from sparkify_assets.lake.commit import Stamp, checkpoint_newest, drop, restamp
from sparkify_assets.lake.lake import Lake
from sparkify_assets.tables import TIME
from sparkify_assets_tests.lake.helpers import content, put


def paths(lake: Lake) -> list[str]:
    return [part.path for part in lake.snapshot(TIME).parts]


def test_named_parts_are_taken_away_and_no_others(lake: Lake) -> None:
    for month in ("2018-11", "2018-12", "2019-01"):
        put(lake, lake.snapshot(TIME), 7, month, [1])
    first, second, _ = paths(lake)
    before = lake.snapshot(TIME)
    after = drop(lake, TIME, [first, second])
    assert after.version == before.version + 1
    assert content(lake) == [(1, 1)]
    assert before.read(["month"]).num_rows == 3  # who opened it before reads on
    assert set(after.state.removed) == {first, second}
    assert after.stamp("2018-11") == 7
    theirs = DeltaTable(after.location.uri)
    assert (theirs.version(), theirs.to_pyarrow_table().num_rows) == (after.version, 1)


def test_parts_that_are_gone_already_are_passed_over(lake: Lake) -> None:
    put(lake, lake.snapshot(TIME), 1, "2018-11", [1])
    put(lake, lake.snapshot(TIME), 1, "2018-12", [2])
    first, second = paths(lake)
    drop(lake, TIME, [first])
    version = drop(lake, TIME, [first, second]).version
    assert content(lake) == []
    assert drop(lake, TIME, [first, second, "never/there.parquet"]).version == version
    assert drop(lake, TIME, []).version == version


def test_of_two_who_drop_the_same_the_second_changes_nothing(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(lake, lake.snapshot(TIME), 1, "2018-11", [1])
    [part] = paths(lake)
    state = lake.snapshot(TIME).state
    version = drop(lake, TIME, [part]).version
    # As another process would see it, that looked before.
    monkeypatch.setitem(log._known, lake.table_location(TIME).uri, state)
    assert drop(lake, TIME, [part]).version == version


@pytest.mark.parametrize("error", [FileExistsError, StorageError, OSError])
def test_a_drop_that_landed_without_a_reply_counts_once(
    lake: Lake, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    put(lake, lake.snapshot(TIME), 1, "2018-11", [1])
    [part] = paths(lake)
    write, times = log.write_log, [1]

    def lose(*given: Any) -> Any:
        written = write(*given)
        if times:
            times.clear()
            log._known.clear()
            raise error("the connection was closed")
        return written

    monkeypatch.setattr(commit, "write_log", lose)
    assert drop(lake, TIME, [part]).version == 2
    assert lake.snapshot(TIME).version == 2
    assert content(lake) == []


def test_new_stamps_leave_the_rows_and_stop_who_planned_before(lake: Lake) -> None:
    put(lake, lake.snapshot(TIME), 1, "2018-11", [1])
    put(lake, lake.snapshot(TIME), 1, "2018-12", [1])
    slow = lake.snapshot(TIME)
    after = restamp(lake, slow, {"2018-11": Stamp(2), "2019-01": Stamp(1)})
    assert (after.stamp("2018-11"), after.stamp("2018-12"), after.stamp("2019-01")) == (2, 1, 1)
    assert after.parts == slow.parts
    for month in ("2018-11", "2019-01"):
        with pytest.raises(PlanChanged):
            put(lake, slow, 3, month, [3])
    put(lake, slow, 3, "2018-12", [3])
    assert content(lake) == [(11, 1), (12, 3)]
    with pytest.raises(PlanChanged):
        restamp(lake, slow, {"2018-12": Stamp(9)})


def test_a_checkpoint_of_the_newest_version_is_written_once(lake: Lake) -> None:
    put(lake, lake.snapshot(TIME), 7, "2018-11", [1])
    put(lake, lake.snapshot(TIME), 8, "2018-11", [2])
    location = lake.table_location(TIME)
    found = Path(location.uri, "_delta_log")
    assert checkpoint_newest(lake, TIME, dry_run=True)
    assert list(found.glob("*.checkpoint.parquet")) == []
    assert checkpoint_newest(lake, TIME)
    assert [path.name for path in found.glob("*.checkpoint.parquet")] == [
        f"{2:020d}.checkpoint.parquet"
    ]
    assert not checkpoint_newest(lake, TIME)
    # Whoever begins now needs no commit from before it.
    for path in found.glob("*.json"):
        if path.name < f"{2:020d}":
            path.unlink()
    log._known.clear()
    assert content(lake) == [(11, 2)]
    assert lake.snapshot(TIME).stamp("2018-11") == 8
    assert DeltaTable(location.uri).to_pyarrow_table().num_rows == 1
