"""SQL over a release: what it can read, what it reads for that, and what it cannot do."""

from __future__ import annotations

import _thread
import threading
import time
from pathlib import Path

import pyarrow as pa
import pytest

from sparkify_assets.analytics.relations import RELATIONS
from sparkify_assets.analytics.session import Limits, QueryFailed, Session, open_session
from sparkify_assets.analytics.statement import QueryError
from sparkify_assets.lake.commit import Stamp, replace
from sparkify_assets.lake.lake import Lake
from sparkify_assets.lake.parts import write_parts
from sparkify_assets.lake.release import last_release, newest_release, record_release
from sparkify_assets.refresh.run import refresh
from sparkify_assets.storage.requests import GET, REQUESTS
from sparkify_assets.tables import SONGPLAYS, TABLES, Table
from sparkify_assets_tests.refresh.world import World
from sparkify_assets_tests.zone import event

ENDLESS = "SELECT count(*) FROM range(1000000) a, range(1000000) b, range(1000000) c"


@pytest.mark.parametrize("name", RELATIONS)
def test_every_relation_has_the_columns_and_types_that_are_declared(
    session: Session, name: str
) -> None:
    assert session.table(f'SELECT * FROM "{name}"').schema == RELATIONS[name].schema


@pytest.mark.parametrize("name", RELATIONS)
def test_an_empty_lake_answers_with_the_same_columns(lake: Lake, name: str) -> None:
    record_release(lake, None, dict.fromkeys(TABLES, 0))
    with open_session(lake) as session:
        found = session.table(f'SELECT * FROM "{name}"')
    assert found.num_rows == 0
    assert found.schema == RELATIONS[name].schema


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_parts_have_the_order_of_the_declaration_with_and_without_columns_that_lack(
    session: Session, lake: Lake, table: Table
) -> None:
    record_release(lake, None, dict.fromkeys(TABLES, 0))
    wanted = [*table.names, *(["year_month"] if table.monthly else [])]
    with open_session(lake) as empty:  # reads what has no part with all columns
        for one in (session, empty):
            one.table(f"SELECT count(*) FROM {table.name}")
            described = one._sql.execute(f'DESCRIBE parts."{table.name}"').fetchall()
            assert [name for name, *_ in described] == wanted


@pytest.mark.parametrize("table", TABLES)
def test_tables_have_the_rows_of_the_release(session: Session, table: str) -> None:
    (row,) = session.table(f"SELECT count(*) AS n FROM {table}").to_pylist()
    assert row["n"] == session.snapshot(table).rows  # no raw row here is a dead one


def test_plays_show_what_was_matched_and_else_what_was_heard(session: Session) -> None:
    rows = session.table(
        "SELECT month, day::VARCHAR AS day, weekday, hour, week, first_name, song, artist, matched "
        "FROM plays WHERE user_id = '1' ORDER BY start_time"
    ).to_pylist()
    assert [tuple(row.values()) for row in rows] == [
        ("2018-11", "2018-11-05", 1, 10, "2018-W45", "Lily", "Setanta matins", "Elena", True),
        ("2018-11", "2018-11-05", 1, 10, "2018-W45", "Lily", "Undo", "Björk", False),
        ("2018-12", "2018-12-06", 4, 10, "2018-W49", "Lily", "Setanta matins", "Elena", True),
        ("2018-12", "2018-12-06", 4, 10, "2018-W49", "Lily", 'It\'s | "new"', "Nobody", False),
    ]


