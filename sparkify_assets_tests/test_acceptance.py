"""Real input: every figure that was counted independently (see SPARKIFY_REAL_DATA)."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import duckdb
import polars
import pytest
from deltalake import DeltaTable
from pyspark.sql import SparkSession

from sparkify_assets.lake.frames import read_frame
from sparkify_assets.lake.lake import Lake
from sparkify_assets.lake.snapshot import Snapshot
from sparkify_assets.tables import PUBLIC, SONGPLAYS, TABLES
from sparkify_assets_tests import processes
from sparkify_assets_tests.processes import all_versions, tables
from sparkify_assets_tests.zone import ts

pytestmark = pytest.mark.engines


@pytest.fixture(scope="module")
def loaded(
    real_data: Path, engine: str, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Any]:
    """The lake made of the real input by the engine under test, and the run's summary."""
    lake = tmp_path_factory.mktemp("real") / "lake"
    return lake, processes.run(real_data, lake, engine)


def ask(lake: Path, sql: str) -> list[tuple[Any, ...]]:
    """SQL over the public tables and raw_logs."""
    with duckdb.connect() as connection:
        for table in (*PUBLIC, TABLES["raw_logs"]):
            snapshot = Lake.at(str(lake)).snapshot(table)
            connection.register(table.name, snapshot.dataset())
        return connection.sql(sql).fetchall()


COUNTED: dict[str, tuple[str, list[tuple[Any, ...]]]] = {
    "events": ("SELECT count(*) FROM raw_logs", [(8056,)]),
    "plays and ids": (
        "SELECT count(*), count(DISTINCT songplay_id) FROM songplays",
        [(6820, 6820)],
    ),
    "no field of a play is null": (
        "SELECT count(*) FROM songplays WHERE user_id IS NULL OR level IS NULL OR song IS NULL "
        "OR artist IS NULL OR length IS NULL OR location IS NULL OR user_agent IS NULL",
        [(0,)],
    ),
    "the one match": (
        "SELECT p.song, p.artist, user_id, s.title, a.name FROM songplays p "
        "JOIN songs s USING (song_id) JOIN artists a ON a.artist_id = p.artist_id",
        [("Setanta matins", "Elena", "15", "Setanta matins", "Elena")],
    ),
    "times": ("SELECT count(*), count(DISTINCT start_time) FROM time", [(6813, 6813)]),
    "users": ("SELECT count(*), count(DISTINCT user_id) FROM users", [(97, 97)]),
    "levels of those who played": (
        "SELECT level, count(*) FROM users WHERE user_id IN (SELECT user_id FROM songplays) "
        "GROUP BY level ORDER BY level",
        [("free", 74), ("paid", 22)],
    ),
    "user 15 ends paid, user 21 never played": (
        "SELECT user_id, level = 'paid', user_id IN (SELECT user_id FROM songplays) FROM users "
        "WHERE user_id IN ('15', '21') ORDER BY user_id",
        [("15", True, True), ("21", False, False)],
    ),
    "nobody is no user": ("SELECT count(*) FROM users WHERE user_id = ''", [(0,)]),
    "logged-out events": ("SELECT count(*) FROM raw_logs WHERE user_id = ''", [(286,)]),
    "catalogue": (
        "SELECT (SELECT count(*) FROM songs), (SELECT count(*) FROM artists)",
        [(71, 69)],
    ),
    "levels of plays": (
        "SELECT level, count(*) FROM songplays GROUP BY level ORDER BY level",
        [("free", 1229), ("paid", 5591)],
    ),
    "busiest hour": (
        "SELECT hour, count(*) AS n FROM songplays JOIN time USING (start_time) GROUP BY hour "
        "ORDER BY n DESC LIMIT 1",
        [(16, 542)],
    ),
    "Wednesday and Sunday": (
        "SELECT weekday, count(*) FROM songplays JOIN time USING (start_time) "
        "WHERE weekday IN (3, 7) GROUP BY weekday ORDER BY weekday",
        [(3, 1364), (7, 396)],
    ),
    "top songs": (
        "SELECT song, artist, count(*) AS n FROM songplays GROUP BY ALL ORDER BY n DESC LIMIT 3",
        [
            ("You're The One", "Dwight Yoakam", 37),
            ("Undo", "Björk", 28),
            ("Revelry", "Kings Of Leon", 27),
        ],
    ),
    "top artists": (
        "SELECT artist, count(*) AS n FROM songplays GROUP BY ALL ORDER BY n DESC LIMIT 2",
        [("Coldplay", 58), ("Kings Of Leon", 55)],
    ),
    "range of all events": (
        "SELECT min(ts), max(ts) FROM raw_logs",
        [(ts("2018-11-01 20:57:10.796"), ts("2018-11-30 19:54:24.796"))],
    ),
    "milliseconds survive": (
        "SELECT DISTINCT epoch_ms(start_time) % 1000 FROM songplays",
        [(796,)],
    ),
    "all in one month": (
        "SELECT DISTINCT year, month FROM songplays",
        [(2018, 11)],
    ),
    "user agents without quotes": (
        "SELECT count(*) FROM songplays WHERE user_agent LIKE '\"%' OR user_agent LIKE '%\"'",
        [(0,)],
    ),
    "sessions": ("SELECT count(DISTINCT session_id) FROM raw_logs", [(941,)]),
}


