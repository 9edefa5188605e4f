"""The Delta log of one table: its state at the newest version, and one new version.

Read and written here and not through delta-rs, which reads the whole log again for each question
(on S3 a request per commit and question); every other engine reads the same log. A process keeps
the state of each table and asks only for what is newer: one LIST. The format is Delta's protocol,
reader version 1 and writer version 2: https://github.com/delta-io/delta/blob/master/PROTOCOL.md
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sparkify_assets.errors import LakeError
from sparkify_assets.lake.actions import Action, BadAction, checked_path, read_actions
from sparkify_assets.lake.checkpoint import LAST_CHECKPOINT, pointed_at, read_checkpoint
from sparkify_assets.storage.location import Location
from sparkify_assets.storage.objects import Entry, Objects, get_all, objects

LOG = "_delta_log"
READER_VERSION, WRITER_VERSION = 1, 2
COMMIT_ID = "sparkifyCommit"
_LISTINGS = 3
CHECKPOINT = ".checkpoint.parquet"
POINTER = f"{LOG}/{LAST_CHECKPOINT}"
_CHECKPOINT = re.compile(rf"{LOG}/(\d{{20}}){re.escape(CHECKPOINT)}")
_COMMIT = re.compile(rf"{LOG}/(\d{{20}})\.json")


@dataclass(frozen=True)
class StoredPart:
    """One Parquet file that a version of a table consists of; `path` is relative to the table."""

    path: str
    partition: Mapping[str, str]
    size: int
    rows: int
    nulls: Mapping[str, int] = field(default_factory=dict)
    added_at: int = 0

    def may_lack(self, columns: Iterable[str]) -> bool:
        """Whether one of these columns may not stand in the file: its nulls were not counted.

        So it is with a column that the table got after the part was written. Partition columns
        stand in no file, and are not to be asked for.
        """
        return any(name not in self.nulls for name in columns)


@dataclass(frozen=True)
class LogState:
    """A table at one version.

    Attributes:
        version: of the newest commit; -1 before the first.
        metadata: the `metaData` action: id, schemaString, partitionColumns, …
        protocol: the reader and the writer version that it asks for.
        parts: by path.
        stamps: versions of application transactions, by their ids.
        stamped: the version of the log in which each was put last, or of the checkpoint that it
            was read from.
        removed: when parts were removed, milliseconds, by path.
        commits: versions by commit id, of the commits that this process read.
        last: the newest commit's object.
    """

    version: int = -1
    metadata: Mapping[str, Any] = field(default_factory=dict)
    parts: Mapping[str, StoredPart] = field(default_factory=dict)
    stamps: Mapping[str, int] = field(default_factory=dict)
    stamped: Mapping[str, int] = field(default_factory=dict)
    removed: Mapping[str, int] = field(default_factory=dict)
    commits: Mapping[str, int] = field(default_factory=dict)
    last: Entry | None = None
    protocol: tuple[int, int] = (READER_VERSION, WRITER_VERSION)

    def after(self, actions: Iterable[Action], version: int, last: Entry | None) -> LogState:
        """The state after one more commit.

        Raises:
            BadAction: one names a file outside the table's folder.
        """
        parts, stamps, stamped = dict(self.parts), dict(self.stamps), dict(self.stamped)
        removed, commits = dict(self.removed), dict(self.commits)
        metadata, protocol = self.metadata, self.protocol
        for action in actions:
            ((kind, values),) = action.items()
            if kind == "add":
                part = stored_part(values)
                parts[part.path] = part
                removed.pop(part.path, None)
            elif kind == "remove":
                path = checked_path(values["path"])
                parts.pop(path, None)
                removed[path] = values.get("deletionTimestamp") or 0
            elif kind == "txn":
                stamps[values["appId"]] = values["version"]
                stamped[values["appId"]] = version
            elif kind == "metaData":
                metadata = values
            elif kind == "protocol":
                protocol = values["minReaderVersion"], values["minWriterVersion"]
            elif kind == "commitInfo" and COMMIT_ID in values:
                commits[values[COMMIT_ID]] = version
        return LogState(version, metadata, parts, stamps, stamped, removed, commits, last, protocol)


def stored_part(values: Mapping[str, Any]) -> StoredPart:
    """A part, from the `add` action of a commit or a checkpoint."""
    stats = json.loads(values.get("stats") or "{}")
    return StoredPart(
        path=checked_path(values["path"]),
        partition=dict(values["partitionValues"]),
        size=values["size"],
        rows=stats.get("numRecords", 0),
        nulls=stats.get("nullCount", {}),
        added_at=values.get("modificationTime") or 0,
    )


_known: dict[str, LogState] = {}
_looked: dict[str, float] = {}
_locks: dict[str, threading.Lock] = {}


def read_log(table: Location) -> LogState | None:
    """The newest state of the table at a location, None where there is no log.

    Raises:
        LakeError: the log is not whole.
        StorageError: it cannot be read.
    """
    with _locks.setdefault(table.uri, threading.Lock()):
        known = _known.get(table.uri)
        state = _newer(table, known) if known is not None else None
        if state is None:
            _known.pop(table.uri, None)
            state = _from_checkpoint(table)
        if state is None or state.version < 0:
            return None
        _know(table, state)
        return state


def commit_key(version: int) -> str:
    """Where a version is put."""
    return f"{LOG}/{version:020d}.json"


def checkpoint_key(version: int) -> str:
    """Where the checkpoint of a version lies, in the table's folder."""
    return f"{LOG}/{version:020d}{CHECKPOINT}"