def test_sessions_and_changes_of_level(session: Session) -> None:
    rows = session.table(
        "SELECT session_id, plays, round(minutes, 2) AS minutes, level FROM sessions "
        "ORDER BY session_id"
    ).to_pylist()
    assert [tuple(row.values()) for row in rows] == [
        (1, 2, 6.01, "free"),
        (2, 1, 4.49, "paid"),
        (3, 2, 14.49, "paid"),
    ]
    (change,) = session.table(
        "SELECT user_id, strftime(changed_at, '%Y-%m-%d %H:%M') AS at, month, level_before, "
        "level, change, "
        "strftime(last_play_before, '%Y-%m-%d %H:%M') AS before FROM levels"
    ).to_pylist()
    assert tuple(change.values()) == (
        "1", "2018-12-06 10:00", "2018-12", "free", "paid", "upgrade", "2018-11-05 10:05"
    )  # fmt: skip


@pytest.mark.parametrize(
    ("condition", "parameters"),
    [
        ("plays WHERE month = '2018-12'", None),
        ("plays WHERE month > '2018-11'", None),
        ("plays WHERE month IN ('2018-12', '2018-09')", None),
        ("plays WHERE $m IS NULL OR month = $m", {"m": "2018-12"}),
        ("songplays WHERE year = 2018 AND month = 12", None),
        ("songplays WHERE $m IS NULL OR (year = $m[:4]::INT AND month = $m[6:]::INT)",
         {"m": "2018-12"}),
    ],
)  # fmt: skip
def test_a_filter_on_month_reads_that_month_only(
    session: Session, condition: str, parameters: dict[str, str] | None
) -> None:
    assert session.table(f"SELECT song FROM {condition}", parameters).num_rows == 2
    sql = f"EXPLAIN ANALYZE SELECT song FROM {condition}"
    assert "Scanning Files: 1/2" in str(session.table(sql, parameters).to_pylist())


def test_only_the_columns_that_are_asked_for_are_read(lake: Lake) -> None:
    rows = 200_000
    values = {
        column.name: pa.nulls(rows, column.type)
        if column.nullable
        else pa.array([2018 if column.name == "year" else 11] * rows).cast(column.type)
        for column in SONGPLAYS.columns
    }
    values["user_agent"] = pa.array([str(hash((n, "agent"))) for n in range(rows)])
    values["length"] = pa.array([float(n) for n in range(rows)])
    table = pa.table([values[name] for name in SONGPLAYS.names], schema=SONGPLAYS.plain_schema)
    location = lake.table_location(SONGPLAYS)
    written = write_parts(table.to_batches(), SONGPLAYS, location).parts
    replace(lake, lake.snapshot(SONGPLAYS), written, {"2018-11": Stamp(1)})
    record_release(lake, None, {t.name: lake.snapshot(t).version for t in TABLES.values()})
    with open_session(lake) as session:
        session.table("SELECT sum(length) FROM songplays")
        one = session.files.bytes_read
        session.table("SELECT max(user_agent), sum(length) FROM songplays")
        both = session.files.bytes_read - one
    size = lake.snapshot(SONGPLAYS).size
    assert 0 < one < 0.5 * both
    assert both > 0.8 * size


def test_only_the_tables_that_a_statement_names_are_opened(session: Session) -> None:
    session.table("WITH songplays AS (SELECT 1 AS a) SELECT title FROM songs")
    opened = {name for name in TABLES if set(session.files.opened) & paths(session, name)}
    assert opened <= {"songs", "songplays"}
    assert "songs" in opened


def paths(session: Session, name: str) -> set[str]:
    return {part.path for part in session.snapshot(name).parts}


