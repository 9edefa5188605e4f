"""Lakes that this version does not know or that differ from it: told, and left as they are."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sparkify_assets.analytics.session import open_session
from sparkify_assets.cli.run import run_and_summarize
from sparkify_assets.errors import LakeError
from sparkify_assets.lake import lake as lakes
from sparkify_assets.lake import log
from sparkify_assets.lake.commit import checkpoint_newest
from sparkify_assets.lake.lake import Lake
from sparkify_assets.lake.release import newest_release, record_release
from sparkify_assets.lake.scan import scan_part
from sparkify_assets.lake.vacuum import vacuum
from sparkify_assets.maintenance.maintain import maintain
from sparkify_assets.refresh.report import get_status
from sparkify_assets.refresh.run import RunFailed, refresh
from sparkify_assets.tables import TABLES, TIME, USERS, Column
from sparkify_assets.tables.declaration import SMALL, TEXT, WHOLE
from sparkify_assets_tests.lake.helpers import content, put
from sparkify_assets_tests.refresh.world import World
from sparkify_assets_tests.yesterday.declared import declare
from sparkify_assets_tests.yesterday.old_lakes import LAKES, Yesterday
from sparkify_assets_tests.zone import event

_OUT = "use the version that wrote it, or set SPARKIFY_LAKE to another folder and run again"
_NEWEST = LAKES[-1]
Files = dict[Path, bytes]


@pytest.fixture
def known(unpacked: Callable[[Yesterday], World]) -> World:
    """A lake of the newest layout, with a new file in its landing zone."""
    world = unpacked(_NEWEST)
    world.zone.logs("log_data/2018/12/2018-12-20-events.json", event("2018-12-20 10:00"))
    return world


def files(world: World) -> Files:
    found = sorted(Path(world.lake.location.uri).rglob("*"))
    return {path: path.read_bytes() for path in found if path.is_file()}


def commit(world: World, table: str, *actions: dict[str, Any]) -> None:
    """A version of a table, as another writer of Delta tables would put it."""
    folder = Path(world.lake.location.uri, table, "_delta_log")
    newest = max(int(path.stem) for path in folder.glob("*.json"))
    text = "".join(json.dumps(action) + "\n" for action in actions)
    (folder / f"{newest + 1:020d}.json").write_text(text)


def check_refused(world: World, told: str) -> None:
    """Whoever writes says so, again when asked again, and no file is another one afterwards."""
    before = files(world)
    settings = world.settings()
    for attempt in (
        lambda: run_and_summarize(settings, rebuild=False, quiet=True),
        lambda: run_and_summarize(settings, rebuild=True, quiet=True),
        lambda: maintain(world.lake, 1, settings.months),
        world.lake.create_missing,
    ):
        with pytest.raises(LakeError, match=told) as refused:
            attempt()
        assert _OUT in str(refused.value)
    assert files(world) == before


def newer_schema(world: World, *more: dict[str, Any], **changed: Any) -> dict[str, Any]:
    """The metaData of the table time with more columns, or other ones of these names."""
    metadata = dict(world.lake.snapshot(TIME).state.metadata)
    schema = json.loads(metadata["schemaString"])
    fields = [{**field, **changed.get(field["name"], {})} for field in schema["fields"]]
    schema["fields"] = [*fields, *more]
    return {"metaData": {**metadata, "schemaString": json.dumps(schema), "configuration": {}}}


def test_a_column_that_is_not_known(known: World) -> None:
    added = {"name": "quarter", "type": "integer", "nullable": True, "metadata": {}}
    commit(known, "time", newer_schema(known, added))
    check_refused(known, r"time is not the table time .*columns that it does not know: .'quarter'")
    with pytest.raises(LakeError, match="does not know"):
        get_status(known.settings())


def test_a_table_that_is_not_known(known: World) -> None:
    folder = Path(known.lake.location.uri, "listeners", "_delta_log")
    folder.mkdir(parents=True)
    (folder / f"{0:020d}.json").write_text("{}\n")
    check_refused(known, "holds tables that this version of the project does not know: listeners")
    # A table of somebody else: no version of the project wrote it.
    check_refused(known, "move them out of this folder if they are not the project's, else use")
    Path(known.lake.location.uri, "listeners").rename(Path(known.lake.location.uri).parent / "away")
    known.run()
    assert len(known.rows("songplays")) == 8


def test_a_table_that_is_not_known_in_a_bucket(s3_world: World) -> None:
    s3_world.zone.logs("log_data/2018/12/a.json", event("2018-12-20 10:00"))
    s3_world.lake.create_missing()
    location = s3_world.lake.location.join("listeners")
    log.write_log(location, log.LogState(), [{"commitInfo": {}}])
    lakes._made.clear()  # as a process that begins
    versions = {name: s3_world.lake.snapshot(table).version for name, table in TABLES.items()}
    for attempt in (s3_world.lake.create_missing, lambda: maintain(s3_world.lake, 1, [])):
        with pytest.raises(LakeError, match="does not know: listeners"):
            attempt()
    assert versions == {n: s3_world.lake.snapshot(t).version for n, t in TABLES.items()}


def test_other_folders_in_a_lake_are_no_tables(known: World) -> None:
    Path(known.lake.location.uri, "_reports").mkdir(exist_ok=True)
    Path(known.lake.location.uri, "notes of somebody").mkdir()
    for hidden in (".cache", "_backup"):
        folder = Path(known.lake.location.uri, hidden, "_delta_log")
        folder.mkdir(parents=True)
        (folder / f"{0:020d}.json").write_text("{}\n")
    Path(known.lake.location.uri, "file").write_text("")
    known.run()
    assert len(known.rows("songplays")) == 8


@pytest.mark.parametrize(("reader", "writer"), [(2, 5), (3, 7)])
def test_a_protocol_that_is_not_known(known: World, reader: int, writer: int) -> None:
    commit(known, "users", {"protocol": {"minReaderVersion": reader, "minWriterVersion": writer}})
    told = f"users/_delta_log asks for Delta's reader version {reader}"
    check_refused(known, told)
    with pytest.raises(LakeError, match=told):
        get_status(known.settings())


@pytest.mark.parametrize("writer", [3, 7])
def test_a_newer_writer_version_refuses_writers_alone(known: World, writer: int) -> None:
    commit(known, "users", {"protocol": {"minReaderVersion": 1, "minWriterVersion": writer}})
    told = f"users/_delta_log asks for Delta's writer version {writer}"
    check_refused(known, told)
    (users,) = [table for table in get_status(known.settings()).tables if table.name == "users"]
    versions = {name: known.lake.snapshot(table).version for name, table in TABLES.items()}
    assert users.version == versions["users"]
    record_release(known.lake, newest_release(known.lake), versions)
    with open_session(known.lake) as session:
        assert session.snapshot("users").version == users.version
        assert session.table("SELECT * FROM users").num_rows == users.rows > 0
    with pytest.raises(RunFailed, match=told):  # by the first step of a Dagster run, too
        refresh(known.settings())
    assert versions == {n: known.lake.snapshot(table).version for n, table in TABLES.items()}


def test_a_newer_writer_version_refuses_the_next_step_of_the_same_process(s3_world: World) -> None:
    lake = s3_world.lake
    lake.create_missing()
    users = lake.snapshot(USERS)
    protocol = {"protocol": {"minReaderVersion": 1, "minWriterVersion": 7}}
    log.write_log(users.location, users.state, [protocol])
    with pytest.raises(LakeError, match="writer version 7"):
        lake.create_missing()


def test_a_newer_writer_version_removes_no_file_and_gets_no_checkpoint(lake: Lake) -> None:
    time = lake.snapshot(TIME)
    protocol = {"protocol": {"minReaderVersion": 1, "minWriterVersion": 7}}
    log.write_log(time.location, time.state, [protocol])
    for attempt in (lambda: vacuum(lake, TIME, 0), lambda: checkpoint_newest(lake, TIME)):
        with pytest.raises(LakeError, match="writer version 7"):
            attempt()


def test_what_another_version_adds_while_this_one_works_is_not_passed_over(lake: Lake) -> None:
    base = lake.snapshot(TIME)
    put(lake, base, 1, "2018-11", [1])
    folder = Path(lake.table_location(TIME).uri, "_delta_log")
    protocol = {"protocol": {"minReaderVersion": 1, "minWriterVersion": 7}}
    (folder / f"{2:020d}.json").write_text(json.dumps(protocol) + "\n")
    with pytest.raises(LakeError, match="writer version 7"):
        put(lake, base, 2, "2018-12", [1])
    assert len(list(folder.glob("*.json"))) == 3
    # Whoever reads goes on; whoever writes is refused also from what was seen last.
    assert lake.last_seen(TIME).version == 2
    with pytest.raises(LakeError, match="writer version 7"):
        put(lake, base, 2, "2018-12", [1])


_WEEKDAY = TIME.columns[-1]
_HOUR = TIME.columns[1]
_LEVEL = USERS.columns[-1]


@pytest.mark.parametrize(
    ("table", "columns", "told"),
    [
        (TIME, TIME.columns[:-1], r"does not know: \['weekday'\]"),
        (
            TIME,
            (*TIME.columns[:-1], replace(_WEEKDAY, type=TEXT)),
            r"other types: \['weekday'\]",
        ),
        (
            USERS,
            (*USERS.columns[:-1], replace(_LEVEL, nullable=False)),
            r"may be null there, but not here: \['level'\]",
        ),
        (
            TIME,
            (*TIME.columns, Column("quarter", SMALL, "Quarter.", nullable=False)),
            r"missing columns: \['quarter'\]",
        ),
    ],
    ids=["removed", "retyped", "made required", "added as required"],
)
def test_a_column_that_changed_otherwise(
    known: World, monkeypatch: pytest.MonkeyPatch, table: Any, columns: Any, told: str
) -> None:
    declare(monkeypatch, table, columns=columns)
    check_refused(known, told)


def test_another_partitioning(known: World, monkeypatch: pytest.MonkeyPatch) -> None:
    declare(monkeypatch, USERS, partition_by=("level",))
    check_refused(known, r"partitioned by nothing, declared \['level'\]")


def test_a_column_that_may_be_null_now_is_taken_in(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Everything that was written fits it; readers of Delta tables are told by the next commit."""
    put(lake, lake.snapshot(TIME), 1, "2018-11", [1])
    columns = (TIME.columns[0], replace(_HOUR, nullable=True), *TIME.columns[2:])
    declare(monkeypatch, TIME, columns=columns)
    put(lake, lake.snapshot(TIME), 1, "2018-12", [1])
    assert content(lake) == [(11, 1), (12, 1)]
    assert lake.snapshot(TIME).state.metadata["schemaString"] == TIME.delta_schema


def test_a_part_that_lacks_a_required_column_is_an_error(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The log may say that all is well; the file says what it has."""
    put(lake, lake.snapshot(TIME), 1, "2018-11", [1])
    (part,) = lake.snapshot(TIME).parts
    column = Column("spin", WHOLE, "Spin.", nullable=False)
    declare(monkeypatch, TIME, columns=(*TIME.columns, column))
    with pytest.raises(LakeError, match=r"part-.*parquet has no column spin, and every row needs"):
        list(scan_part(TIME, lake.table_location(TIME), part))
