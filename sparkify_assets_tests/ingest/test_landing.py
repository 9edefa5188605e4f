"""The landing zone: what is data, what belongs to which month, what changed under our hands."""

from __future__ import annotations

import gzip
import os
from pathlib import Path
from typing import Any

import pytest

from sparkify_assets.errors import LandingError
from sparkify_assets.ingest.landing import (
    ContentChanged,
    Listing,
    month_in_key,
)
from sparkify_assets.ingest.landing_folder import FolderLanding
from sparkify_assets_tests.zone import Zone, deep_file, event

MONTHS = {"2018-11", "2018-12"}


def listing(zone: Zone) -> Listing:
    return FolderLanding(str(zone.root)).list(MONTHS)


@pytest.mark.parametrize(
    ("key", "month"),
    [
        ("log_data/2018/11/2018-11-01-events.json", "2018-11"),
        ("log_data/2018-11-01-events.json", "2018-11"),
        ("log_data/2018/11/part-0001.jsonl", "2018-11"),
        ("log_data/app/2018/12/2018-11-30-late.json", "2018-12"),  # the folder goes first
        ("log_data/events-2018-11.ndjson.gz", "2018-11"),
        ("log_data/2018-13-01-events.json", None),
        ("log_data/20181101.json", None),
        ("log_data/12018-11-01.json", None),
        ("log_data/events.json", None),
    ],
)
def test_the_month_in_a_key(key: str, month: str | None) -> None:
    assert month_in_key(key) == month


def test_stray_files_are_no_data(zone: Zone) -> None:
    for key in (
        "log_data/.DS_Store",
        "log_data/_SUCCESS",
        "log_data/.tmp/2018-11-01.json",
        "song_data/A/.DS_Store",
        "README.json",
    ):
        zone.write(key, "x")
    zone.logs("log_data/2018-11-01-events.json")
    found = listing(zone)
    assert [file.key for file in found.files] == ["log_data/2018-11-01-events.json"]
    assert found.unplaced == []


def test_files_that_are_not_loaded_are_named_with_the_way_out(zone: Zone) -> None:
    zone.logs("log_data/events.json")
    zone.logs("log_data/2017-01-01-events.json")
    zone.write("log_data/2018-11-01.csv", "")
    with open(os.fsencode(zone.root / "song_data") + b"/\xff.json", "w"):  # noqa: PTH123
        pass
    reasons = dict(listing(zone).unplaced)
    assert "shows no month; name it log_data/YYYY/MM" in reasons["log_data/events.json"]
    assert "set SPARKIFY_FIRST_MONTH" in reasons["log_data/2017-01-01-events.json"]
    assert "not .json" in reasons["log_data/2018-11-01.csv"]
    assert "not valid UTF-8" in reasons["song_data/\\xff.json"]
    assert listing(zone).files == []


@pytest.mark.parametrize("suffix", ["json", "jsonl", "ndjson", "JSON", "json.gz", "ndjson.gz"])
def test_all_the_file_types_are_data(zone: Zone, suffix: str) -> None:
    zone.write(f"log_data/2018-11-01.{suffix}", "")
    assert len(listing(zone).files) == 1


def test_a_missing_zone_and_one_without_the_two_folders_say_so(tmp_path: Path) -> None:
    with pytest.raises(LandingError, match="SPARKIFY_LANDING: there is no folder"):
        FolderLanding(str(tmp_path / "nowhere")).list(MONTHS)
    with pytest.raises(LandingError, match="holds neither log_data/ nor song_data/"):
        FolderLanding(str(tmp_path)).list(MONTHS)


def test_an_overwritten_file_of_the_same_size_has_another_etag(zone: Zone) -> None:
    key = zone.write("song_data/a.json", "aaaa")
    before = listing(zone).files[0]
    path = zone.root / key
    stat = path.stat()
    path.write_text("bbbb")
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns + 1))
    after = listing(zone).files[0]
    assert (before.key, before.size) == (after.key, after.size)
    assert before.etag != after.etag


