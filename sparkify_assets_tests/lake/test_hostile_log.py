"""A planted log, release or link makes nobody read or remove anything outside the table."""

from __future__ import annotations

import base64
import dataclasses
import json
import os
import pickle
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyspark.sql import SparkSession

from sparkify_assets.analytics.session import open_session
from sparkify_assets.errors import LakeError
from sparkify_assets.lake.checkpoint import LAST_CHECKPOINT
from sparkify_assets.lake.frames import read_frame
from sparkify_assets.lake.lake import Lake
from sparkify_assets.lake.log import LOG
from sparkify_assets.lake.release import RELEASES, Release, last_release, record_release
from sparkify_assets.lake.vacuum import vacuum
from sparkify_assets.storage.location import Location
from sparkify_assets.storage.objects import objects
from sparkify_assets.tables import TABLES, TIME
from sparkify_assets_tests.lake.helpers import content, put

PATHS = [
    "../../outside.parquet",
    "year=2018/../../../outside.parquet",
    "year=2018/month=11/./outside.parquet",
    "..",
    "",
    "/etc/passwd",
    "//etc/passwd",
    "file:///etc/passwd",
    "s3://other-bucket/outside.parquet",
    "s3a:outside.parquet",
    "%2e%2e/%2e%2e/outside.parquet",
    "%252e%252e/outside.parquet",
    "..%2foutside.parquet",
    "..\\outside.parquet",
    "year=*/month=11/part.parquet",
    "{a,b}.parquet",
    "[ab].parquet",
    "\uff0e\uff0e/outside.parquet",
    "a\x00.parquet",
    "a\n.parquet",
    "a.parquet\n",
    7,
    None,
]


def root(lake: Lake) -> Path:
    return Path(lake.table_location(TIME).uri)


def next_version(lake: Lake) -> Path:
    return root(lake) / LOG / f"{lake.snapshot(TIME).version + 1:020d}.json"


def add(path: Any, size: int = 1, rows: int = 1) -> str:
    return json.dumps(
        {
            "add": {
                "path": path,
                "partitionValues": {"year": "2018", "month": "11"},
                "size": size,
                "modificationTime": 1,
                "dataChange": True,
                "stats": json.dumps({"numRecords": rows}),
            }
        }
    )


@pytest.fixture
def outside(lake: Lake, tmp_path: Path) -> Path:
    """A part of the same table in a folder beside the lake, older than any grace period."""
    put(lake, lake.snapshot(TIME), 1, "2018-11", [1])
    part = lake.snapshot(TIME).parts[0].path
    found = tmp_path / "outside.parquet"
    found.write_bytes((root(lake) / part).read_bytes())
    long_ago = time.time() - 1_000_000
    os.utime(found, (long_ago, long_ago))
    return found


@pytest.mark.parametrize("kind", ["add", "remove"])
@pytest.mark.parametrize("path", PATHS)
def test_a_commit_that_names_another_place_is_refused_by_every_reader(
    lake: Lake, outside: Path, path: Any, kind: str
) -> None:
    size = outside.stat().st_size
    planted = next_version(lake)
    # The readers that go by a version are asked before the newest one is broken.
    if kind == "add":
        planted.write_text(add(path, size))
    else:
        planted.write_text(json.dumps({"remove": {"path": path, "deletionTimestamp": 1}}))
    for read in (
        lambda: lake.snapshot(TIME),
        lambda: lake.snapshot_at(TIME, int(planted.stem)),
        lambda: vacuum(lake, TIME, grace_hours=0),
    ):
        with pytest.raises(LakeError, match=r"is not one of a file in the table's folder.*backup"):
            read()
    assert outside.is_file()
    planted.unlink()
    assert content(lake) == [(11, 1)]


def test_sql_does_not_read_what_a_planted_commit_names(lake: Lake, outside: Path) -> None:
    planted = next_version(lake)
    version = int(planted.stem)
    record_release(lake, None, {**dict.fromkeys(TABLES, 0), TIME.name: version})
    planted.write_text(add("../../outside.parquet", outside.stat().st_size))
    with (
        open_session(lake) as session,
        pytest.raises(LakeError, match="not one of a file in the table's folder"),
    ):
        session.table("SELECT * FROM time")


