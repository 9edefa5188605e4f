"""Files that are meant to harm: each exercise in its short form."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest

from sparkify_assets_tests.torture import bombs, hostile
from sparkify_assets_tests.torture.bombs import BOMBS, Bomb
from sparkify_assets_tests.torture.cases import CASES
from sparkify_assets_tests.torture.changing import WAYS, files_that_change
from sparkify_assets_tests.torture.end_to_end import end_to_end
from sparkify_assets_tests.torture.names import odd_names
from sparkify_assets_tests.torture.reading import ZONES, Reading, in_a_bucket, in_a_folder
from sparkify_assets_tests.torture.tally import Tally

_SEED, _EXAMPLES = 2018, 60

ZoneMaker = Callable[[], AbstractContextManager[Reading]]


@pytest.fixture
def tally() -> Tally:
    return Tally("hostile")


def test_generated_files(tally: Tally) -> None:
    hostile.generated(_SEED, _EXAMPLES, tally)
    assert not tally.failures, tally.failures[0].what
    assert tally.counts["inputs"] == _EXAMPLES
    assert min(tally.counts[what] for what in ("rows", "rejected")) > _EXAMPLES


def test_what_fails_is_told_with_the_smallest_files_and_the_seed(
    tally: Tally, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        hostile, "read_all", lambda _reading, contents, _tally: ["wrong"] * (len(contents) > 3)
    )
    hostile.generated(_SEED, 10, tally)
    [failure] = tally.failures
    assert "AssertionError: wrong" in failure.what
    assert f"--seed {_SEED}" in failure.repeat
    assert failure.what.count("(False, False, b'") == 2  # beside the two controls


@pytest.mark.parametrize("zone", ZONES)
def test_the_fixed_collection(zone: ZoneMaker, tally: Tally) -> None:
    with zone() as reading:
        hostile.collection(reading, tally, "")
    assert not tally.failures
    assert tally.counts["files"] == len(CASES) + len(hostile.CONTROLS)
    assert len({case.key for case in CASES}) == len(CASES)


@pytest.mark.parametrize("zone", ZONES)
def test_odd_names(zone: ZoneMaker, tally: Tally) -> None:
    with zone() as reading:
        odd_names(reading, tally, "")
    assert not tally.failures


def test_files_that_change_in_a_folder(tally: Tally) -> None:
    with in_a_folder() as reading:
        files_that_change(reading, tally, "")
    assert not tally.failures
    assert tally.counts["changes"] == 4 * len(WAYS)


def test_files_that_change_in_a_bucket(tally: Tally) -> None:
    with in_a_bucket() as reading:
        files_that_change(reading, tally, "", {"cut off": WAYS["cut off"]})
    assert not tally.failures


@pytest.mark.parametrize("bomb", [BOMBS[0], BOMBS[2]], ids=lambda bomb: bomb.name)
def test_a_bomb_takes_bounded_memory(bomb: Bomb, tally: Tally) -> None:
    held = b"x" * (600 << 20)  # what this process holds is no part of the other's
    hostile.explode(bomb, tally, print)
    assert len(held) > bombs.MOST_BYTES
    assert not tally.failures


def test_all_of_them_in_real_runs(tally: Tally) -> None:
    end_to_end(hostile.everything(), tally, "")
    assert not tally.failures
    assert tally.counts["rejects shown"] > 60