def read_log_at(table: Location, version: int) -> LogState:
    """The state of the table at one version.

    Raises:
        LakeError: there is no such version, or what it needs was removed.
        StorageError: it cannot be read.
    """
    known = _known.get(table.uri)
    if known is not None and known.version == version:
        return known
    source = objects(table)
    found = source.list(f"{LOG}/")
    commits = _commits(found)
    start = _newest_checkpoint(found, version)
    needed = range(start + 1, version + 1)
    if version < 0 or any(v not in commits for v in needed):
        raise _no_such_version(table, version)
    try:
        state = _at_checkpoint(source, start) if start >= 0 else LogState()
        return _with_commits(source, state, commits, needed)
    except FileNotFoundError:  # removed since the listing
        raise _no_such_version(table, version) from None


def _no_such_version(table: Location, version: int) -> LakeError:
    return LakeError(
        f"{table.uri}: version {version} is no longer there; read a newer one, or restore the "
        "folder from a backup"
    )


def known_log(table: Location, hours: float | None = None) -> LogState | None:
    """The newest state that this process knows; asks nobody.

    Args:
        hours: only one that was the newest so many hours ago or later.
    """
    if hours is not None and time.time() - _looked.get(table.uri, 0) > hours * 3600:
        return None
    return _known.get(table.uri)


def forget(table: Location, gone: Collection[str]) -> None:
    """No longer name these removed parts, whose files are not there any more.

    The commits still do, and a checkpoint of this version, up to the next one that this process
    writes.
    """
    with _locks.setdefault(table.uri, threading.Lock()):
        known = _known.get(table.uri)
        if known is not None:
            left = {path: when for path, when in known.removed.items() if path not in gone}
            _known[table.uri] = replace(known, removed=left)


def _know(table: Location, state: LogState) -> None:
    _known[table.uri] = state
    # By the clock of the wall, which goes on while the machine sleeps.
    _looked[table.uri] = time.time()


def write_log(table: Location, state: LogState, actions: Sequence[Action]) -> LogState:
    """Add the version after `state`.

    Raises:
        FileExistsError: there is such a version already.
        StorageError, OSError: it is not known whether the version was written; read the log.
    """
    version = state.version + 1
    key = commit_key(version)
    content = "".join(json.dumps(action, separators=(",", ":")) + "\n" for action in actions)
    last = objects(table).put_new(key, content.encode())
    written = state.after(actions, version, last)
    with _locks.setdefault(table.uri, threading.Lock()):
        known = _known.get(table.uri)
        if known is None or known.version < version:
            _know(table, written)
    return written


def _newer(table: Location, state: LogState) -> LogState | None:
    """The state after all newer commits; None where the log is no longer that of `state`."""
    for _ in range(_LISTINGS):
        try:
            return _once_newer(table, state)
        except _Hole as hole:  # a folder that is written to meanwhile may list 12 and not 11
            missing = hole.version
    raise _NotWhole(
        f"{table.uri}/{LOG}: version {missing} is missing; restore the folder from a backup, or "
        "set SPARKIFY_LAKE to another place and run again"
    )


class _NotWhole(LakeError):  # noqa: N818 -- reads as what it is
    """A version is missing, at a second look, too."""


class _Hole(Exception):  # noqa: N818 -- may well be none, at a second look
    def __init__(self, version: int) -> None:
        super().__init__(version)
        self.version = version


def _once_newer(table: Location, state: LogState) -> LogState | None:
    source = objects(table)
    # From the last known commit on, that one included: is it still the same log?
    found = source.list(f"{LOG}/", after=f"{LOG}/{max(state.version, 0):020d}")
    commits = _commits(found)
    if state.last is not None:
        here = commits.get(state.version)
        if here is None or here.etag != state.last.etag:
            return None
    versions = sorted(version for version in commits if version > state.version)
    expected = range(state.version + 1, state.version + 1 + len(versions))
    missing = sorted(set(expected) - set(versions))
    if missing:
        raise _Hole(missing[0])
    state = _with_commits(source, state, commits, versions)
    return replace(state, last=commits.get(state.version, state.last))


def _commits(found: Iterable[Entry]) -> dict[int, Entry]:
    return {int(m.group(1)): entry for entry in found if (m := _COMMIT.fullmatch(entry.key))}


def _with_commits(
    source: Objects, state: LogState, commits: Mapping[int, Entry], versions: Sequence[int]
) -> LogState:
    texts = get_all(source, [commits[version].key for version in versions])
    for version, text in zip(versions, texts, strict=True):
        try:
            state = state.after(read_actions(text), version, commits[version])
        except BadAction as error:
            raise BadAction(f"{commits[version].key}: {error}") from None
    return state


def _from_checkpoint(table: Location) -> LogState | None:
    """The newest state, from the checkpoint that the pointer names.

    The pointer is a hint: who wrote a checkpoint may have been killed before it. Where it is behind
    what was removed of the log since, the newest checkpoint that is there stands for it.
    """
    source = objects(table)
    try:
        begun = _at_checkpoint(source, pointed_at(source.get(POINTER)))
    except FileNotFoundError:
        begun = LogState()
    try:
        return _newer(table, begun)
    except _NotWhole:
        newest = _newest_checkpoint(source.list(f"{LOG}/"))
        if newest <= begun.version:
            raise
        return _newer(table, _at_checkpoint(source, newest))


def _at_checkpoint(source: Objects, version: int) -> LogState:
    actions = read_checkpoint(source.get(checkpoint_key(version)))
    return LogState().after(actions, version, None)


def _newest_checkpoint(found: Iterable[Entry], most: int | None = None) -> int:
    """The version of the newest checkpoint in a listing, up to `most`; -1 where there is none."""
    versions = [int(m.group(1)) for entry in found if (m := _CHECKPOINT.fullmatch(entry.key))]
    return max((v for v in versions if most is None or v <= most), default=-1)