@pytest.mark.engines
def test_an_engine_does_not_read_what_a_planted_commit_names(
    lake: Lake, outside: Path, spark: SparkSession
) -> None:
    assert read_frame(spark, lake.snapshot(TIME)).count() == 1
    next_version(lake).write_text(add("../../outside.parquet", outside.stat().st_size))
    with pytest.raises(LakeError, match="not one of a file in the table's folder"):
        read_frame(spark, lake.snapshot(TIME)).count()


def test_a_checkpoint_that_names_another_place_is_refused(lake: Lake, outside: Path) -> None:
    checkpoint = pa.Table.from_pylist(
        [{"add": {"path": "../../outside.parquet", "partitionValues": [], "size": 1}}],
        schema=pa.schema(
            {
                "add": pa.struct(
                    {
                        "path": pa.string(),
                        "partitionValues": pa.map_(pa.string(), pa.string()),
                        "size": pa.int64(),
                    }
                )
            }
        ),
    )  # fmt: skip
    pq.write_table(checkpoint, root(lake) / LOG / f"{0:020d}.checkpoint.parquet")
    (root(lake) / LOG / LAST_CHECKPOINT).write_text('{"version": 0, "size": 1}')
    with pytest.raises(LakeError, match="not one of a file in the table's folder"):
        Lake.at(str(anew(lake))).snapshot(TIME)


def anew(lake: Lake) -> Path:
    """The same lake by another name: this process knows nothing of it yet."""
    link = Path(f"{lake.location.uri}-again")
    link.symlink_to(lake.location.uri)
    return link


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("[" * 1_000_000 + "]" * 1_000_000, "nested too deeply"),
        ('{"add":' * 100_000 + "1" + "}" * 100_000, "nested too deeply"),
        ('{"txn": ' + "[" * 1_000_000 + "]" * 1_000_000 + "}", "nested too deeply"),
        ("[]", "is no action"),
        ("7", "is no action"),
        ("{}", "is no action"),
        ('{"add": {}, "remove": {}}', "is no action"),
        ('{"add": 7}', "an action without values"),
        ('{"add": {}}', "KeyError: 'path'|'path'"),
        ('{"add"', "no JSON that can be read"),
        ("\x00" * 100, "no JSON that can be read"),
        ('{"txn": {"appId": "a", "version": ' + "9" * 10_000 + "}}", "no JSON that can be read"),
        (add("a.parquet").replace('{\\"numRecords\\": 1}', "[" * 5000), "cannot be opened"),
    ],
)
def test_a_commit_that_is_none_is_told_with_the_way_out(
    lake: Lake, outside: Path, line: str, told: str
) -> None:
    del outside
    planted = next_version(lake)
    planted.write_text(line)
    with pytest.raises(LakeError, match=rf"cannot be opened: .*({told}).*restore|({told})"):
        lake.snapshot(TIME)
    with pytest.raises(LakeError, match="Restore the folder from a backup"):
        lake.snapshot_at(TIME, int(planted.stem))


@pytest.mark.parametrize("version", [-1, -(10**30), 10**18, 10**30, 99, True])
def test_a_pointer_to_no_checkpoint_costs_time_only(lake: Lake, version: int) -> None:
    put(lake, lake.snapshot(TIME), 1, "2018-11", [1])
    (root(lake) / LOG / LAST_CHECKPOINT).write_text(json.dumps({"version": version}))
    assert content(Lake.at(str(anew(lake)))) == [(11, 1)]


@pytest.mark.parametrize(
    "text",
    ["", "7", "[]", "{}", '{"version": null}', '{"version": 1e999}', "[" * 100_000,
     '{"version": ' + "9" * 10_000 + "}"],
)  # fmt: skip
def test_a_pointer_that_is_none_is_told_with_the_way_out(lake: Lake, text: str) -> None:
    (root(lake) / LOG / LAST_CHECKPOINT).write_text(text)
    with pytest.raises(LakeError, match=r"_last_checkpoint names no version .*remove it"):
        Lake.at(str(anew(lake))).snapshot(TIME)


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        "7",
        '{"number": 1, "recorded_at": 1, "versions": {"time": 1e999}}',
        '{"number": 1, "recorded_at": 1, "versions": {"time": {}}}',
        '{"number": 1, "recorded_at": 1, "versions": ["time"]}',
        '{"number": 1, "recorded_at": 1, "versions": {"time": ' + "9" * 10_000 + "}}",
    ],
)
def test_a_release_that_is_none_is_told_with_the_way_out(lake: Lake, text: str) -> None:
    objects(lake.location.join(RELEASES)).put(f"{1:020d}.json", text.encode())
    with pytest.raises(LakeError, match=r"is no release .*restore it from a backup, or remove it"):
        last_release(lake)


