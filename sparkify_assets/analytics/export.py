"""A plain Parquet copy of a release, for tools that know no Delta.

`songplays/year=2018/month=11/part-….parquet`, `users/part-….parquet`: the parts of the release as
they are. In a folder the copy is made beside the old one, and the two change places at once. A
bucket has no such thing: there the new files come first, then `_release.json`, then the old files
go. As a part never changes and keeps its name, only what is new is copied; and whoever reads the
files that `_release.json` names always sees one release.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

from sparkify_assets.analytics.copying import Piece, Source, copy_piece, rows_of_copy
from sparkify_assets.analytics.exported import (
    MANIFEST,
    UNDER_WAY,
    Exported,
    left_under_way,
    read_exported,
    under_way,
)
from sparkify_assets.analytics.staging import Staging, explained_here
from sparkify_assets.errors import LakeError, UsageError
from sparkify_assets.lake.lake import Lake
from sparkify_assets.lake.release import Release
from sparkify_assets.lake.snapshot import Snapshot
from sparkify_assets.partitions import year_and_month
from sparkify_assets.storage.location import Location
from sparkify_assets.storage.objects import Objects, objects
from sparkify_assets.tables import PUBLIC, TABLES, Table

_AT_ONCE = 8
_EMPTY = "part-empty.parquet"
_PARQUET = ".parquet"
Result = TypeVar("Result")
Watch = Callable[[int, int], None]


@dataclass(frozen=True)
class Wanted:
    """What is copied.

    Attributes:
        tables: names of public tables, all where none are given.
        months: of the tables by month; None for every month.
        flat: year and month as columns in the files, and no folders for them.
    """

    tables: tuple[str, ...] = ()
    months: tuple[str, ...] | None = None
    flat: bool = False


def export(
    lake: Lake,
    release: Release,
    to: Location,
    wanted: Wanted | None = None,
    watch: Watch | None = None,
) -> Exported:
    """Copy a release; a copy that is there already is replaced.

    Args:
        to: a folder or a prefix that is not there, is empty, or holds an earlier copy.
        watch: told how many files are copied, and of how many.

    Raises:
        UsageError: there is something else, or it overlaps with the lake.
        LakeError: a part of the release is gone, or a copy has not as many rows as the part.
        StorageError: something cannot be read or written.
    """
    wanted, watch = wanted or Wanted(), watch or _unwatched
    _check_apart(lake.location, to)
    pieces = _pieces(lake, release, wanted)
    copy = _described(release, wanted, pieces)
    if to.on_s3:
        _into_bucket(to, pieces, copy, watch)
    else:
        _into_folder(to, pieces, copy, watch)
    return copy


def _pieces(lake: Lake, release: Release, wanted: Wanted) -> list[Piece]:
    found: list[Piece] = []
    for table in PUBLIC:
        if wanted.tables and table.name not in wanted.tables:
            continue
        if table.name not in release.versions:
            raise LakeError(f"{release} has no table {table.name}; `sparkify run` adds it")
        snapshot = lake.snapshot_at(table, release.versions[table.name])
        found += _pieces_of(table, snapshot, wanted)
    return found


def _pieces_of(table: Table, snapshot: Snapshot, wanted: Wanted) -> list[Piece]:
    months = wanted.months if table.monthly else None
    parts = snapshot.parts if months is None else snapshot.parts_of(months)
    flat = table.monthly and wanted.flat
    found = []
    for part in parts:
        path = part.path
        if flat:
            path = f"{table.partition_key(part.partition)}-{Path(part.path).name}"
        older = part.may_lack(table.inside)
        if older:  # an earlier copy has it under its own name, without the columns
            path = f"{path.removesuffix(_PARQUET)}-{len(table.inside)}-columns{_PARQUET}"
        source = Source(snapshot.location, part)
        found.append(Piece(table, f"{table.name}/{path}", part.rows, flat, source, older))
    # A tool sees the columns also where there is no row.
    lacking = sorted(set(months or ()) - {table.partition_key(part.partition) for part in parts})
    if lacking and not flat:
        for month in lacking:
            year, number = year_and_month(month)
            key = f"{table.name}/year={year}/month={number}/{_EMPTY}"
            found.append(Piece(table, key, 0, whole=False))
    elif not parts:
        found.append(Piece(table, f"{table.name}/{_EMPTY}", 0, whole=True))
    return found


def _described(release: Release, wanted: Wanted, pieces: Sequence[Piece]) -> Exported:
    names = list(dict.fromkeys(piece.table.name for piece in pieces))
    return Exported(
        release=release.number,
        time=release.time.isoformat(timespec="milliseconds"),
        versions={name: release.versions[name] for name in names},
        pending=release.pending,
        months=wanted.months,
        rows={name: sum(p.rows for p in pieces if p.table.name == name) for name in names},
        files={name: tuple(p.key for p in pieces if p.table.name == name) for name in names},
        flat=wanted.flat,
    )


def _into_folder(to: Location, pieces: Sequence[Piece], copy: Exported, watch: Watch) -> None:
    _check_replaceable(to, objects(to))
    with Staging(Path(to.uri)) as staging:
        aside = Location(str(staging.path), to.setting)
        _copy(pieces, aside, watch)
        _check_rows(pieces, aside)
        with explained_here(to):
            objects(aside).put(MANIFEST, copy.to_json())
        _check_replaceable(to, objects(to))
        staging.put_in_place()


def _into_bucket(to: Location, pieces: Sequence[Piece], copy: Exported, watch: Watch) -> None:
    target = objects(to)
    before, there = _check_replaceable(to, target)
    kept = before.keys & there if before else set()
    new = [piece for piece in pieces if piece.key not in kept]
    left = left_under_way(target) - {UNDER_WAY}
    mine = under_way(sorted({*left, *(piece.key for piece in new)}))
    target.put(UNDER_WAY, mine)
    try:
        _copy(new, to, watch)
        _check_rows(pieces, to)
        _check_alone(to, target, mine)
    except BaseException:
        with suppress(Exception):  # the next copy removes them, too
            _forget(target, {piece.key for piece in new}, mine)
        raise
    target.put(MANIFEST, copy.to_json())
    ours = (before.keys if before else set()) | left
    present = {entry.key for entry in target.list()}
    target.delete(sorted((ours & present) - copy.keys))
    if _is(target, mine):  # and not that of a copy which began just now
        target.delete([UNDER_WAY])


def _forget(target: Objects, new: set[str], mine: bytes) -> None:
    """Remove what a copy put that came to nothing, and not what another one names."""
    named = read_exported(target)
    new = new - named.keys if named else new
    alone = _is(target, mine)
    target.delete(sorted(new if alone else new - left_under_way(target)))
    if alone:
        target.delete([UNDER_WAY])


def _unwatched(_done: int, _of: int) -> None:
    pass


def _copy(pieces: Sequence[Piece], to: Location, watch: Watch) -> None:
    lock, done = threading.Lock(), 0

    def one(piece: Piece) -> None:
        nonlocal done
        copy_piece(piece, to)
        with lock:
            done += 1
            watch(done, len(pieces))

    _at_once(one, pieces)


def _check_rows(pieces: Sequence[Piece], to: Location) -> None:
    found = _at_once(partial(rows_of_copy, to=to), pieces)
    for piece, rows in zip(pieces, found, strict=True):
        if rows != piece.rows:
            raise LakeError(
                f"{to.uri}/{piece.key} has {rows:,} rows, the release {piece.rows:,}; nothing was "
                "replaced. Export again; if it stays, the file of the lake is damaged"
            )


def _at_once(work: Callable[[Piece], Result], pieces: Sequence[Piece]) -> list[Result]:
    pool = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="export")
    try:
        return list(pool.map(work, pieces))
    finally:
        pool.shutdown(cancel_futures=True)


def _check_replaceable(to: Location, target: Objects) -> tuple[Exported | None, set[str]]:
    """The copy that is there, and the keys of all objects."""
    with explained_here(to):
        before = read_exported(target)
        there = _there(to, target)
        ours = (before.keys if before else set()) | (left_under_way(target) if to.on_s3 else set())
    strange = sorted(there - ours)
    if strange:
        what = "besides a copy of a release" if before else "and no copy of a release"
        raise UsageError(
            f"{to.uri} holds {_some(strange)} {what}; nothing was written. Name a place that is "
            "empty or not there yet, or remove them"
        )
    return before, there


def _there(to: Location, target: Objects) -> set[str]:
    """Every object, and in a folder really every file."""
    if to.on_s3:
        return {entry.key for entry in target.list()}
    root = Path(to.uri)
    if root.exists() and not root.is_dir():
        raise UsageError(f"{to.uri} is a file; name a folder that is empty or not there yet")
    found: set[str] = set()
    for folder, _, names in os.walk(root, onerror=_raised):
        found |= {(Path(folder) / name).relative_to(root).as_posix() for name in names}
    return found


def _raised(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):
        raise error


def _check_alone(to: Location, target: Objects, mine: bytes) -> None:
    if not _is(target, mine):
        raise LakeError(f"another export into {to.uri} began meanwhile; that one counts")


def _is(target: Objects, mine: bytes) -> bool:
    """Whether the copy under way is still this one."""
    try:
        return target.get(UNDER_WAY) == mine
    except FileNotFoundError:
        return False


def _check_apart(lake: Location, to: Location) -> None:
    if lake.on_s3 != to.on_s3:
        return
    one, other = lake.uri, to.uri
    if not to.on_s3:
        one, other = str(Path(one).resolve()), str(Path(other).resolve())
    if f"{one}/".startswith(f"{other}/") or f"{other}/".startswith(f"{one}/"):
        raise UsageError(
            f"{to.uri} and the lake {lake.uri} overlap; name a place outside of the lake"
        )


def _some(keys: Collection[str]) -> str:
    shown = ", ".join(list(keys)[:3])
    return shown if len(keys) <= 3 else f"{shown} and {len(keys) - 3:,} more"


def checked_tables(names: Sequence[str]) -> tuple[str, ...]:
    """Names of public tables.

    Raises:
        UsageError: one is no public table.
    """
    public = [table.name for table in PUBLIC]
    for name in names:
        if name not in public:
            inner = " is an inner table of the lake" if name in TABLES else ""
            raise UsageError(
                f"--tables: found {name!r}{inner and f', which{inner}'}; expected one of "
                f"{', '.join(public)}"
            )
    return tuple(dict.fromkeys(names))
