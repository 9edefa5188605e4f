"""Listing page by page: every key once, whatever the tree, and on from where it stopped."""

from __future__ import annotations

import bisect
import random
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import pytest

from sparkify_assets.ingest.landing import SONG_SCOPE, Listing
from sparkify_assets.ingest.landing_bucket import take
from sparkify_assets.ingest.ledger import Ledger
from sparkify_assets.ingest.plan import Rules, plan_scope, scopes_of
from sparkify_assets.lake.lake import Lake
from sparkify_assets.storage.listing import Page, Place, walk
from sparkify_assets.tables import LANDED_FILES

MONTHS = {"2018-11"}
RULES = Rules(frozenset(MONTHS))


class Keys:
    """A lister of these keys, as S3 lists them."""

    def __init__(self, keys: Iterable[str], page: int = 10, seconds: float = 0.0) -> None:
        self._keys = sorted(set(keys))
        self._page = page
        self._seconds = seconds
        self.asked = 0

    def page(self, place: Place) -> Page:
        self._wait()
        start = bisect.bisect_left(self._keys, place.prefix)
        if place.after:
            start = max(start, bisect.bisect_right(self._keys, place.after))
        end = bisect.bisect_left(self._keys, place.prefix + "\U0010ffff")
        return _page(self._keys[start : min(end, start + self._page)], end > start + self._page)

    def level(self, prefix: str) -> Page:
        self._wait()
        below = [key for key in self._keys if key.startswith(prefix)]
        here = [key for key in below if "/" not in key[len(prefix) :]]
        names = {key[len(prefix) :].partition("/")[0] for key in set(below) - set(here)}
        page = _page(here, more=len(here) + len(names) > self._page)
        page.prefixes = [f"{prefix}{name}/" for name in sorted(names)]
        return page

    def _wait(self) -> None:
        self.asked += 1
        time.sleep(self._seconds)


def _page(keys: list[str], more: bool) -> Page:
    return Page(keys, [f'"{key[-6:]}"' for key in keys], [len(key) for key in keys], more=more)


def _tree(kind: str) -> list[str]:
    numbers = range(300)
    return {
        "empty": [],
        "one": ["in/a.json"],
        "a page": [f"in/{n:03d}.json" for n in range(10)],
        "a page and one": [f"in/{n:03d}.json" for n in range(11)],
        "flat": [f"in/{n:03d}.json" for n in numbers],
        "nested": [f"in/{n % 3}/{n % 5}/{n % 7}/{n}.json" for n in numbers],
        "deep": [f"in/a/b/c/d/e/f/g/h/{n}.json" for n in numbers],
        "wide": [f"in/{n}/x.json" for n in numbers],
        "one large folder": [f"in/{n if n < 9 else 9}/{n}.json" for n in numbers],
        "mixed": [
            *(f"in/{n}.json" for n in numbers),
            *(f"in/{n % 4}/{n}.json" for n in numbers),
            *(f"in/{n % 4}/{n % 9}/{n}.json" for n in numbers),
            *("in/0", "in/0.json", "in/0!", "in/0/", "in/0//", "in//a", "in/0/0", "in/~/~"),
        ],
    }[kind]


TREES = [
    "empty", "one", "a page", "a page and one", "flat", "nested", "deep", "wide",
    "one large folder", "mixed",
]  # fmt: skip


def _walked(lister: Keys, places: list[Place], until: float | None = None) -> list[str]:
    found: list[str] = []
    assert walk(lister, places, lambda page: found.extend(page.keys), until) == []
    return found


@pytest.mark.parametrize("kind", TREES)
@pytest.mark.parametrize("page", [1, 2, 10, 1000])
def test_every_key_exactly_once(kind: str, page: int) -> None:
    keys = set(_tree(kind))
    lister = Keys([*keys, "i", "in", "in.json", "ino/x", "other/y"], page)
    assert sorted(_walked(lister, [Place("in/")])) == sorted(keys)


def test_every_key_of_random_trees() -> None:
    chosen = random.Random(20181101)
    for _ in range(200):
        names = ["a", "b", "a.", "a0", "~", "é"]
        keys = {
            "/".join(["in", *chosen.choices(names, k=chosen.randint(1, 4))])
            for _ in range(chosen.randint(0, 120))
        }
        lister = Keys(keys, chosen.randint(1, 12))
        assert sorted(_walked(lister, [Place("in/")])) == sorted(keys), keys


@pytest.mark.parametrize("kind", TREES)
def test_it_goes_on_where_it_stopped(kind: str) -> None:
    keys = _tree(kind)
    lister = Keys(keys, 2, seconds=0.002)
    found: list[str] = []
    places, rounds = [Place("in/")], 0
    while places:
        # At least a page a round, or it would never end.
        places = walk(
            lister, places, lambda page: found.extend(page.keys), time.monotonic() + 0.004
        )
        rounds += 1
    assert Counter(found) == Counter(sorted(set(keys)))
    if len(keys) > 100:
        assert rounds > 1


def test_one_that_is_late_already_gets_on_by_a_page() -> None:
    lister = Keys(_tree("flat"))
    found: list[str] = []
    rest = walk(lister, [Place("in/")], lambda page: found.extend(page.keys), time.monotonic() - 1)
    assert found == sorted(_tree("flat"))[:10]
    assert rest == [Place("in/", found[-1])]
    assert lister.asked == 1


def test_several_are_asked_at_once() -> None:
    lister = Keys(_tree("nested"), 10, seconds=0.02)
    started = time.monotonic()
    _walked(lister, [Place("in/")])
    assert time.monotonic() - started < 0.6 * lister.asked * 0.02


def test_an_error_ends_it() -> None:
    class Broken(Keys):
        def page(self, place: Place) -> Page:
            if place.prefix.startswith("in/2"):
                raise OSError("broken")
            return super().page(place)

    with pytest.raises(OSError, match="broken"):
        _walked(Broken(_tree("nested")), [Place("in/")])


def test_twenty_thousand_keys_against_their_ledger(tmp_path: Path) -> None:
    from bench.listing import Songs, put_ledger

    lake = Lake.at(str(tmp_path / "lake"))
    songs = Songs(20_000)
    put_ledger(lake, songs)
    ledger = Ledger(lake.snapshot(LANDED_FILES))
    listing = _listing(songs)
    assert len(listing) == 20_000
    assert set(scopes_of(listing, ledger, MONTHS)) == {SONG_SCOPE, "2018-11"}
    assert not any(plan_scope(s, listing, ledger, RULES).needed for s in (SONG_SCOPE, "2018-11"))

    more = Songs(20_000, new=10, changed=2, gone=2)
    plan = plan_scope(SONG_SCOPE, _listing(more), ledger, RULES)
    assert len({file.key for file in plan.new}) == len(plan.new) == 10
    assert len({file.key for file in plan.changed}) == len(plan.changed) == 2
    assert len(set(plan.gone)) == len(plan.gone) == 2
    assert all(file.key.startswith("song_data/") for file in plan.to_read)
    assert plan.removed == []


def _listing(lister: object) -> Listing:
    listing = Listing()
    places = [Place("song_data/"), Place("log_data/")]
    walk(lister, places, lambda page: take(page, listing, MONTHS))  # type: ignore[arg-type]
    return listing
