"""Commits: whole or not at all, whoever else is writing."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from dataclasses import replace as changed
from pathlib import Path
from typing import Any

import pytest

from sparkify_assets.errors import LakeError, PlanChanged, StorageError
from sparkify_assets.lake import commit, log
from sparkify_assets.lake.commit import Stamp, append, replace
from sparkify_assets.lake.lake import Lake
from sparkify_assets.lake.part import Part
from sparkify_assets.tables import TIME
from sparkify_assets_tests.lake.helpers import content, parts, put


def test_replacing_a_month_leaves_the_others(lake: Lake) -> None:
    put(lake, lake.snapshot(TIME), 1, "2018-11", [1, 2])
    put(lake, lake.snapshot(TIME), 1, "2018-12", [3])
    put(lake, lake.snapshot(TIME), 2, "2018-11", [4])
    assert content(lake) == [(11, 4), (12, 3)]
    assert lake.snapshot(TIME).stamp("2018-11") == 2
    assert lake.snapshot(TIME).stamp("2018-12") == 1
    assert lake.snapshot(TIME).stamp("2019-01") is None


def test_several_months_of_several_years_are_replaced_in_one_commit(lake: Lake) -> None:
    for month in ("2018-11", "2018-12", "2019-01", "2019-11"):
        put(lake, lake.snapshot(TIME), 1, month, [1])
    base = lake.snapshot(TIME)
    new = parts(lake, "2018-12", 2) + parts(lake, "2019-01", 2)
    after = replace(lake, base, new, {"2018-12": Stamp(2), "2019-01": Stamp(2)})
    assert content(lake) == [(1, 2), (11, 1), (11, 1), (12, 2)]
    assert after.version == base.version + 1


def test_a_month_can_become_empty(lake: Lake) -> None:
    put(lake, lake.snapshot(TIME), 1, "2018-11", [1])
    after = put(lake, lake.snapshot(TIME), 2, "2018-11")
    assert content(lake) == []
    assert after.stamp("2018-11") == 2


@pytest.mark.parametrize("name", ["replace", "append"])
def test_a_part_that_is_gone_before_its_commit_is_told(lake: Lake, name: str) -> None:
    base = lake.snapshot(TIME)
    (part,) = parts(lake, "2018-11", 1)
    (Path(lake.table_location(TIME).uri) / part.path).unlink()
    commits: dict[str, Callable[[], object]] = {
        "replace": lambda: replace(lake, base, [part], {"2018-11": Stamp(1)}),
        "append": lambda: append(lake, TIME, [part]),
    }
    with pytest.raises(LakeError, match=f"written just now is gone .*{part.path}.*and run again"):
        commits[name]()
    assert lake.snapshot(TIME).version == base.version


def test_a_reader_keeps_the_version_that_it_opened(lake: Lake) -> None:
    put(lake, lake.snapshot(TIME), 1, "2018-11", [1])
    reader = lake.snapshot(TIME)
    put(lake, lake.snapshot(TIME), 2, "2018-11", [2])
    assert reader.read(["day"])["day"].to_pylist() == [1]


@pytest.mark.parametrize("filled", [False, True], ids=["empty month", "filled month"])
def test_of_two_writers_of_one_month_the_second_plans_again(lake: Lake, filled: bool) -> None:
    if filled:
        put(lake, lake.snapshot(TIME), 1, "2018-11", [1])
    first, second = lake.snapshot(TIME), lake.snapshot(TIME)
    put(lake, first, 2, "2018-11", [2])
    with pytest.raises(PlanChanged, match="2018-11 was changed by another run"):
        put(lake, second, 3, "2018-11", [3])
    assert content(lake) == [(11, 2)]


def test_two_writers_that_empty_one_month(lake: Lake) -> None:
    put(lake, lake.snapshot(TIME), 1, "2018-11", [1])
    first, second = lake.snapshot(TIME), lake.snapshot(TIME)
    put(lake, first, 2, "2018-11")
    with pytest.raises(PlanChanged):
        put(lake, second, 3, "2018-11", [3])
    assert content(lake) == []


@pytest.mark.parametrize("filled", [False, True], ids=["empty months", "filled months"])
def test_two_writers_of_different_months_both_land(lake: Lake, filled: bool) -> None:
    if filled:
        for month in ("2018-11", "2018-12"):
            put(lake, lake.snapshot(TIME), 1, month, [1])
    first, second = lake.snapshot(TIME), lake.snapshot(TIME)
    put(lake, first, 2, "2018-11", [2])
    put(lake, second, 2, "2018-12", [3])
    assert content(lake) == [(11, 2), (12, 3)]


def test_a_writer_whose_month_came_back_to_the_same_fingerprint_still_plans_again(
    lake: Lake,
) -> None:
    put(lake, lake.snapshot(TIME), 1, "2018-11", [1])
    slow = lake.snapshot(TIME)
    put(lake, lake.snapshot(TIME), 2, "2018-11", [2])
    put(lake, lake.snapshot(TIME), 1, "2018-11", [3])
    with pytest.raises(PlanChanged):
        put(lake, slow, 9, "2018-11", [9])
    assert content(lake) == [(11, 3)]


def _write_months(uri: str, worker: int, rounds: int) -> None:
    lake = Lake.at(uri)
    for day in range(1, rounds + 1):
        put(lake, lake.snapshot(TIME), day, f"2019-{worker:02d}", [day])


@pytest.mark.parametrize("checkpoint", [False, True], ids=["read whole", "from a checkpoint"])
def test_a_writer_whose_month_became_empty_again_still_plans_again(
    lake: Lake, checkpoint: bool
) -> None:
    # Without parts there is no path that would be another one.
    put(lake, lake.snapshot(TIME), 1, "2018-11")
    if checkpoint:
        commit.checkpoint_newest(lake, TIME)
        log._known.clear()
    slow = lake.snapshot(TIME)
    put(lake, lake.snapshot(TIME), 2, "2018-11", [1])
    put(lake, lake.snapshot(TIME), 1, "2018-11")
    with pytest.raises(PlanChanged):
        put(lake, slow, 2, "2018-11", [1])
    assert content(lake) == []


def test_a_writer_from_a_checkpoint_lands_where_its_month_was_left_alone(lake: Lake) -> None:
    put(lake, lake.snapshot(TIME), 1, "2018-11", [1])
    commit.checkpoint_newest(lake, TIME)
    log._known.clear()
    first = lake.snapshot(TIME)
    put(lake, lake.snapshot(TIME), 1, "2018-12", [2])
    put(lake, first, 2, "2018-11", [3])
    assert content(lake) == [(11, 3), (12, 2)]


def test_many_processes_on_different_months_all_land(lake: Lake) -> None:
    context = multiprocessing.get_context("spawn")  # forking after delta-rs was used hangs
    workers, rounds = 4, 6
    processes = [
        context.Process(target=_write_months, args=(lake.location.uri, worker, rounds))
        for worker in range(1, workers + 1)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join(120)
    assert [process.exitcode for process in processes] == [0] * workers
    assert content(lake) == [(worker, rounds) for worker in range(1, workers + 1)]
    assert lake.snapshot(TIME).version == workers * rounds


def _losing_the_reply(times: int, error: type[Exception]) -> Any:
    """A writer whose first commits land, but that gets an error instead of the reply."""
    write = log.write_log
    left = [times]

    def lose(*arguments: Any) -> Any:
        written = write(*arguments)
        if left[0]:
            left[0] -= 1
            log._known.clear()
            raise error("the connection was closed")
        return written

    return lose


@pytest.mark.parametrize("error", [FileExistsError, StorageError, OSError])
def test_a_commit_that_landed_without_a_reply_counts_once(
    lake: Lake, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    monkeypatch.setattr(commit, "write_log", _losing_the_reply(1, error))
    after = put(lake, lake.snapshot(TIME), 1, "2018-11", [1])
    assert after.version == 1
    append(lake, TIME, parts(lake, "2018-12", 2))
    assert content(lake) == [(11, 1), (12, 2)]


def test_an_append_without_a_reply_counts_once(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commit, "write_log", _losing_the_reply(1, FileExistsError))
    append(lake, TIME, parts(lake, "2018-12", 2))
    assert content(lake) == [(12, 2)]
    assert lake.snapshot(TIME).version == 1


@pytest.mark.parametrize("error", [StorageError, OSError])
def test_an_error_before_the_commit_changes_nothing_and_deletes_nothing(
    lake: Lake, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    def fail(*_: Any) -> None:
        raise error("no space left on device")

    written = parts(lake, "2018-11", 1)
    monkeypatch.setattr(commit, "write_log", fail)
    with pytest.raises(LakeError, match=r"time: the commit failed: no space left"):
        replace(lake, lake.snapshot(TIME), written, {"2018-11": Stamp(1)})
    assert content(lake) == []
    assert Path(lake.table_location(TIME).uri, written[0].path).is_file()


def test_endless_collisions_end_with_a_message(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    def collide(*_: Any) -> None:
        raise FileExistsError("a concurrent transaction")

    monkeypatch.setattr(commit, "write_log", collide)
    monkeypatch.setattr(commit, "_LONGEST_PAUSE_SECONDS", 0)
    with pytest.raises(LakeError, match="60 commits in a row collided"):
        put(lake, lake.snapshot(TIME), 1, "2018-11", [1])


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda p: changed(p, columns={**p.columns, "hour": "int64"}), "has columns"),
        (lambda p: changed(p, partition={"year": "2018", "month": "12"}), "outside the partitions"),
        (lambda p: changed(p, partition={"year": "2018"}), "is partitioned by"),
        (lambda p: changed(p, nulls={"hour": 1}), "1 nulls in required hour"),
        (lambda p: changed(p, written_at=p.written_at - 13 * 3_600_000), "older than 12 hours"),
    ],
)
def test_parts_that_do_not_fit_are_refused(lake: Lake, spoil: Any, message: str) -> None:
    part: Part = parts(lake, "2018-11", 1)[0]
    with pytest.raises(LakeError, match=message):
        replace(lake, lake.snapshot(TIME), [spoil(part)], {"2018-11": Stamp(1)})
    assert lake.snapshot(TIME).version == 0