@pytest.mark.parametrize(
    "sql",
    [
        "COPY (SELECT 1) TO '{folder}/written.csv'",
        "EXPLAIN ANALYZE COPY (SELECT 1) TO '{folder}/written.csv'",
        "EXPORT DATABASE '{folder}/written'",
        "ATTACH '{folder}/written.db'",
        "ATTACH ':memory:' AS other",
        "INSTALL httpfs",
        "LOAD json",
        "SET threads = 1",
        "SET GLOBAL memory_limit = '100GB'",
        "RESET threads",
        "PRAGMA database_list",
        "PRAGMA threads = 3",
        "CALL enable_logging(storage = 'file', storage_path = '{folder}/written')",
        "FROM enable_logging(storage = 'file', storage_path = '{folder}/written')",
        "SELECT * FROM checkpoint()",
        "CREATE TABLE x AS SELECT 1",
        "CREATE OR REPLACE VIEW plays AS SELECT 1",
        "CREATE MACRO plus(a) AS a + 1",
        "CREATE SECRET (TYPE s3)",
        "DROP VIEW plays",
        "INSERT INTO songs VALUES (1)",
        "UPDATE songs SET title = ''",
        "DELETE FROM songs",
        "TRUNCATE songs",
        "BEGIN",
        "USE memory",
        "PREPARE p AS SELECT 1",
        "EXECUTE p",
        "VACUUM",
        "SELECT 1; SELECT 2",
        "SELECT 1; DROP VIEW plays",
        "/* SELECT 1 */ DROP VIEW plays",
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM read_text('/etc/passwd')",
        "SELECT * FROM read_blob('/etc/passwd')",
        "SELECT * FROM read_parquet('lake://songplays')",
        "SELECT * FROM parquet_metadata('{part}')",
        "SELECT * FROM read_parquet('{part}')",
        "SELECT * FROM '/etc/passwd'",
        'SELECT * FROM "/etc/passwd"',
        "SELECT * FROM '{part}'",
        "SELECT * FROM 'https://example.org/x.csv'",
        "SELECT * FROM glob('/etc/*')",
        "SELECT * FROM sniff_csv('/etc/passwd')",
        "SELECT * FROM query('COPY (SELECT 1) TO ''{folder}/written.csv''')",
        "SELECT * FROM query_table('/etc/passwd')",
        "SELECT * FROM json_execute_serialized_sql('x')",
        "SELECT * FROM python_arrow_scan(1, 2, 3)",
        "SELECT * FROM pandas_scan(1)",
        "SELECT * FROM duckdb_settings()",
        "SELECT * FROM duckdb_secrets()",
        "SELECT * FROM duckdb_logs",
        "SELECT * FROM (SELECT * FROM (SELECT * FROM duckdb_settings()))",
        "SELECT 1 WHERE EXISTS (FROM read_text('/etc/passwd'))",
        "SELECT current_setting('temp_directory')",
        "SELECT current_setting('t' || 'hreads') FROM songs",
        "SELECT getenv('HOME')",
        "SELECT getvariable('x')",
        "SELECT write_log('x')",
        "SELECT * FROM small_lake",
        "WITH x AS (DELETE FROM sessions RETURNING *) FROM x",
        "WITH x AS (INSERT INTO songs VALUES (1) RETURNING *) FROM x",
        "WITH x AS (UPDATE songs SET title = '' RETURNING *) FROM x",
        "WITH x AS (COPY (SELECT 1) TO '{folder}/written.csv') SELECT 1",
        "SELECT * FROM (WITH x AS (COPY (SELECT 1) TO '{folder}/written.csv') SELECT 1)",
        "EXPLAIN ANALYZE WITH x AS (COPY (SELECT 1) TO '{folder}/written.csv') SELECT 1",
        "SELECT * FROM pg_catalog.pg_settings",
        "SELECT * FROM pg_settings",
        "SELECT * FROM parts.songplays",
        "SELECT * FROM memory.parts.songplays",
        "SELECT * FROM 'lake://songplays/1/year_month=2018-11/year=2018/month=11/0.parquet'",
        "",
        "   ;",
        "SELEC 1",
    ],
)
def test_whatever_does_more_than_read_the_lake_is_refused(
    session: Session, small_lake: Lake, tmp_path: Path, sql: str
) -> None:
    part = small_lake.snapshot(SONGPLAYS).parts[0].path
    before = set(tmp_path.iterdir())
    text = sql.format(folder=tmp_path, part=f"{small_lake.table_location(SONGPLAYS).uri}/{part}")
    with pytest.raises(QueryError) as refused:
        session.table(text)
    assert str(refused.value)
    assert set(tmp_path.iterdir()) == before
    assert session.table("SELECT count(*) AS n FROM plays").to_pylist() == [{"n": 5}]


