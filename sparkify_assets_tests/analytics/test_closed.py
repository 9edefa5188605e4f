"""Attempts to reach by SQL what is not in the lake; test_session.py has the plain ones.

None may give a row. Each is refused with words that tell why, and the session is as good as before.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from sparkify_assets.analytics.session import Session
from sparkify_assets.analytics.statement import QueryError
from sparkify_assets.cli.output import harmless

SECRET = "SECRETSECRETINAFILE"  # noqa: S105 -- nobody's

# {file} is a CSV file with one line, {folder} the folder of it.
FILES = [
    "SELECT * FROM '{file}' AS f",
    "FROM '{file}'",
    "TABLE '{file}'",
    "SELECT * FROM songs, '{file}'",
    "SELECT * FROM songs JOIN '{file}' f ON true",
    "SELECT * FROM songs LEFT JOIN LATERAL (FROM '{file}') ON true",
    "SELECT * FROM songs POSITIONAL JOIN '{file}'",
    "SELECT title FROM songs WHERE title IN (FROM '{file}')",
    "SELECT (SELECT any_value(f) FROM '{file}' f)",
    "SELECT 1 ORDER BY (SELECT count(*) FROM '{file}')",
    "SELECT 1 LIMIT (SELECT count(*) FROM '{file}')",
    "SELECT title FROM songs QUALIFY (SELECT true FROM '{file}')",
    "SELECT title FROM songs GROUP BY ALL HAVING (SELECT true FROM '{file}')",
    "SELECT 1 UNION ALL FROM '{file}'",
    "SELECT 1 EXCEPT FROM '{file}'",
    "WITH a AS MATERIALIZED (FROM '{file}') FROM a",
    "WITH RECURSIVE a AS (SELECT 'x' AS c UNION ALL FROM '{file}') FROM a",
    'SELECT * FROM (WITH "{file}" AS (SELECT 1) FROM "{file}"), "{file}"',
    "DESCRIBE '{file}'",
    "SUMMARIZE '{file}'",
    "DESCRIBE FROM '{file}'",
    "PIVOT '{file}' ON column0 IN ('a')",
    "UNPIVOT '{file}' ON COLUMNS(*)",
    "EXPLAIN FROM '{file}'",
    "EXPLAIN (FORMAT json) FROM '{file}'",
    "SELECT * FROM '{folder}/*.csv'",
    "SELECT * FROM '{folder}/**'",
    "SELECT * FROM 'file://{file}'",
    "SELECT * FROM 'file:{file}'",
    "SELECT * FROM '//{file}'",
    "SELECT * FROM '{folder}/../{name}/secret.csv'",
    "SELECT * FROM '/proc/self/environ'",
    "SELECT * FROM '/dev/stdin'",
    "SELECT * FROM 's3://bucket/key.parquet'",
    "SELECT * FROM 'hf://datasets/x/y.csv'",
    "SELECT * FROM 'lake://songs/0.parquet'",
    "SELECT * FROM 'lake://../../{file}'",
    "FROM read_csv_auto('{file}')",
    "FROM read_csv(['{file}'], delim = '\\x01', header = false)",
    "FROM read_json('{file}')",
    "FROM read_json_auto('{file}', format = 'unstructured')",
    "FROM read_json_objects('{file}')",
    "FROM read_ndjson('{file}')",
    "FROM read_ndjson_objects('{file}')",
    "FROM read_ndjson_auto('{file}')",
    "FROM parquet_scan('{file}')",
    "FROM parquet_schema('{file}')",
    "FROM parquet_file_metadata('{file}')",
    "FROM parquet_kv_metadata('{file}')",
    "FROM parquet_bloom_probe('{file}', 'a', 1)",
    "FROM READ_TEXT('{file}')",
    "FROM \"read_text\"('{file}')",
    "FROM system.main.read_text('{file}')",
    "FROM main.read_text('{file}')",
    "FROM/**/read_text/**/('{file}')",
    "FROM read_text(--\n'{file}')",
    "/* FROM songs */ FROM read_text('{file}') -- FROM songs",
    "SELECT * FROM read_text('/etc/' || 'passwd')",
    "SELECT * FROM songs, LATERAL read_text('{file}')",
    "SELECT unnest((SELECT list(content) FROM read_text('{file}')))",
    "SELECT list_transform([1], lambda x: (SELECT content FROM read_text('{file}')))",
    "SELECT CASE WHEN true THEN (SELECT content FROM read_text('{file}')) END",
    "SELECT {{'a': (SELECT content FROM read_text('{file}'))}}",
    "SELECT sum(1) FILTER (WHERE (SELECT true FROM read_text('{file}')))",
    "SELECT row_number() OVER (ORDER BY (SELECT size FROM read_text('{file}')))",
    "SELECT * FROM (VALUES ((SELECT content FROM read_text('{file}'))))",
    "FROM query('FROM read_text(''{file}'')')",
    "FROM query_table(['{file}'])",
    "FROM query_table('songs')",
    "FROM histogram('{file}', column0)",
    "FROM histogram_values('{file}', column0)",
    "FROM glob('{folder}/*')",
    "SELECT * FROM read_blob('{file}'), songs",
    "FROM sqlite_scan('{file}', 'x')",
    "FROM iceberg_scan('{folder}')",
    "FROM delta_scan('{folder}')",
    "FROM postgres_scan('host=127.0.0.1', 'public', 'x')",
    "FROM read_duckdb('{file}')",
    "FROM ｒｅａｄ＿ｔｅｘｔ('{file}')",
    "FROM re\u0430d_text('{file}')",  # a Cyrillic letter
    "ＦＲＯＭ '{file}'",
]
SETTINGS = [
    "SELECT * FROM (WITH pg_settings AS (SELECT 1) FROM pg_settings), pg_settings",
    "SELECT * FROM (WITH PG_Settings AS (SELECT 1) FROM pg_settings), pg_settings",
    "SELECT 1 WHERE EXISTS (WITH pg_settings AS (SELECT 1) FROM pg_settings) "
    "UNION ALL SELECT count(*) FROM pg_settings",
    "SELECT * FROM (WITH duckdb_logs AS (SELECT 1) FROM duckdb_logs), duckdb_logs",
    "SELECT * FROM (WITH sqlite_master AS (SELECT 1) FROM sqlite_master), sqlite_master",
    "FROM histogram('pg_settings', setting)",
    "FROM histogram_values('pg_settings', setting)",
    "FROM histogram_values('parts.songplays', song)",
    "FROM duckdb_secret_types()",
    "FROM which_secret('s3://bucket', 's3')",
    "FROM duckdb_extensions()",
    "FROM duckdb_databases()",
    "FROM duckdb_variables()",
    "FROM duckdb_memory()",
    "FROM duckdb_temporary_files()",
    "FROM duckdb_prepared_statements()",
    "FROM duckdb_log_contexts()",
    "FROM pragma_database_size()",
    "FROM pragma_storage_info('songs')",
    "FROM pragma_user_agent()",
    "FROM pg_catalog.pg_prepared_statements",
    "FROM system.main.duckdb_logs",
    "SELECT list_transform(['temp_directory'], lambda x: current_setting(x))",
    "SELECT 'temp_directory'.current_setting()",
    "SELECT system.main.current_setting('temp_directory')",
    "SELECT \"CURRENT_SETTING\"('temp_directory')",
    "SELECT [current_setting(x) FOR x IN ['temp_directory']]",
    "SELECT title FROM songs ORDER BY current_setting('temp_directory')",
    "SELECT getenv('AWS_SECRET_ACCESS_KEY')",
    "SELECT system.getenv('HOME')",
    "SELECT pg_sleep(1)",
    "SHOW SETTINGS",
]
STATEMENTS = [
    "CREATE TEMP MACRO f() AS TABLE FROM read_text('{file}')",
    "CREATE OR REPLACE TEMP VIEW songs AS FROM read_text('{file}')",
    "CREATE PERSISTENT SECRET s (TYPE s3, KEY_ID 'a', SECRET 'b')",
    "CREATE TYPE t AS ENUM (SELECT content FROM read_text('{file}'))",
    "DROP SECRET s",
    "ATTACH 'https://example.org/x.db' AS x (READ_ONLY)",
    "ATTACH DATABASE '{file}' (TYPE sqlite)",
    "DETACH memory",
    "COPY songs FROM '{file}'",
    "COPY (FROM songs) TO '{folder}/out.parquet' (FORMAT parquet, OVERWRITE true)",
    "COPY FROM DATABASE memory TO other",
    "EXPORT DATABASE '{folder}/out' (FORMAT parquet)",
    "IMPORT DATABASE '{folder}'",
    "INSTALL spatial FROM community",
    "FORCE INSTALL 'https://example.org/x.duckdb_extension'",
    "LOAD '{folder}/x.duckdb_extension'",
    "UPDATE EXTENSIONS",
    "SET enable_external_access = true",
    "SET lock_configuration = false",
    "SET VARIABLE x = (SELECT content FROM read_text('{file}'))",
    "RESET enable_external_access",
    "PRAGMA enable_profiling = 'json'",
    "PRAGMA profiling_output = '{folder}/out.json'",
    "PRAGMA import_database('{folder}')",
    "CALL pragma_version()",
    "CALL force_checkpoint()",
    "CHECKPOINT memory",
    "COMMENT ON VIEW songs IS 'x'",
    "ALTER VIEW songs RENAME TO x",
    "PREPARE p AS FROM read_text($1)",
    "EXECUTE p('{file}')",
    "DEALLOCATE p",
    "EXPLAIN ANALYZE PREPARE p AS SELECT 1",
    "EXPLAIN ANALYZE SET threads = 1",
    "EXPLAIN ANALYZE INSTALL httpfs",
    "EXPLAIN EXPLAIN SELECT 1; COPY (SELECT 1) TO '{folder}/out.csv'",
    "SELECT 1;;; FROM read_text('{file}')",
    "SELECT 1 /* ; */ ; -- \n DROP VIEW plays",
    "SELECT 1\uff1b DROP VIEW plays",
    "SELECT $$x$$; COPY (SELECT 1) TO '{folder}/out.csv'",
    "MERGE INTO songs USING songs s ON true WHEN MATCHED THEN DELETE",
    "WITH a AS (MERGE INTO songs USING songs s ON true WHEN MATCHED THEN DELETE RETURNING 1) "
    "FROM a",
    "SELECT nextval('x')",
    "SELECT currval('x')",
    "FROM python_map_function(1)",
    "FROM arrow_scan(1, 2, 3)",
    "FROM arrow_scan_dumb(1, 2, 3)",
    "FROM seq_scan('songs')",
    "FROM test_all_types()",
    "FROM secret_of_the_test",
]  # fmt: skip
DEEP = [
    "SELECT " + "(" * 100_000 + "1" + ")" * 100_000,
    "SELECT " + "[" * 700 + "]" * 700,
    "SELECT " + "+".join("1" * 700),
    "SELECT " + "+".join("1" * 100_000),
    "SELECT " + "NOT " * 100_000 + "true",
    "SELECT " + "-" * 2 + "\n" + "- " * 100_000 + "1",
    "SELECT * FROM " + "(FROM " * 20_000 + "songs" + ")" * 20_000,
    "SELECT " + "CASE WHEN true THEN " * 5_000 + "1" + " END" * 5_000,
    "SELECT '" + "x" * 1_000_000,
    "/*" * 100_000,
]


@pytest.fixture
def planted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a file that holds a secret, and a variable that does."""
    folder = tmp_path / "planted"
    folder.mkdir()
    (folder / "secret.csv").write_text(f"{SECRET},b\n")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    return folder


