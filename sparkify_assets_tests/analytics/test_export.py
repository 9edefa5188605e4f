"""A plain copy of a release: the same rows in every tool, replaced at once, never half."""

from __future__ import annotations

import json
import resource
import shutil
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pandas
import polars
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest

from sparkify_assets.analytics import export as exporting
from sparkify_assets.analytics import staging
from sparkify_assets.analytics.copying import Piece, Source, copy_piece
from sparkify_assets.analytics.export import Wanted, export
from sparkify_assets.analytics.exported import MANIFEST, UNDER_WAY, under_way
from sparkify_assets.cli import main
from sparkify_assets.errors import LakeError, StorageError, UsageError
from sparkify_assets.lake.lake import Lake
from sparkify_assets.lake.log import StoredPart
from sparkify_assets.lake.parts import write_parts
from sparkify_assets.lake.release import Release, last_release
from sparkify_assets.lake.row_groups import GROUP_ROWS
from sparkify_assets.storage.location import Location
from sparkify_assets.storage.objects import BucketObjects, objects
from sparkify_assets.tables import PUBLIC, TIME, Table
from sparkify_assets_tests.analytics.small_lake import make_small_lake, release_now
from sparkify_assets_tests.lake.helpers import put
from sparkify_assets_tests.s3.fixtures import new_bucket
from sparkify_assets_tests.s3.proxy import Proxy
from sparkify_assets_tests.s3.servers import upload

Rows = list[dict[str, Any]]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    return make_small_lake(tmp_path_factory.mktemp("export"))


@pytest.fixture
def small(made: Lake, tmp_path: Path) -> Lake:
    """One that the test may change."""
    shutil.copytree(made.location.uri, tmp_path / "lake")
    return Lake.at(str(tmp_path / "lake"))


@pytest.fixture
def to(tmp_path: Path) -> Location:
    return Location(str(tmp_path / "copies" / "copy"), "sparkify export")


@pytest.fixture
def bucket_to(on_moto: Proxy) -> Location:
    return Location(f"s3://{new_bucket(on_moto)}/the/copy", "sparkify export")


def changed(lake: Lake, days: int) -> Release:
    """The next release, with so many rows in a month of `time`."""
    before = last_release(lake)
    put(lake, lake.snapshot(TIME), before.number + 10, "2019-02", range(1, days + 1))
    return release_now(lake, before)


def names_beside(to: Location) -> list[str]:
    return [path.name for path in Path(to.uri).parent.iterdir()]


def in_lake(lake: Lake, table: Table) -> Rows:
    version = last_release(lake).versions[table.name]
    return ordered(table, lake.snapshot_at(table, version).read().to_pylist())


def ordered(table: Table, rows: Rows) -> Rows:
    named = [{name: row[name] for name in table.names} for row in rows]
    return sorted(named, key=lambda row: [str(row[name]) for name in table.key])


def with_duckdb(folder: str) -> Rows:
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        sql = f"SELECT * FROM read_parquet('{folder}/**/*.parquet', hive_partitioning = true)"
        return list(connection.sql(sql).to_arrow_table().to_pylist())


def with_polars(folder: str) -> Rows:
    pattern = f"{folder}/**/*.parquet"
    return polars.read_parquet(pattern, hive_partitioning=True).to_dicts()


def with_pandas(folder: str) -> Rows:
    frame = pandas.read_parquet(folder)
    for name in {"year", "month"} & set(frame.columns):
        if isinstance(frame[name].dtype, pandas.CategoricalDtype):
            frame[name] = frame[name].astype(int)
    return [
        {
            str(name): None if pandas.isna(value) else value  # pandas knows no other null
            for name, value in row.items()
        }
        for row in frame.to_dict("records")
    ]


@pytest.mark.parametrize("flat", [False, True])
@pytest.mark.parametrize("read", [with_duckdb, with_polars, with_pandas])
def test_every_tool_reads_the_rows_of_the_release_by_the_folders_name(
    made: Lake, to: Location, read: Callable[[str], Rows], flat: bool
) -> None:
    copy = export(made, last_release(made), to, Wanted(flat=flat))
    for table in PUBLIC:
        expected = in_lake(made, table)
        assert ordered(table, read(f"{to.uri}/{table.name}")) == expected, table.name
        assert copy.rows[table.name] == len(expected) > 0
    folders = {path.name for path in Path(to.uri, "songplays").iterdir()}
    assert (folders == {"year=2018"}) is not flat


