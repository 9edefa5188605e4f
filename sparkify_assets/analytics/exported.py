"""What a plain copy of a release says about itself: `_release.json`, at the top of the copy.

It is what a copy is recognised by, and the list of its files. In a bucket a copy under way says
what it is going to put in `_export.json`, so that the next one knows the files of one that died.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from sparkify_assets.errors import LakeError
from sparkify_assets.partitions import month_of
from sparkify_assets.storage.location import Location
from sparkify_assets.storage.objects import Objects, objects
from sparkify_assets.tables import TABLES

MANIFEST = "_release.json"
UNDER_WAY = "_export.json"
_BY = "sparkify export"


@dataclass(frozen=True)
class Exported:
    """A copy.

    Attributes:
        release: number of the release.
        time: when the release was recorded, UTC, as text.
        versions: of the tables that were copied.
        pending: months whose plays are those from before (see `lake.release`).
        months: what was asked for; None for every month.
        rows: by table.
        files: by table, relative to the copy.
        flat: whether year and month stand in the files and not in names of folders.
    """

    release: int
    time: str
    versions: Mapping[str, int]
    pending: tuple[str, ...]
    months: tuple[str, ...] | None
    rows: Mapping[str, int]
    files: Mapping[str, tuple[str, ...]]
    flat: bool = False

    def to_json(self) -> bytes:
        """The content of `_release.json`."""
        return json.dumps({"written_by": _BY, **asdict(self)}, indent=2).encode()

    @property
    def keys(self) -> set[str]:
        """Everything that belongs to the copy, relative to it."""
        return {MANIFEST, *(name for names in self.files.values() for name in names)}


def read_exported(source: Objects) -> Exported | None:
    """The copy that is there, None where there is none.

    Raises:
        StorageError: it cannot be reached.
    """
    try:
        values = _ours(source.get(MANIFEST))
    except (FileNotFoundError, NotADirectoryError):
        return None
    if values is None:
        return None
    values["pending"] = tuple(values["pending"])
    values["months"] = None if values["months"] is None else tuple(values["months"])
    values["files"] = {name: tuple(found) for name, found in values["files"].items()}
    return Exported(**values)


def left_under_way(source: Objects) -> set[str]:
    """What a copy that died may have put into the bucket."""
    try:
        values = _ours(source.get(UNDER_WAY))
    except FileNotFoundError:
        return set()
    return {UNDER_WAY, *values["files"]} if values else set()


def under_way(keys: list[str]) -> bytes:
    """The content of `_export.json`."""
    return json.dumps({"written_by": _BY, "files": keys}, indent=2).encode()


def months_of_export(location: Location) -> tuple[str, ...]:
    """The months in whose folders a copy has files.

    Raises:
        LakeError: there is no copy, or one without folders for the months.
    """
    found = read_exported(objects(location))
    if found is None:
        raise LakeError(
            f"{location.setting}: {location.uri} holds no copy of a release; make one with "
            f"`sparkify export {location.uri}`"
        )
    if found.flat:
        raise LakeError(
            f"{location.setting}: the copy in {location.uri} has no folders for months; make it "
            "again without --flat"
        )
    months = set()
    for name, files in found.files.items():
        for file in files if TABLES[name].monthly else ():
            values = dict(part.split("=", 1) for part in file.split("/") if "=" in part)
            if values:
                months.add(month_of(int(values["year"]), int(values["month"])))
    return tuple(sorted(months))


def _ours(content: bytes) -> dict[str, Any] | None:
    try:
        values = json.loads(content)
    except ValueError:
        return None
    if not isinstance(values, dict) or values.pop("written_by", None) != _BY:
        return None
    return values