def test_blocks_are_the_content_unpacked(zone: Zone) -> None:
    zone.write("log_data/2018-11-01.json.gz", gzip.compress(b"x" * 20_000_000))
    blocks = list(FolderLanding(str(zone.root)).blocks(listing(zone).files[0]))
    assert b"".join(blocks) == b"x" * 20_000_000
    assert len(blocks) > 1


def test_a_file_that_is_changed_or_deleted_is_noticed(zone: Zone) -> None:
    key = zone.write("log_data/2018-11-01.json", b"a\n" * 10_000_000)
    file = listing(zone).files[0]
    landing = FolderLanding(str(zone.root))
    blocks = landing.blocks(file)
    next(blocks)
    with (zone.root / key).open("ab") as more:
        more.write(b"b\n")
    with pytest.raises(ContentChanged, match="changed while it was read"):
        list(blocks)
    with pytest.raises(ContentChanged, match="changed"):
        list(landing.blocks(file))
    zone.delete(key)
    with pytest.raises(ContentChanged, match="deleted"):
        list(landing.blocks(file))


@pytest.mark.parametrize("cut", [-20, -1, 2_000_000])
def test_a_packed_file_that_is_torn_gives_what_comes_before(zone: Zone, cut: int) -> None:
    lines = b"".join(b"%d\n" % number for number in range(2_000_000))
    zone.write("log_data/2018-11-01.json.gz", gzip.compress(lines)[:cut])
    blocks = FolderLanding(str(zone.root)).blocks(listing(zone).files[0])
    found: list[bytes] = []
    with pytest.raises(EOFError):
        found.extend(blocks)
    content = b"".join(found)
    assert lines.startswith(content)
    assert len(content) > len(lines) * 0.9 if cut < 0 else len(content) > 2_000_000


def test_a_packed_file_that_is_followed_by_something_else_gives_what_comes_before(
    zone: Zone,
) -> None:
    zone.write("log_data/2018-11-01.json.gz", gzip.compress(b"a\n" * 10) + b"rubbish")
    blocks = FolderLanding(str(zone.root)).blocks(listing(zone).files[0])
    assert next(blocks) == b"a\n" * 10
    with pytest.raises(gzip.BadGzipFile):
        next(blocks)


@pytest.mark.parametrize("gone", [False, True])
def test_a_packed_file_that_is_cut_off_while_it_is_read_is_changed_and_not_broken(
    zone: Zone, gone: bool
) -> None:
    content = gzip.compress(os.urandom(20_000_000))
    key = zone.write("log_data/2018-11-01.json.gz", content)
    blocks = FolderLanding(str(zone.root)).blocks(listing(zone).files[0])
    next(blocks)
    os.truncate(zone.root / key, 15_000_000)
    if gone:
        zone.delete(key)
    with pytest.raises(ContentChanged):
        list(blocks)


def test_a_file_replaced_by_renaming_while_it_is_read_is_noticed(zone: Zone) -> None:
    key = zone.write("log_data/2018-11-01.json", b"a\n" * 10_000_000)
    blocks = FolderLanding(str(zone.root)).blocks(listing(zone).files[0])
    next(blocks)
    (zone.root / "new").write_bytes(b"other")
    (zone.root / "new").rename(zone.root / key)
    with pytest.raises(ContentChanged):
        list(blocks)


def test_folders_may_lie_deeper_than_calls(zone: Zone) -> None:
    key = f"log_data/{'d/' * 1_900}2018-11-01.json"
    with deep_file(zone, key, "{}"):
        found = listing(zone)
    assert [file.key for file in found.files] == [key]
    assert found.unplaced == []


def test_a_link_to_a_folder_above_is_named_and_not_followed_again(zone: Zone) -> None:
    zone.song("S1")
    (zone.root / "song_data/A/loop").symlink_to("..")
    found = listing(zone)
    assert len(found.files) == 1
    assert found.unplaced == [("song_data/A/loop/", "a link to a folder above it")]


