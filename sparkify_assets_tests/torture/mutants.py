"""Variants of the project that break a promise on purpose, each by one change of an order or rule.

A process takes one on by its environment; `mutations` shows that sweeps or histories find each.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

MUTATION = "TORTURE_MUTATION"


def mutate(name: str) -> None:
    """Become a variant; nothing where the name is empty."""
    if name:
        MUTANTS[name]()


def ledger_before_rows() -> None:
    """The ledger is committed first, and the rows that it names are appended afterwards."""
    from sparkify_assets.ingest import ingest
    from sparkify_assets.lake.commit import append

    commit = ingest._commit
    waiting: list[tuple[Any, ...]] = []

    def later(*given: Any) -> None:
        waiting.append(given)

    def first(*given: Any) -> None:
        commit(*given)
        while waiting:
            append(*waiting.pop(0))

    _put(ingest, append=later, _commit=first)


def parts_deleted_on_an_error() -> None:
    """A commit that raises takes its parts with it, as if it could not have landed."""
    from sparkify_assets.lake import commit
    from sparkify_assets.lake.log import write_log
    from sparkify_assets.storage.objects import objects

    def tidy(table: Any, state: Any, actions: Sequence[dict[str, Any]]) -> Any:
        try:
            return write_log(table, state, actions)
        except OSError:
            objects(table).delete([one["add"]["path"] for one in actions if "add" in one])
            raise

    _put(commit, write_log=tidy)


def stamped_before_rows() -> None:
    """What a partition was made from is recorded first, and its rows follow in another commit."""
    from sparkify_assets.lake import commit
    from sparkify_assets.refresh import build

    replace = commit.replace

    def in_two(lake: Any, base: Any, parts: Any, stamps: Any) -> Any:
        return replace(lake, commit.restamp(lake, base, stamps), parts, stamps)

    _put(build, replace=in_two)


def month_by_month() -> None:
    """The months of a step are replaced one after another, and not in one commit."""
    from sparkify_assets.lake import commit
    from sparkify_assets.refresh import build

    replace = commit.replace

    def each(lake: Any, base: Any, parts: Any, stamps: Mapping[str, Any]) -> Any:
        for key, stamp in stamps.items():
            own = [p for p in parts if base.table.partition_key(p.partition) == key]
            base = replace(lake, base, own, {key: stamp})
        return base

    _put(build, replace=each)


def replaced_files_removed_at_once() -> None:
    """What a commit replaces is removed right after it, whoever may still read it."""
    from sparkify_assets.lake import commit
    from sparkify_assets.refresh import build
    from sparkify_assets.storage.objects import objects

    replace = commit.replace

    def removing(lake: Any, base: Any, parts: Any, stamps: Any) -> Any:
        old = {part.path for part in base.parts_of(stamps)}
        after = replace(lake, base, parts, stamps)
        objects(base.location).delete(sorted(old))
        return after

    _put(build, replace=removing)


def nobody_looks_who_was_quicker() -> None:
    """Partitions are replaced also where another writer changed them since the work was planned."""
    from sparkify_assets.lake import commit

    def fine(_base: Any, _current: Any, _keys: Any) -> None:
        return

    _put(commit, _check_unchanged=fine)


MUTANTS: Mapping[str, Callable[[], None]] = {
    made.__name__.replace("_", " "): made
    for made in (
        ledger_before_rows,
        parts_deleted_on_an_error,
        stamped_before_rows,
        month_by_month,
        replaced_files_removed_at_once,
        nobody_looks_who_was_quicker,
    )
}


def _put(module: Any, **functions: Any) -> None:
    for name, function in functions.items():
        setattr(module, name, function)