@pytest.mark.parametrize("sql", [*FILES, *SETTINGS, *STATEMENTS])
def test_an_attempt_is_refused_and_nothing_was_done(
    session: Session, planted: Path, sql: str
) -> None:
    secret_of_the_test = [{"a": SECRET}]  # a variable that DuckDB could find
    assert secret_of_the_test
    text = sql.format(file=planted / "secret.csv", folder=planted, name=planted.name)
    with pytest.raises(QueryError) as refused:
        session.table(text)
    assert str(refused.value)
    assert SECRET not in str(refused.value)
    assert [path.name for path in planted.iterdir()] == ["secret.csv"]
    assert session.table("SELECT count(*) AS n FROM plays").to_pylist() == [{"n": 5}]


def test_a_name_like_that_of_a_file_is_the_names_and_not_the_files(
    session: Session, planted: Path
) -> None:
    file = planted / "secret.csv"
    sql = f"WITH \"{file}\" AS (SELECT 1 AS a) SELECT a FROM '{file}'"
    assert session.table(sql).to_pylist() == [{"a": 1}]


@pytest.mark.parametrize("sql", DEEP, ids=range(len(DEEP)))
def test_what_is_too_deep_is_refused_and_does_not_end_the_process(
    session: Session, sql: str
) -> None:
    with pytest.raises(QueryError):
        session.table(sql)
    assert session.table("SELECT 1 AS a").to_pylist() == [{"a": 1}]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 'FROM read_text(''/etc/passwd'')' AS text",
        "SELECT title AS \"read_text('/etc/passwd')\" FROM songs",
        "-- COPY songs TO 'x'\nFROM songs",
        "/* ATTACH 'x' */ SELECT 1 /* ; */",
        "WITH settings AS (SELECT 1 AS a) FROM settings",
        "WITH columns AS (SELECT 1 AS a), tables AS (FROM columns) FROM tables",
        "WITH a AS (SELECT 1 AS x) SELECT * FROM (WITH b AS (FROM a) FROM b), a",
        "SELECT 1 AS current_setting, 2 AS getenv",
        "SELECT histogram(title) FROM songs",
        "SELECT $$; DROP VIEW plays$$ AS text",
        "SELECT list_transform([1, 2], lambda x: x + 1) AS l",
        "SELECT json_extract('{\"a\": 1}', '$.a') AS a",
        "SELECT * FROM generate_series(1, 3)",
        "SELECT " + "(" * 200 + "1" + ")" * 200,
        "SELECT '" + "x" * 1_000_000 + "'",
        " UNION ALL ".join(["SELECT 1"] * 100),
    ],
)
def test_what_only_looks_like_an_attempt_is_allowed(session: Session, sql: str) -> None:
    assert session.table(sql).num_rows > 0


def test_an_error_shows_a_hostile_name_without_codes_for_the_terminal(session: Session) -> None:
    with pytest.raises(QueryError) as refused:
        session.table('FROM "\x1b]0;title\x07\u202e"')
    assert "\x1b" not in harmless(str(refused.value))
