"""The lake as a whole, its parts and its snapshots."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import DeltaTable

from sparkify_assets.errors import LakeError
from sparkify_assets.lake import checkpoint, log
from sparkify_assets.lake.lake import Lake
from sparkify_assets.lake.parts import Written, write_parts
from sparkify_assets.lake.snapshot import Snapshot
from sparkify_assets.storage.objects import Entry, FolderObjects
from sparkify_assets.tables import BUILT, SONG_MATCHES, TABLES, TIME, USERS, Table
from sparkify_assets_tests.lake.helpers import content, put, rows


def test_every_table_is_made_empty_with_its_description(lake: Lake) -> None:
    for table in TABLES.values():
        snapshot = lake.snapshot(table)
        assert (snapshot.version, snapshot.rows) == (0, 0)
        assert snapshot.state.metadata["description"] == table.description
        assert snapshot.read().schema == table.plain_schema


def test_several_creators_at_once_all_find_the_tables(tmp_path: Path) -> None:
    failures: list[Exception] = []

    def create() -> None:
        try:
            Lake.at(str(tmp_path / "lake")).create_missing()
        except LakeError as error:
            failures.append(error)

    threads = [threading.Thread(target=create) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    lake = Lake.at(str(tmp_path / "lake"))
    assert all(lake.snapshot(table).version == 0 for table in TABLES.values())


def test_a_table_before_its_first_version_has_an_identity(lake: Lake) -> None:
    before = lake.empty(TIME).identity
    assert before == lake.empty(TIME).identity
    assert before not in (lake.snapshot(TIME).identity, lake.empty(USERS).identity)


def test_a_lake_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(LakeError, match=r"SPARKIFY_LAKE: the lake .*/file/lake cannot be written"):
        Lake.at(str(tmp_path / "file" / "lake")).create_missing()


def test_a_table_that_is_not_there_says_how_it_comes_to_be(tmp_path: Path) -> None:
    with pytest.raises(LakeError, match="has no table users yet; `sparkify run` makes it"):
        Lake.at(str(tmp_path)).snapshot(USERS)


def test_a_table_of_another_layout_is_refused(tmp_path: Path) -> None:
    DeltaTable.create(str(tmp_path / "users"), schema=pa.schema([("user_id", pa.int64())]))
    with pytest.raises(LakeError, match=r"other types: .'user_id'.*set SPARKIFY_LAKE to another"):
        Lake.at(str(tmp_path)).snapshot(USERS)


def test_what_cannot_be_written_names_table_and_column(lake: Lake) -> None:
    location = lake.table_location(TIME)
    table = rows("2018-11", 1)
    with pytest.raises(LakeError, match="time: the rows to write have no column 'hour'"):
        write_parts(table.drop_columns(["hour"]).to_batches(), TIME, location)
    nulls = table.set_column(4, "month", pa.array([None], pa.int32()))
    with pytest.raises(LakeError, match=r"time\.month is required, but 1 rows"):
        write_parts(nulls.to_batches(), TIME, location)
    texts = table.set_column(1, "hour", pa.array(["noon"]))
    with pytest.raises(LakeError, match=r"time\.hour: found string, declared int32"):
        write_parts(texts.to_batches(), TIME, location)


def test_parts_are_plain_parquet_in_folders_of_their_month(lake: Lake) -> None:
    found = write_parts(rows("2018-11", 1, 2).to_batches(), TIME, lake.table_location(TIME))
    part = found.parts[0]
    assert part.path.startswith("year=2018/month=11/part-")
    assert part.rows == 2
    assert Path(lake.table_location(TIME).uri, part.path).stat().st_size == part.size
    assert content(lake) == []  # invisible until it is committed


def _matches(*songs: tuple[str, str], year: int = 2018) -> pa.Table:
    return pa.Table.from_pylist(
        [
            {
                "song": song,
                "artist": "a",
                "length": 1.5,
                "song_id": found,
                "artist_id": "AR",
                "month": 11,
                "year": year,
            }
            for song, found in songs
        ],
        schema=SONG_MATCHES.plain_schema,
    )


def test_the_content_hash_knows_rows_not_their_order_or_parts(lake: Lake) -> None:
    location = lake.table_location(SONG_MATCHES)

    def hashed(*tables: pa.Table) -> dict[str, int]:
        batches = [batch for table in tables for batch in table.to_batches()]
        return contents(write_parts(batches, SONG_MATCHES, location))

    def contents(written: Written) -> dict[str, int]:
        return {key: notes.content for key, notes in written.notes.items()}

    one = hashed(_matches(("x", "S1"), ("y", "S2")))
    assert one == hashed(_matches(("y", "S2")), _matches(("x", "S1")))
    assert one != hashed(_matches(("x", "S1"), ("y", "S3")))
    assert one != hashed(_matches(("x", "S1")))
    two_tasks = Written()
    for table in (_matches(("y", "S2")), _matches(("x", "S1"))):
        two_tasks.add(write_parts(table.to_batches(), SONG_MATCHES, location))
    assert contents(two_tasks) == one
    both = hashed(_matches(("x", "S1"), ("y", "S2")), _matches(("z", "S9"), year=2019))
    assert both["2018-11"] == one["2018-11"]
    assert set(both) == {"2018-11", "2019-11"}


@pytest.mark.parametrize("by", ["us", "delta-rs"])
def test_a_checkpoint_keeps_everything(
    lake: Lake, monkeypatch: pytest.MonkeyPatch, by: str
) -> None:
    monkeypatch.setattr(checkpoint, "EVERY", 2 if by == "us" else 1000)
    location = lake.table_location(TIME)
    put(lake, lake.snapshot(TIME), 7, "2018-11", [1])
    put(lake, lake.snapshot(TIME), 8, "2018-12", [1])
    put(lake, lake.snapshot(TIME), 9, "2018-12", [2, 3])
    if by == "delta-rs":
        DeltaTable(location.uri).create_checkpoint()
    put(lake, lake.snapshot(TIME), 10, "2019-01", [])
    before = lake.snapshot(TIME)
    assert list(Path(location.uri, "_delta_log").glob("*.checkpoint.parquet"))
    log._known.clear()
    after = lake.snapshot(TIME)
    assert (after.version, after.stamp("2018-11"), after.stamp("2019-01")) == (4, 7, 10)
    assert after.state.parts == before.state.parts
    assert set(after.state.removed) == set(before.state.removed)
    assert after.state.metadata["id"] == before.state.metadata["id"]
    assert content(lake) == [(11, 1), (12, 2), (12, 3)]
    others = DeltaTable(location.uri)
    assert (others.version(), others.to_pyarrow_table().num_rows) == (4, 3)
    assert others.transaction_version("time/2018-11") == 7


def test_a_lake_that_was_removed_and_made_again_is_not_mixed_up(lake: Lake) -> None:
    put(lake, lake.snapshot(TIME), 7, "2018-11", [1])
    shutil.rmtree(lake.location.uri)
    assert lake.find(TIME) is None
    lake.create_missing()
    put(lake, lake.snapshot(TIME), 8, "2018-12", [2])
    assert lake.snapshot(TIME).stamp("2018-11") is None
    assert content(lake) == [(12, 2)]


def test_a_log_with_a_hole_is_refused(lake: Lake) -> None:
    for day in (1, 2, 3):
        put(lake, lake.snapshot(TIME), day, "2018-11", [day])
    folder = Path(lake.table_location(TIME).uri, "_delta_log")
    (folder / f"{2:020d}.json").unlink()
    log._known.clear()
    with pytest.raises(LakeError, match="version 2 is missing"):
        lake.snapshot(TIME)


def test_a_listing_with_a_hole_is_made_again(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that is written to meanwhile may list a version and not the one before."""
    for day in (1, 2, 3):
        put(lake, lake.snapshot(TIME), day, "2018-11", [day])
    log._known.clear()
    whole = FolderObjects.list
    holes = [f"_delta_log/{2:020d}.json"]

    def with_a_hole(self: FolderObjects, *given: str, **more: str) -> list[Entry]:
        hole = holes.pop() if holes else ""
        return [entry for entry in whole(self, *given, **more) if entry.key != hole]

    monkeypatch.setattr(FolderObjects, "list", with_a_hole)
    assert content(lake) == [(11, 3)]
    assert holes == []


def test_tables_are_looked_at_before_what_they_are_made_from(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[str] = []
    find = Lake.find

    def note(self: Lake, table: Table) -> Snapshot | None:
        looked.append(table.name)
        return find(self, table)

    monkeypatch.setattr(Lake, "find", note)
    for look in (lake.look, lake.create_missing):
        looked.clear()
        look()
        assert sorted(looked) == sorted(TABLES)
        for table in BUILT:
            for source in table.reads:
                assert looked.index(table.name) < looked.index(source)
            assert looked.index(table.name) < looked.index("landed_files")
        assert looked.index("landed_files") < looked.index("raw_logs")
