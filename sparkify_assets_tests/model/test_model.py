"""The protocol keeps its promises in every order of steps; without one of its rules it does not."""

from __future__ import annotations

from dataclasses import fields
from functools import cache

import pytest

from sparkify_assets_tests.model.explore import Explored, State, explore
from sparkify_assets_tests.model.mutations import MUTATIONS, Mutation
from sparkify_assets_tests.model.promises import PROMISES
from sparkify_assets_tests.model.rules import Rules
from sparkify_assets_tests.model.worlds import worlds
from sparkify_assets_tests.torture.protocol import explore_protocol

_WORLDS = worlds(long=False)


@cache
def kept(begin: State) -> Explored:
    """What is found where every rule is kept; several tests ask for the same."""
    return explore(begin)


@pytest.mark.parametrize("begin", _WORLDS.values(), ids=_WORLDS.keys())
def test_every_promise_is_kept_in_every_order(begin: State) -> None:
    found = kept(begin)
    print(f"{found.states:,} states, {found.transitions:,} transitions")  # noqa: T201
    assert found.promise == "", "\n".join(found.trace)
    # Orders were explored, ends were reached, and the recovery run was done from them.
    assert found.transitions > found.states > found.recoveries > 1


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_a_rule_that_is_not_kept_breaks_a_promise(mutation: Mutation) -> None:
    assert kept(mutation.begin).promise == ""
    found = mutation.explore()
    print("\n".join([mutation.name, *found.trace, found.promise]))  # noqa: T201 -- the way there
    assert found.promise == mutation.breaks
    assert found.trace


def test_each_rule_and_each_promise_has_its_mutation() -> None:
    assert sorted(mutation.rule for mutation in MUTATIONS) == sorted(f.name for f in fields(Rules))
    assert {mutation.breaks for mutation in MUTATIONS} == set(PROMISES)


def test_the_exercise_counts_and_tells_what_it_did() -> None:
    told: list[str] = []
    tally = explore_protocol(long=False, say=told.append)
    assert tally.failures == []
    assert tally.counts["states"] > 50_000
    assert tally.counts["transitions"] > tally.counts["states"]
    assert tally.counts["mutations caught"] == len(MUTATIONS)
    assert len(told) == len(_WORLDS) + len(MUTATIONS)


def test_the_exercise_fails_where_a_promise_breaks(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = next(m for m in MUTATIONS if m.rule == "fence_before_drop")
    caught = Mutation("nothing at all", "parts_kept", broken.breaks, broken.begin)
    patched = "sparkify_assets_tests.torture.protocol"
    monkeypatch.setattr(f"{patched}.worlds", lambda **_long: {"one": broken.begin})
    monkeypatch.setattr(f"{patched}.explore", lambda _begin: broken.explore())
    monkeypatch.setattr(f"{patched}.MUTATIONS", [caught])  # without a fault it changes nothing
    tally = explore_protocol(long=False, say=lambda _line: None)
    assert [failure.kind for failure in tally.failures] == ["lost", "other"]
    assert broken.breaks in tally.failures[0].what
    assert "drop batches" in tally.failures[0].what
    assert "nothing at all" in tally.failures[1].what
    assert tally.counts["mutations caught"] == 0