@pytest.mark.parametrize("version", [-1, -(10**30), 10**30])
def test_a_release_of_a_version_that_cannot_be_is_told(lake: Lake, version: int) -> None:
    release = record_release(lake, None, {TIME.name: version})
    assert last_release(lake) == release
    with pytest.raises(LakeError, match=f"version {version} is no longer there"):
        lake.snapshot_at(TIME, version)


def test_a_release_with_tables_of_other_names_opens_the_declared_ones_only(lake: Lake) -> None:
    put(lake, lake.snapshot(TIME), 1, "2018-11", [1])
    versions = {table.name: lake.snapshot(table).version for table in TABLES.values()}
    names = ["../../outside", "/etc", 'x"; DROP VIEW plays; --', "s3://other/x", ""]
    hostile = Release(1, 1, {**versions, **dict.fromkeys(names, 0)})
    text = json.dumps(dataclasses.asdict(hostile))
    objects(lake.location.join(RELEASES)).put(f"{1:020d}.json", text.encode())
    with open_session(lake) as session:
        assert session.table("SELECT * FROM time").num_rows == 1
        shown = str(session.table("SHOW TABLES").to_pylist())
    assert "time" in shown
    assert not [name for name in names if name and name in shown]


# Removing.


def test_what_a_link_in_a_table_leads_to_is_not_removed(lake: Lake, outside: Path) -> None:
    folder = outside.parent / "elsewhere"
    folder.mkdir()
    kept = folder / "part.parquet"
    outside.rename(kept)
    long_ago = kept.stat().st_mtime
    (root(lake) / "year=2017").symlink_to(folder)
    planted = root(lake) / "year=2018/orphan.parquet"
    planted.write_bytes(b"x")
    os.utime(planted, (long_ago, long_ago))
    done = vacuum(lake, TIME, grace_hours=0)
    assert done.orphans == ["year=2018/orphan.parquet"], "an old file of the table itself is"
    assert kept.is_file()


# Objects that would be made while something is read.


class Planted:
    """Writes a file when it is unpickled."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return Path.write_text, (self.target, "ran")


@pytest.mark.engines
def test_a_part_whose_schema_names_a_python_type_makes_no_object(
    lake: Lake, spark: SparkSession, tmp_path: Path
) -> None:
    target = tmp_path / "ran"
    pickled = pickle.dumps(Planted(target))
    pickle.loads(pickled)  # noqa: S301 -- it would run
    assert target.read_text() == "ran"
    target.unlink()

    put(lake, lake.snapshot(TIME), 1, "2018-11", [1])
    stored = lake.snapshot(TIME).parts[0]
    part = root(lake) / stored.path
    rows = pq.ParquetFile(part).read()
    fields = [
        field.with_metadata(
            {
                b"ARROW:extension:name": b"arrow.py_extension_type",
                b"ARROW:extension:metadata": pickled,
            }
        )
        for field in rows.schema
    ]
    schema = pa.schema(fields, {b"pandas": pickled, b"PANDAS_ATTRS": pickled})
    pq.write_table(rows.cast(schema), part)
    commit = root(lake) / LOG / f"{1:020d}.json"
    sizes = f'"size":{stored.size}', f'"size":{part.stat().st_size}'
    commit.write_text(commit.read_text().replace(*sizes))
    written = (pq.ParquetFile(part).metadata.metadata or {})[b"ARROW:schema"]
    assert pickled in base64.b64decode(written), "it is in the file"
    found = lake.snapshot(TIME)
    assert found.read().num_rows == 1
    assert found.dataset().to_table().to_pandas().shape[0] == 1
    assert read_frame(spark, found).count() == 1
    versions = {table.name: lake.snapshot(table).version for table in TABLES.values()}
    record_release(lake, None, versions)
    with open_session(lake) as session:
        assert session.table("SELECT * FROM time").num_rows == 1
    assert not target.exists()


def test_a_table_may_itself_be_a_link(lake: Lake, tmp_path: Path) -> None:
    """Whoever sets a lake up may put a table on another disk."""
    put(lake, lake.snapshot(TIME), 1, "2018-11", [1])
    root(lake).rename(tmp_path / "other-disk")
    root(lake).symlink_to(tmp_path / "other-disk")
    assert content(lake) == [(11, 1)]
    assert objects(Location(str(root(lake)))).list()