def test_a_copy_says_of_which_release_it_is(made: Lake, to: Location) -> None:
    release = last_release(made)
    export(made, release, to)
    told = json.loads(Path(to.uri, MANIFEST).read_text())
    assert told["release"] == release.number
    assert told["versions"] == {table.name: release.versions[table.name] for table in PUBLIC}
    assert told["rows"] == {table.name: len(in_lake(made, table)) for table in PUBLIC}
    named = {file for files in told["files"].values() for file in files}
    found = {path.relative_to(to.uri).as_posix() for path in Path(to.uri).rglob("*.parquet")}
    assert named == found


def test_a_file_that_is_written_anew_has_groups_that_are_worth_a_read(
    lake: Lake, to: Location
) -> None:
    rows = 2 * GROUP_ROWS + 7
    row = {"hour": 0, "day": 1, "week": 44, "month": 11, "year": 2018, "weekday": 4}
    starts = {"start_time": pa.array(range(rows), pa.int64()).cast(pa.timestamp("us", tz="UTC"))}
    values = starts | {
        name: pa.repeat(pa.scalar(value, pa.int32()), rows) for name, value in row.items()
    }
    batch = pa.RecordBatch.from_pydict({name: values[name] for name in TIME.names})
    [part] = write_parts([batch], TIME, lake.table_location(TIME)).parts
    stored = StoredPart(part.path, part.partition, part.size, part.rows, part.nulls, 0)
    piece = Piece(
        TIME, "time.parquet", 0, whole=True, source=Source(lake.table_location(TIME), stored)
    )
    copy_piece(piece, to)
    metadata = pq.read_metadata(f"{to.uri}/time.parquet")
    groups = [metadata.row_group(n).num_rows for n in range(metadata.num_row_groups)]
    assert groups == [GROUP_ROWS, GROUP_ROWS, 7]


def test_some_months_of_some_tables(made: Lake, to: Location) -> None:
    wanted = Wanted(("songplays", "users"), ("2018-12", "2019-01"))
    copy = export(made, last_release(made), to, wanted)
    assert set(copy.rows) == {"songplays", "users"}
    plays = with_duckdb(f"{to.uri}/songplays")
    assert Counter((row["year"], row["month"]) for row in plays) == {(2018, 12): 2}
    assert len(with_duckdb(f"{to.uri}/users")) == len(in_lake(made, PUBLIC[1]))
    # A month without rows has its columns all the same.
    pattern = f"{to.uri}/songplays/year=2019/month=1/*.parquet"
    empty = polars.read_parquet(pattern, hive_partitioning=True)
    assert (empty.height, set(empty.columns)) == (0, {*PUBLIC[0].names})


@pytest.mark.parametrize("flat", [False, True])
def test_tables_without_rows_show_their_columns(lake: Lake, to: Location, flat: bool) -> None:
    release_now(lake, None)
    export(lake, last_release(lake), to, Wanted(flat=flat))
    for table in PUBLIC:
        schema = ds.dataset(f"{to.uri}/{table.name}").schema
        assert schema.remove_metadata() == table.plain_schema
        assert with_duckdb(f"{to.uri}/{table.name}") == []


def test_a_copy_is_replaced_by_that_of_the_next_release(small: Lake, to: Location) -> None:
    first = last_release(small)
    export(small, first, to)
    before = {path.name for path in Path(to.uri).rglob("*.parquet")}
    changed(small, 3)
    export(small, last_release(small), to)
    assert ordered(TIME, with_duckdb(f"{to.uri}/time")) == in_lake(small, TIME)
    after = {path.name for path in Path(to.uri).rglob("*.parquet")}
    assert before < after
    export(small, first, to, Wanted(("users",)))
    assert {path.name for path in Path(to.uri).iterdir()} == {MANIFEST, "users"}
    assert names_beside(to) == ["copy"]


def test_whatever_else_is_there_is_left_alone(made: Lake, to: Location) -> None:
    mine = Path(to.uri, "songplays", "notes.tmp")
    mine.parent.mkdir(parents=True)
    mine.write_text("mine")
    with pytest.raises(UsageError, match=r"holds songplays/notes.tmp and no copy of a release"):
        export(made, last_release(made), to)
    mine.unlink()
    export(made, last_release(made), to)
    mine.write_text("mine")
    with pytest.raises(UsageError, match=r"notes.tmp besides a copy"):
        export(made, last_release(made), to)
    assert mine.read_text() == "mine"