def test_where_views_are_kept_they_cannot_be_changed_and_a_look_makes_none(
    small_lake: Lake,
) -> None:
    with open_session(small_lake, keep=True) as session:
        assert "sessions" in str(session.table("SHOW TABLES").to_pylist())
        session.table("DESCRIBE sessions")
        assert "TABLE" not in session._open.values()
        count = "SELECT count(*) AS n FROM sessions"
        assert session.table(count).to_pylist() == [{"n": 3}]
        assert session._open["sessions"] == "TABLE"
        for sql in ("DELETE FROM sessions", "WITH x AS (DELETE FROM sessions RETURNING *) FROM x"):
            with pytest.raises(QueryError, match="refused: DELETE"):
                session.table(sql)
        assert session.table(count).to_pylist() == [{"n": 3}]


def test_a_file_in_the_folder_for_spilling_is_neither_written_nor_read(session: Session) -> None:
    spill = Path(session._spill)
    (spill / "planted.csv").write_text("a\n1\n")
    for sql in (
        f"WITH x AS (COPY (SELECT 1) TO '{spill}/o.csv') SELECT 1",
        f"FROM '{spill}/planted.csv'",
        f"SELECT * FROM read_csv('{spill}/planted.csv')",
    ):
        with pytest.raises(QueryError):
            session.table(sql)
    assert [path.name for path in spill.iterdir()] == ["planted.csv"]


def test_only_the_time_of_the_query_itself_counts(small_lake: Lake) -> None:
    with (
        open_session(small_lake, limits=Limits(seconds=0.5)) as session,
        session.reader("SELECT * FROM range(100000)") as reader,
    ):
        rows = reader.read_next_batch().num_rows
        time.sleep(0.7)
        assert rows + sum(batch.num_rows for batch in reader) == 100_000


def test_what_reads_is_allowed(session: Session) -> None:
    for sql in (
        "FROM songs",
        "VALUES (1)",
        "SHOW TABLES",
        "DESCRIBE plays",
        "SUMMARIZE songs",
        "EXPLAIN SELECT * FROM plays",
        "EXPLAIN ANALYZE SELECT * FROM plays",
        "PIVOT plays ON level IN ('free', 'paid') USING count(*) GROUP BY month",
        "SELECT unnest(range(3)), * FROM generate_series(1, 2)",
        "WITH RECURSIVE t(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM t WHERE i < 3) FROM t",
        "SELECT table_name FROM information_schema.tables",
        "-- a comment; with a semicolon\nSELECT ';' AS text;",
        "SELECT strftime(start_time, '%A'), date_trunc('week', start_time) FROM songplays",
    ):
        assert session.table(sql).num_rows > 0, sql
    names = {row["name"] for row in session.table("SHOW TABLES").to_pylist()}
    assert names == set(RELATIONS)


def test_a_query_that_takes_too_long_is_stopped(small_lake: Lake) -> None:
    with open_session(small_lake, limits=Limits(seconds=0.3)) as session:
        started = time.monotonic()
        with pytest.raises(QueryFailed, match=r"stopped after 0\.3 s; .*SPARKIFY_QUERY_SECONDS"):
            session.table(ENDLESS)
        assert time.monotonic() - started < 10
        with pytest.raises(QueryFailed, match="stopped after"):
            session.table("SELECT * FROM range(1000000000000)")
        assert session.table("SELECT 1 AS a").num_rows == 1


def test_a_query_that_needs_too_much_memory_is_refused_and_the_session_lives(
    small_lake: Lake,
) -> None:
    with open_session(small_lake, limits=Limits(memory_gb=0.1)) as session:
        with pytest.raises(QueryFailed, match=r"more than 0\.1 GiB .*SPARKIFY_QUERY_MEMORY_GB"):
            session.table("SELECT list(i) FROM range(1000000000) t(i)")
        assert session.table("SELECT count(*) AS n FROM plays").to_pylist() == [{"n": 5}]