@pytest.mark.parametrize("name", COUNTED)
def test_what_a_correct_run_finds(loaded: tuple[Path, Any], name: str) -> None:
    sql, expected = COUNTED[name]
    assert ask(loaded[0], sql) == expected


def test_the_summary_of_the_run(loaded: tuple[Path, Any]) -> None:
    summary = loaded[1]
    assert (summary["files_read"], summary["lines"], summary["rejected"]) == (101, 8127, 0)
    assert summary["repaired"] == 326
    assert summary["matched_plays"] == 1
    assert summary["not_loaded"] == []


def test_the_song_files_come_through_unchanged(loaded: tuple[Path, Any], real_data: Path) -> None:
    import json

    files = [json.loads(path.read_text()) for path in real_data.rglob("song_data/**/*.json")]
    expected = sorted((one["song_id"], one["title"], one["duration"]) for one in files)
    assert sorted(ask(loaded[0], "SELECT song_id, title, duration FROM songs")) == expected


def test_a_second_run_reads_no_file_and_changes_no_version(
    loaded: tuple[Path, Any], real_data: Path
) -> None:
    before = all_versions(loaded[0])
    summary = processes.run(real_data, loaded[0])
    assert (summary["files_read"], summary["changed"]) == (0, [])
    assert all_versions(loaded[0]) == before


def test_one_changed_line_reads_one_file(real_data: Path, engine: str, tmp_path: Path) -> None:
    shutil.copytree(real_data, tmp_path / "landing")
    lake = tmp_path / "lake"
    processes.run(tmp_path / "landing", lake, engine)
    before = tables(lake)
    path = tmp_path / "landing/log_data/2018-11-15-events.json"
    path.write_text(path.read_text().replace('"song":"Sehr kosmisch"', '"song":"Kosmisch"', 1))
    summary = processes.run(tmp_path / "landing", lake, engine)
    assert summary["files_read"] == 1
    assert "songs" not in summary["changed"]
    after = tables(lake)
    assert len(set(before["songplays"]) ^ set(after["songplays"])) == 2
    assert after["users"] == before["users"]


def test_any_reader_works_and_all_agree(loaded: tuple[Path, Any], spark: SparkSession) -> None:
    uri = str(loaded[0] / "songplays")
    snapshot: Snapshot = Lake.at(str(loaded[0])).snapshot(SONGPLAYS)
    ids = {
        "deltalake": DeltaTable(uri).to_pyarrow_table()["songplay_id"].to_pylist(),
        "polars": polars.read_delta(uri)["songplay_id"].to_list(),
        "duckdb": [row[0] for row in ask(loaded[0], "SELECT songplay_id FROM songplays")],
        "spark": [r["songplay_id"] for r in read_frame(spark, snapshot).collect()],
        "plain parquet": [
            row[0]
            for row in ask(
                loaded[0], f"SELECT songplay_id FROM read_parquet('{uri}/*/*/*.parquet')"
            )
        ],
    }
    expected = sorted(ids["deltalake"])
    assert len(expected) == 6820
    assert {name: sorted(found) == expected for name, found in ids.items()} == dict.fromkeys(
        ids, True
    )
    assert polars.read_delta(uri).columns == SONGPLAYS.names


def test_every_engine_and_every_order_give_the_same_rows_and_ids(
    loaded: tuple[Path, Any], real_data: Path, tmp_path: Path, engine: str
) -> None:
    """Against the embedded engine, which gets the files under other names in two landings."""
    landing, lake = tmp_path / "landing", tmp_path / "lake"
    files = sorted(path for path in real_data.rglob("*.json") if path.is_file())
    logs = [path for path in files if "log_data" in str(path)][::-1]
    songs = [path for path in files if "song_data" in str(path)][::-1]
    for half in (slice(None, None, 2), slice(1, None, 2)):
        for number, path in list(enumerate(logs))[half]:
            target = landing / f"log_data/2018/11/{number:03d}.ndjson"
            target.parent.mkdir(parents=True, exist_ok=True)
            lines = path.read_text().split("\n")
            target.write_text("\n".join(lines[::-1]))
        for number, path in list(enumerate(songs))[half]:
            target = landing / f"song_data/{number:03d}.json"
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
        processes.run(landing, lake)
    assert tables(lake) == tables(loaded[0])