def test_a_place_that_cannot_be_a_copy_is_refused(made: Lake, tmp_path: Path) -> None:
    lake = made.location.uri
    for place in (lake, f"{lake}/copy", str(Path(lake).parent)):
        with pytest.raises(UsageError, match="overlap"):
            export(made, last_release(made), Location(place))
    file = tmp_path / "file"
    file.write_text("mine")
    with pytest.raises(UsageError, match="is a file; name a folder"):
        export(made, last_release(made), Location(str(file)))
    with pytest.raises(StorageError, match=r"cannot be written.*expected a folder with room"):
        export(made, last_release(made), Location(str(file / "below")))
    assert file.read_text() == "mine"


class Stopped(Exception):
    pass


@pytest.fixture
def third_copy_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[Piece] = []

    def failing(piece: Piece, to: Location) -> None:
        calls.append(piece)
        if len(calls) == 3:
            raise Stopped
        copy_piece(piece, to)

    monkeypatch.setattr(exporting, "copy_piece", failing)


def snapshot_of(to: Location) -> dict[str, bytes]:
    source = objects(to)
    return {entry.key: source.get(entry.key) for entry in source.list()}


def test_an_export_that_fails_leaves_the_old_copy(
    small: Lake, to: Location, request: pytest.FixtureRequest
) -> None:
    export(small, last_release(small), to)
    before = snapshot_of(to)
    changed(small, 3)
    request.getfixturevalue("third_copy_fails")
    with pytest.raises(Stopped):
        export(small, last_release(small), to)
    assert snapshot_of(to) == before
    assert names_beside(to) == ["copy"]


def test_an_export_that_is_killed_leaves_the_old_copy_and_the_next_one_cleans_up(
    small: Lake, to: Location
) -> None:
    export(small, last_release(small), to)
    before = snapshot_of(to)
    changed(small, 3)
    program = (
        "import os, sys\n"
        "from sparkify_assets.analytics import export\n"
        "from sparkify_assets.cli import command\n"
        "export.copy_piece = lambda *_: os._exit(9)\n"
        "command()\n"
    )
    arguments = ["export", to.uri, f"--lake={small.location.uri}"]
    killed = subprocess.run([sys.executable, "-c", program, *arguments], check=False, timeout=100)
    assert killed.returncode == 9
    assert len(names_beside(to)) == 2
    assert snapshot_of(to) == before
    export(small, last_release(small), to)
    assert names_beside(to) == ["copy"]


