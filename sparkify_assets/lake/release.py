"""Releases: which versions of all tables belong together.

A table changes by one commit, a run by several. Each run that ends with everything made from the
same landing files records the versions as a release, `LAKE/_releases/00000000000000000012.json`;
SQL reads the newest. What a release names is kept as long as it is the newest, and for the grace
period afterwards.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from itertools import pairwise

from sparkify_assets.errors import MALFORMED, LakeError
from sparkify_assets.lake.lake import Lake
from sparkify_assets.lake.log import commit_key
from sparkify_assets.storage.objects import Entry, Objects, get_all, objects
from sparkify_assets.tables import TABLES

RELEASES = "_releases"


@dataclass(frozen=True)
class Release:
    """Versions that belong together.

    Attributes:
        number: from 1, without gaps at the time of recording.
        recorded_at: milliseconds since the epoch.
        versions: by table, all tables of the lake.
        pending: months whose plays are those from before: they could not be made anew.
    """

    number: int
    recorded_at: int
    versions: Mapping[str, int]
    pending: tuple[str, ...] = ()

    @property
    def time(self) -> datetime:
        """When it was recorded."""
        return datetime.fromtimestamp(self.recorded_at / 1000, UTC)

    def __str__(self) -> str:
        return f"release {self.number} of {self.time:%Y-%m-%d %H:%M:%S} UTC"


def newest_release(lake: Lake) -> Release | None:
    """The newest release, None where none was recorded yet.

    Raises:
        StorageError: the lake cannot be reached.
    """
    source = _objects(lake)
    while True:
        keys = _keys(source)
        if not keys:
            return None
        try:
            return _read(lake, source.get(keys[-1]), keys[-1])
        except FileNotFoundError:  # removed since the listing: there are newer ones
            continue


def last_release(lake: Lake) -> Release:
    """As `newest_release`, of a lake that must have one.

    Raises:
        LakeError: it has none yet.
    """
    found = newest_release(lake)
    if found is None:
        raise LakeError(
            f"{lake.location.uri} has no release to read from yet; `sparkify run` records one"
        )
    return found


def release_at(lake: Lake, moment: datetime) -> Release:
    """The release that was the newest at a moment.

    Raises:
        LakeError: it is no longer kept, or there was none yet.
    """
    kept = releases(lake)
    wanted = moment.timestamp() * 1000
    before = [release for release in kept if release.recorded_at <= wanted]
    if before:
        return before[-1]
    if not kept:
        return last_release(lake)
    raise LakeError(
        f"no release of {moment:%Y-%m-%d %H:%M:%S %Z} is kept: the oldest is {kept[0]}. "
        "SPARKIFY_GRACE_HOURS says how long one is kept after the next was recorded"
    )


def releases(lake: Lake) -> list[Release]:
    """All that are kept, the oldest first."""
    source = _objects(lake)
    while True:
        try:
            keys = _keys(source)
            contents = get_all(source, keys)
            return [_read(lake, c, key) for c, key in zip(contents, keys, strict=True)]
        except FileNotFoundError:  # one was removed since the listing
            continue


def record_release(
    lake: Lake, before: Release | None, versions: Mapping[str, int], pending: tuple[str, ...] = ()
) -> Release:
    """Record the release after `before`.

    Raises:
        FileExistsError: another run was quicker; look at the tables anew.
        StorageError: it cannot be written.
    """
    number = before.number + 1 if before else 1
    # Whatever this machine's clock says: in the order of the numbers.
    now = max(time.time_ns() // 1_000_000, before.recorded_at + 1 if before else 0)
    release = Release(number, now, dict(versions), pending)
    content = json.dumps(asdict(release), indent=2).encode()
    for name, version in versions.items():
        # Another process may have put it just now, and not have had it on the disk yet.
        with suppress(FileNotFoundError):  # so old that a checkpoint stands for it
            objects(lake.table_location(TABLES[name])).settle([commit_key(version)])
    _objects(lake).put_new(_key(number), content)
    return release


def oldest_kept(lake: Lake, grace_hours: int) -> Release | None:
    """The oldest release that may still be read from; None where none was recorded yet."""
    source = _objects(lake)
    while True:
        kept = _split(source.list(), grace_hours)[1]
        if not kept:
            return None
        try:
            return _read(lake, source.get(kept[0].key), kept[0].key)
        except FileNotFoundError:  # removed since the listing
            continue


def forget_releases(lake: Lake, grace_hours: int, *, dry_run: bool = False) -> int:
    """Remove releases that were superseded longer ago than the grace period; how many."""
    source = _objects(lake)
    old = [entry.key for entry in _split(source.list(), grace_hours)[0]]
    if not dry_run:
        source.delete(old)
    return len(old)


def _split(listed: list[Entry], grace_hours: int) -> tuple[list[Entry], list[Entry]]:
    """Releases that nobody can need any more, and those that are kept."""
    found = [entry for entry in listed if entry.key.endswith(".json")]
    before = time.time_ns() // 1_000_000 - grace_hours * 3_600_000
    # A release is superseded when the next one is written.
    old = [entry for entry, later in pairwise(found) if later.modified <= before]
    return old, found[len(old) :]


def _objects(lake: Lake) -> Objects:
    return objects(lake.location.join(RELEASES))


def _keys(source: Objects) -> list[str]:
    return [entry.key for entry in source.list() if entry.key.endswith(".json")]


def _key(number: int) -> str:
    return f"{number:020d}.json"


def _read(lake: Lake, content: bytes, key: str) -> Release:
    try:
        values = json.loads(content)
        return Release(
            number=int(values["number"]),
            recorded_at=int(values["recorded_at"]),
            versions={str(name): int(version) for name, version in values["versions"].items()},
            pending=tuple(values.get("pending", ())),
        )
    except MALFORMED as error:
        raise LakeError(
            f"{lake.location.uri}/{RELEASES}/{key} is no release ({error!r}); "
            "restore it from a backup, or remove it: the release before it counts then"
        ) from None
