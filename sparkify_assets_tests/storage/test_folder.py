"""A folder whose disk is full or refuses: told with its path and the way out; what lasts."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from sparkify_assets.errors import StorageError
from sparkify_assets.lake import log
from sparkify_assets.lake.commit import append
from sparkify_assets.lake.lake import Lake
from sparkify_assets.storage.failures import explained_on_disk
from sparkify_assets.storage.location import Location
from sparkify_assets.storage.objects import FolderObjects, make_folder, objects
from sparkify_assets.tables import TIME
from sparkify_assets_tests.lake.helpers import parts

_ARROW = "Error writing bytes to file. Detail: [errno 28] No space left on device"


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "/lake/a"), "/lake/a cannot be read or"),
        (OSError(errno.ENOSPC, _ARROW), "written: No space left on device. Free some room"),
        (OSError(errno.EDQUOT, "Disk quota exceeded", "/lake/a"), "exceeded. Free some room"),
        (OSError(errno.EROFS, "Read-only file system", "/lake/a"), "system. Let the user that"),
        (OSError(errno.EIO, "Input/output error", "/lake/a"), "error. Nothing that was committed"),
    ],
)
def test_an_error_tells_the_path_the_reason_and_the_way_out(error: OSError, expected: str) -> None:
    told = str(explained_on_disk(error, Location("/lake")))
    assert told.startswith("SPARKIFY_LAKE: /lake")
    assert expected in told


@pytest.mark.parametrize("what", ["link", "fsync", "replace"])
def test_an_object_that_cannot_be_put_is_not_there(
    what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_given: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", str(tmp_path))

    target = objects(Location(str(tmp_path / "table")))
    with monkeypatch.context() as patch:
        patch.setattr(Path if what == "replace" else os, what, full)
        put = target.put if what == "replace" else target.put_new
        with pytest.raises(StorageError, match="No space left on device"):
            put("_log/1.json", b"{}")
    assert target.list() == []
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]
    target.put_new("_log/1.json", b"{}")
    assert target.get("_log/1.json") == b"{}"


def test_a_commit_whose_sync_failed_is_no_success(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is in the log by then, and could be lost with the power while others follow."""
    made = parts(lake, "2018-11", 1)

    def broken(self: object, paths: Iterable[Path]) -> None:
        if any(path.parent.name == log.LOG for path in paths):
            raise StorageError("the disk is broken")

    with monkeypatch.context() as patch:
        patch.setattr(FolderObjects, "_sync_folders", broken)
        with pytest.raises(StorageError, match="the disk is broken"):
            append(lake, TIME, made)
    assert lake.snapshot(TIME).rows == 1


def test_what_settles_is_synced_with_the_folders_that_it_lies_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    part = tmp_path / "lake/table/year=2018/month=11/p.parquet"
    part.parent.mkdir(parents=True)
    part.write_bytes(b"x")
    synced: list[str] = []
    fsync = os.fsync

    def noted(opened: int) -> None:
        synced.append(str(Path(f"/proc/self/fd/{opened}").readlink()))
        fsync(opened)

    monkeypatch.setattr(os, "fsync", noted)
    target = objects(Location(str(tmp_path / "lake/table")))
    target.settle(["year=2018/month=11/p.parquet"])
    folders = [part.parent, part.parent.parent, tmp_path / "lake/table", tmp_path / "lake"]
    assert synced == [str(path) for path in (part, *folders)]
    with pytest.raises(FileNotFoundError):
        target.settle(["year=2018/month=11/gone.parquet"])
    synced.clear()

    def files_only(opened: int) -> None:
        if Path(f"/proc/self/fd/{opened}").readlink().is_dir():
            raise OSError(errno.EINVAL, "Invalid argument")
        noted(opened)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", files_only)  # as on some network shares
        target.settle(["year=2018/month=11/p.parquet"])
        target.put_new("_log/1.json", b"{}")
    assert [Path(path).suffix for path in synced] == [".parquet", ".tmp"]
    synced.clear()
    target.settle([])
    assert synced == []
    synced.clear()
    make_folder(tmp_path / "new/below/lake")
    assert synced == [str(tmp_path / one) for one in ("new/below", "new", "")]
    make_folder(tmp_path / "new/below/lake")
    assert synced[3:] == [str(tmp_path / "new/below")]
