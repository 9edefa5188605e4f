"""The model's steps come in the order in which the code looks and commits."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import groupby
from typing import Any

import pytest

from sparkify_assets.ingest import ingest as ingest_module
from sparkify_assets.ingest.landing_folder import FolderLanding
from sparkify_assets.ingest.ledger import Ledger, read_ledger
from sparkify_assets.lake import lake
from sparkify_assets.maintenance import compact, dead
from sparkify_assets.maintenance.compact import MOST_SMALL_PARTS
from sparkify_assets.refresh import build, publish
from sparkify_assets.tables import BUILT, LANDED_FILES, RAW_LOGS, RAW_SONGS, TABLES
from sparkify_assets_tests.maintenance.bench import NOVEMBER, Bench
from sparkify_assets_tests.maintenance.conftest import bench  # noqa: F401 -- a fixture
from sparkify_assets_tests.maintenance.test_dead import interrupted
from sparkify_assets_tests.model.builds import RUN
from sparkify_assets_tests.model.explore import alone
from sparkify_assets_tests.model.rules import KEPT
from sparkify_assets_tests.model.upkeep import COMPACT, DEAD
from sparkify_assets_tests.model.worlds import empty, loaded, process, together


@contextmanager
def calls(*watched: tuple[Any, Sequence[str]]) -> Iterator[list[str]]:
    """The names of these functions as they are called, without those called within another."""
    told: list[str] = []
    depth = 0

    def telling(name: str, original: Callable[..., Any]) -> Callable[..., Any]:
        def called(*given: Any, **named: Any) -> Any:
            nonlocal depth
            if not depth:
                told.append(name)
            depth += 1
            try:
                return original(*given, **named)
            finally:
                depth -= 1

        return called

    with pytest.MonkeyPatch.context() as patch:
        for owner, names in watched:
            for name in names:
                patch.setattr(owner, name, telling(name, getattr(owner, name)))
        yield told


def steps(kind: str, begin: Any) -> list[str]:
    """The functions that the model's process stands for, from its first step to its last."""
    _, promise, labels = alone(begin.shared._replace(faults=0, changes=0), process(kind), KEPT)
    assert promise is None
    words = [label.split(": ", 1)[1].split()[0].strip(",:") for label in labels]
    return [word.removeprefix("landing.") for word in words if word != "read"]


def once(found: Sequence[str]) -> list[str]:
    """The same without repetition: what the code does for each raw table the model does once."""
    return [name for name, _ in groupby(found)]


def test_an_ingest(bench: Bench) -> None:  # noqa: F811
    bench.land(0)
    with calls(
        (ingest_module, ["read_ledger", "append"]), (FolderLanding, ["list"]), (Ledger, ["commit"])
    ) as told:
        bench.take_in()
    model = steps(RUN, empty(1, 0, 0))
    assert once(told) == model[: model.index("commit") + 1]


def test_the_removal_of_dead_rows(bench: Bench) -> None:  # noqa: F811
    bench.land(0)
    interrupted(bench)
    with calls((dead, ["find_batches", "read_ledger", "drop"]), (Ledger, ["fence"])) as told:
        dead.remove_dead(bench.lake)
    assert once(told) == steps(DEAD, loaded(0, 0))


def test_a_compaction(bench: Bench) -> None:  # noqa: F811
    bench.many(MOST_SMALL_PARTS + 1)
    with calls((compact, ["read_ledger", "find_batches", "append"]), (Ledger, ["commit"])) as told:
        compact.compact(bench.lake)
    only_where = ["read_ledger", "find_batches"]
    assert once(told) == only_where + steps(COMPACT, together())


def test_a_look(bench: Bench) -> None:  # noqa: F811
    seen: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lake.Lake, "find", lambda _lake, table: seen.append(table.name))
        bench.lake.look()
    places = {name: place for place, name in enumerate(seen)}
    assert set(places) == set(TABLES)
    for table in BUILT:
        assert all(places[table.name] < places[source] for source in table.reads)
        assert places[table.name] < places[LANDED_FILES.name]
    assert all(places[LANDED_FILES.name] < places[raw.name] for raw in (RAW_LOGS, RAW_SONGS))


def test_the_recording_of_a_release(bench: Bench) -> None:  # noqa: F811
    bench.land(0)
    settings = bench.world.settings()
    bench.world.run()
    read_ledger(bench.lake).fence(bench.lake, [NOVEMBER])  # another version, and all is current
    with calls(
        (publish, ["newest_release", "record_release"]), (lake.Lake, ["look", "snapshot"])
    ) as told:
        assert publish.publish(bench.lake, settings.months).recorded
    model = steps(RUN, loaded(0, 0))
    assert once(told) == once(model[model.index("newest_release") :])


def test_a_build_commits_what_it_planned(bench: Bench) -> None:  # noqa: F811
    bench.land(0)
    watched = ((lake.Lake, ["look"]), (build, ["replace", "read_raw_logs"]), (Ledger, ["commit"]))
    with calls(*watched) as told:
        bench.world.run()
    plan, *done = once([name for name in told if name != "read_raw_logs"])
    assert plan == "look"
    model = [name for name in steps(RUN, empty(1, 0, 0)) if name in ("look", "commit", "replace")]
    assert done == once(model)
    # The rows are read between the look and the first commit of a table.
    assert once(told)[3:5] == ["read_raw_logs", "replace"]