def test_an_export_under_way_is_not_taken_for_a_dead_one(
    small: Lake, to: Location, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = last_release(small), changed(small, 3)

    copied: list[Piece] = []

    def meanwhile(piece: Piece, aside: Location) -> None:
        copy_piece(piece, aside)
        copied.append(piece)
        if len(copied) == 2:
            monkeypatch.setattr(exporting, "copy_piece", copy_piece)
            export(small, first, to)

    monkeypatch.setattr(exporting, "_AT_ONCE", 1)
    monkeypatch.setattr(exporting, "copy_piece", meanwhile)
    export(small, second, to)
    assert ordered(TIME, with_duckdb(f"{to.uri}/time")) == in_lake(small, TIME)
    assert names_beside(to) == ["copy"]


def test_a_copy_is_never_away_while_it_is_replaced(
    small: Lake, to: Location, monkeypatch: pytest.MonkeyPatch
) -> None:
    export(small, last_release(small), to)
    changed(small, 3)

    def away(path: Path, target: Path) -> Path:
        raise AssertionError(f"{path} was moved to {target}")

    monkeypatch.setattr(Path, "rename", away)
    export(small, last_release(small), to)
    assert ordered(TIME, with_duckdb(f"{to.uri}/time")) == in_lake(small, TIME)


def test_where_folders_cannot_change_places_a_copy_is_replaced_all_the_same(
    small: Lake, to: Location, monkeypatch: pytest.MonkeyPatch
) -> None:
    export(small, last_release(small), to)
    changed(small, 3)
    monkeypatch.setattr(staging, "_exchange", lambda *_: False)
    export(small, last_release(small), to)
    assert ordered(TIME, with_duckdb(f"{to.uri}/time")) == in_lake(small, TIME)
    assert names_beside(to) == ["copy"]


def test_a_reader_sees_one_release_or_the_other_and_never_no_folder(
    small: Lake, to: Location
) -> None:
    first, second = last_release(small), changed(small, 5)
    rows = {r.number: small.snapshot_at(TIME, r.versions["time"]).rows for r in (first, second)}
    export(small, first, to)
    seen: list[int] = []
    done = threading.Event()

    def reading() -> None:
        while not done.is_set():
            told = json.loads(Path(to.uri, MANIFEST).read_text())
            try:
                found = len(with_duckdb(f"{to.uri}/time"))
            except duckdb.IOException:  # the other copy came between the list and the files
                continue
            assert found in rows.values()
            seen.append(told["release"])

    failures: list[BaseException] = []
    reader = threading.Thread(target=_keeping(reading, failures))
    reader.start()
    for turn in range(12):
        export(small, (second, first)[turn % 2], to)
    done.set()
    reader.join()
    assert failures == []
    assert set(seen) == set(rows)


def _keeping(work: Callable[[], None], failures: list[BaseException]) -> Callable[[], None]:
    def kept() -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 -- shown by the test
            failures.append(error)

    return kept


@pytest.fixture
def no_room() -> Iterator[None]:
    """No file of more than 2,000 bytes can be written: what a full disk is like."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2_000, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_disk_that_takes_no_more_is_told_and_the_old_copy_stays(
    small: Lake, to: Location, request: pytest.FixtureRequest
) -> None:
    export(small, last_release(small), to)
    before = snapshot_of(to)
    changed(small, 3)
    request.getfixturevalue("no_room")
    with pytest.raises(StorageError, match=r"copy-?.* cannot be written: .*File too large"):
        export(small, last_release(small), to)
    assert snapshot_of(to) == before


def part_of(lake: Lake) -> Path:
    snapshot = lake.snapshot(PUBLIC[0])
    return Path(snapshot.location.uri, snapshot.parts[0].path)


def test_a_part_that_is_gone_or_damaged_is_told_and_nothing_is_replaced(
    small: Lake, to: Location
) -> None:
    export(small, last_release(small), to)
    before = snapshot_of(to)
    content = part_of(small).read_bytes()
    part_of(small).write_bytes(content[: len(content) // 2])
    with pytest.raises(LakeError, match=r"is no Parquet file.*nothing was replaced"):
        export(small, last_release(small), to)
    polars.DataFrame({"song": ["a"] * 9}).write_parquet(part_of(small))  # whole, of other rows
    with pytest.raises(LakeError, match=r"has 9 rows, the release \d; nothing was replaced"):
        export(small, last_release(small), to)
    part_of(small).unlink()
    with pytest.raises(LakeError, match=r"parquet is gone.*SPARKIFY_GRACE_HOURS"):
        export(small, last_release(small), to)
    assert snapshot_of(to) == before


def test_a_copy_in_a_bucket_has_the_same_rows_and_only_what_is_new_is_copied(
    small: Lake, bucket_to: Location, monkeypatch: pytest.MonkeyPatch
) -> None:
    export(small, last_release(small), bucket_to)
    copied: list[str] = []

    def counted(piece: Piece, to: Location) -> None:
        copied.append(piece.table.name)
        copy_piece(piece, to)

    monkeypatch.setattr(exporting, "copy_piece", counted)
    for days in (3, 5):
        copy = export(small, changed(small, days), bucket_to)
        filesystem, root = bucket_to.arrow()
        for table in PUBLIC:
            found = ds.dataset(f"{root}/{table.name}", filesystem=filesystem, partitioning="hive")
            assert ordered(table, found.to_table().to_pylist()) == in_lake(small, table)
        assert {entry.key for entry in objects(bucket_to).list()} == copy.keys
    assert copied == ["time", "time"]


def test_who_reads_the_files_that_the_copy_names_always_finds_them(
    small: Lake, bucket_to: Location, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = last_release(small), changed(small, 3)
    export(small, first, bucket_to)
    looks: list[int] = []

    def look() -> None:
        filesystem, root = bucket_to.arrow()
        told = json.loads(objects(bucket_to).get(MANIFEST))
        files = [f"{root}/{file}" for file in told["files"]["time"]]
        rows = ds.dataset(files, filesystem=filesystem).count_rows()
        assert rows == told["rows"]["time"]
        looks.append(told["release"])

    def looking(method: Callable[..., Any]) -> Callable[..., Any]:
        def looked(*arguments: Any) -> Any:
            look()
            found = method(*arguments)
            look()
            return found

        return looked

    monkeypatch.setattr(BucketObjects, "put", looking(BucketObjects.put))
    monkeypatch.setattr(BucketObjects, "delete", looking(BucketObjects.delete))
    monkeypatch.setattr(exporting, "copy_piece", looking(copy_piece))
    export(small, second, bucket_to)
    export(small, first, bucket_to)
    assert set(looks) == {first.number, second.number}


def test_an_export_into_a_bucket_that_fails_leaves_the_old_copy(
    small: Lake, bucket_to: Location, request: pytest.FixtureRequest
) -> None:
    export(small, last_release(small), bucket_to, Wanted(("users",)))
    before = snapshot_of(bucket_to)
    request.getfixturevalue("third_copy_fails")
    with pytest.raises(Stopped):
        export(small, last_release(small), bucket_to)
    assert snapshot_of(bucket_to) == before


def test_what_a_killed_export_put_into_a_bucket_is_removed_and_nothing_else(
    small: Lake, bucket_to: Location
) -> None:
    target = objects(bucket_to)
    target.put(UNDER_WAY, under_way(["time/torn.parquet", "users/never.parquet"]))
    target.put("time/torn.parquet", b"torn")
    copy = export(small, last_release(small), bucket_to)
    assert {entry.key for entry in target.list()} == copy.keys
    target.put("time/mine.parquet", b"mine")
    with pytest.raises(UsageError, match=r"time/mine.parquet besides a copy"):
        export(small, last_release(small), bucket_to)
    assert target.get("time/mine.parquet") == b"mine"


def test_of_two_exports_into_one_bucket_the_later_counts(
    small: Lake, bucket_to: Location, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = last_release(small), changed(small, 3)

    def meanwhile(piece: Piece, to: Location) -> None:
        monkeypatch.setattr(exporting, "copy_piece", copy_piece)
        export(small, second, bucket_to)
        copy_piece(piece, to)

    monkeypatch.setattr(exporting, "_AT_ONCE", 1)
    monkeypatch.setattr(exporting, "copy_piece", meanwhile)
    with pytest.raises(LakeError, match=r"another export into .* began meanwhile"):
        export(small, first, bucket_to)
    told = json.loads(objects(bucket_to).get(MANIFEST))
    assert told["release"] == second.number
    copy = export(small, first, bucket_to)  # nothing strange was left
    assert {entry.key for entry in objects(bucket_to).list()} == copy.keys


def test_a_lake_in_a_bucket_is_copied_into_a_folder(
    made: Lake, on_moto: Proxy, to: Location
) -> None:
    bucket = new_bucket(on_moto)
    upload(on_moto.endpoint, Path(made.location.uri), bucket, "lake")
    lake = Lake.at(f"s3://{bucket}/lake")
    export(lake, last_release(lake), to)
    for table in PUBLIC:
        assert ordered(table, with_duckdb(f"{to.uri}/{table.name}")) == in_lake(made, table)
    with pytest.raises(UsageError, match="overlap"):
        export(lake, last_release(lake), Location(f"s3://{bucket}/lake/copy"))


def test_a_bucket_that_is_not_there_is_told(made: Lake, on_moto: Proxy) -> None:
    assert on_moto.endpoint
    with pytest.raises(StorageError, match=r"sparkify export: .* there is no such bucket"):
        export(made, last_release(made), Location("s3://no-such-bucket/x", "sparkify export"))


Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["sparkify", "export", *arguments])
        with pytest.raises(SystemExit) as end:
            main()
        found = capsys.readouterr()
        return int(end.value.code or 0), found.out, found.err.replace("\n", "")

    return run


def test_the_command_copies_the_release_of_a_time(
    small: Lake, to: Location, command: Command
) -> None:
    first = last_release(small)
    changed(small, 3)
    at = first.time.isoformat()
    lake = f"--lake={small.location.uri}"
    code, out, _ = command(to.uri, lake, "--at", at, "--format", "json", "--tables", "users,time")
    told = json.loads(out)
    assert (code, told["release"], set(told["rows"])) == (0, first.number, {"users", "time"})
    code, out, _ = command(to.uri, lake, "--months", "2018-11", "--months", "2018-12")
    assert code == 0
    assert "release 2" in out
    assert "songplays" in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["x", "--tables", "plays"], "--tables: found 'plays'"),
        (["x", "--tables", "raw_logs"], "which is an inner table of the lake"),
        (["x", "--months", "2018-13"], "--months: found '2018-13'"),
        (["x", "--at", "yesterday"], "--at: found 'yesterday'"),
        (["s3://a"], "expected s3://bucket/prefix"),
        (["gs://bucket/x"], "expected a folder or s3://bucket/prefix"),
        ([""], "expected a folder or s3://bucket/prefix"),
    ],
)
def test_wrong_use_is_told(
    made: Lake, command: Command, arguments: list[str], message: str
) -> None:
    code, out, err = command(*arguments, f"--lake={made.location.uri}")
    assert (code, out) == (2, "")
    assert message in err


def test_a_lake_without_a_release_is_told(lake: Lake, command: Command, to: Location) -> None:
    code, _, err = command(to.uri, f"--lake={lake.location.uri}")
    assert code == 1
    assert "has no release to read from yet" in err