def test_a_link_to_nothing_and_a_pipe_are_named(zone: Zone) -> None:
    (zone.root / "log_data/2018-11-01.json").symlink_to("nowhere")
    os.mkfifo(zone.root / "log_data/2018-11-02.json")
    reasons = dict(listing(zone).unplaced)
    assert "a link to nothing" in reasons["log_data/2018-11-01.json"]
    assert "neither a file nor a folder" in reasons["log_data/2018-11-02.json"]


def test_a_link_out_of_the_landing_zone_is_named_and_not_followed(
    zone: Zone, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "2018-11-09.json").write_text("a password\n")
    lake = tmp_path / "lake"
    lake.mkdir()
    logs = zone.root / "log_data"
    zone.logs("log_data/2018-11-01.json", event())
    (logs / "2018-11-02.json").symlink_to(outside / "2018-11-09.json")
    (logs / "2018-11-03.json").symlink_to("../../outside/2018-11-09.json")
    (logs / "2018-11-04.json").symlink_to(outside / "not-yet-there.json")
    (logs / "2018-11-05.json").symlink_to("/proc/self/environ")
    (logs / "2018").symlink_to(outside)
    (logs / "lake").symlink_to(lake)
    (logs / "above").symlink_to(zone.root)
    (outside / "back").symlink_to("2018-11-09.json")
    (logs / "2018-11-06.json").symlink_to(outside / "back")
    found = listing(zone)
    assert [file.key for file in found.files] == ["log_data/2018-11-01.json"]
    assert [key for key, why in found.unplaced if "a link out of the landing zone" in why] == [
        "log_data/2018", "log_data/2018-11-02.json", "log_data/2018-11-03.json",
        "log_data/2018-11-04.json", "log_data/2018-11-05.json", "log_data/2018-11-06.json",
        "log_data/above", "log_data/lake",
    ]  # fmt: skip
    assert not found.covers("2018-11"), "what was taken in through one before is not gone"


def test_links_within_the_landing_zone_and_to_its_folders_are_followed(
    zone: Zone, tmp_path: Path
) -> None:
    zone.logs("log_data/2018/11/a.json", event())
    logs = zone.root / "log_data"
    (logs / "2018-11-02.json").symlink_to("2018/11/a.json")
    (logs / "2018/12").symlink_to("11")
    logs.rename(tmp_path / "other-disk")
    logs.symlink_to(tmp_path / "other-disk")
    (tmp_path / "zone-by-a-link").symlink_to(zone.root)
    found = FolderLanding(str(tmp_path / "zone-by-a-link")).list(MONTHS)
    assert sorted(file.key for file in found.files) == [
        "log_data/2018-11-02.json", "log_data/2018/11/a.json", "log_data/2018/12/a.json",
    ]  # fmt: skip
    assert found.unplaced == []


def test_a_link_that_is_turned_after_the_listing_is_noticed(zone: Zone, tmp_path: Path) -> None:
    zone.logs("log_data/2018/11/a.json", event())
    link = zone.root / "log_data/2018-11-02.json"
    link.symlink_to("2018/11/a.json")
    [file] = [file for file in listing(zone).files if file.key.endswith("02.json")]
    other = tmp_path / "secret"
    other.write_bytes((zone.root / "log_data/2018/11/a.json").read_bytes())
    link.unlink()
    link.symlink_to(other)
    with pytest.raises(ContentChanged):
        list(FolderLanding(str(zone.root)).blocks(file))


def test_a_folder_that_cannot_be_listed_is_named_and_nothing_counts_as_deleted(
    zone: Zone, monkeypatch: pytest.MonkeyPatch
) -> None:
    zone.logs("log_data/2018/11/a.json", event())
    zone.song()
    scan = os.scandir

    def refuse(path: Any) -> Any:
        if str(path).endswith("/2018"):
            raise PermissionError(13, "Permission denied")
        return scan(path)

    monkeypatch.setattr(os, "scandir", refuse)
    found = listing(zone)
    assert [file.scope for file in found.files] == ["songs"]
    assert found.unplaced == [("log_data/2018/", "cannot be listed: Permission denied")]
    assert not found.complete