def test_big_sorts_go_to_the_disk_and_the_folder_is_gone_afterwards(small_lake: Lake) -> None:
    with open_session(small_lake, limits=Limits(memory_gb=0.2)) as session:
        spill = Path(session._spill)
        rows = session.table(
            "SELECT i FROM (SELECT i, row_number() OVER (ORDER BY hash(i), i::VARCHAR) AS n "
            "FROM range(8000000) t(i)) WHERE n = 3"
        )
        assert rows.num_rows == 1
        assert spill.is_dir()
    assert not spill.exists()


def test_ctrl_c_stops_the_query_and_not_the_session(session: Session) -> None:
    threading.Timer(0.5, _thread.interrupt_main).start()
    with pytest.raises(KeyboardInterrupt):
        session.table(ENDLESS)
    assert session.table("SELECT 1 AS a").num_rows == 1


def test_a_result_that_nobody_reads_to_its_end_is_given_up(session: Session) -> None:
    with session.reader("SELECT * FROM range(1000000000000)") as reader:
        assert reader.read_next_batch().num_rows > 0
    assert session.table("SELECT 1 AS a").num_rows == 1


def test_a_session_reads_its_release_whatever_is_committed(world: World) -> None:
    world.zone.logs("log_data/2018-11-05-events.json", event())
    world.run()
    with open_session(world.lake) as session:
        world.zone.logs("log_data/2018-11-05-events.json", event(), event(itemInSession=1))
        world.run()
        count = "SELECT count(*) AS n FROM plays"
        assert session.table(count).to_pylist() == [{"n": 1}]
        assert session.refresh()
        assert session.table(count).to_pylist() == [{"n": 2}]
        assert not session.refresh()


def test_a_release_that_was_cleaned_up_meanwhile_is_told(world: World) -> None:
    world.zone.logs("log_data/2018-11-05-events.json", event())
    world.run()
    with open_session(world.lake) as session:
        session.snapshot("songplays")
        world.zone.logs("log_data/2018-11-05-events.json", event(), event(itemInSession=1))
        refresh(world.settings(grace_hours=0))
        refresh(world.settings(grace_hours=0), rebuild=True)
        with pytest.raises(QueryFailed, match=r"is gone: release 1 .* was cleaned up .*ask again"):
            session.table("SELECT song FROM plays")


def test_parameters_are_values_and_never_sql(session: Session) -> None:
    rows = session.table("SELECT $a AS a", {"a": "'; DROP VIEW plays; --"}).to_pylist()
    assert rows == [{"a": "'; DROP VIEW plays; --"}]
    with pytest.raises(QueryError, match=r"parameters without a value: \$month"):
        session.table("SELECT $month")


def test_in_a_bucket_what_was_read_once_is_not_asked_for_again(s3_world: World) -> None:
    for month in ("2018-11", "2018-12"):
        s3_world.zone.logs(f"log_data/{month}-05-events.json", event(f"{month}-05"))
    s3_world.zone.song()
    s3_world.run()
    assert newest_release(s3_world.lake) == last_release(s3_world.lake)
    with open_session(s3_world.lake) as session:
        before = REQUESTS.made()
        sql = "SELECT song, artist, count(*) AS n FROM plays WHERE month = '2018-12' GROUP BY ALL"
        assert session.table(sql).to_pylist() == [
            {"song": "Setanta matins", "artist": "Elena", "n": 1}
        ]
        first = REQUESTS.since(before)
        # One look into each of two tables; a small part is one request.
        assert first[GET] <= 2 * 3 + 4
        before = REQUESTS.made()
        session.table(sql)
        assert REQUESTS.since(before) == {}
