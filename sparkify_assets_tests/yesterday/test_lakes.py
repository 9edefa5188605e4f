"""Lakes that former versions wrote: read, kept current, tidied and asked by today's code."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from deltalake import DeltaTable

from sparkify_assets.analytics.session import open_session
from sparkify_assets.cli.run import run_and_summarize
from sparkify_assets.errors import LakeError
from sparkify_assets.ingest import plan as planning
from sparkify_assets.ingest.ledger import read_ledger
from sparkify_assets.ingest.rejected import read_rejects
from sparkify_assets.lake.release import newest_release
from sparkify_assets.maintenance.maintain import maintain
from sparkify_assets.refresh.plan import make_plan
from sparkify_assets.refresh.report import get_status
from sparkify_assets.tables import PUBLIC, RAW_LOGS, RAW_SONGS, TABLES
from sparkify_assets_tests.refresh.world import World
from sparkify_assets_tests.yesterday import landing
from sparkify_assets_tests.yesterday.conftest import Land, nothing
from sparkify_assets_tests.yesterday.old_lakes import Yesterday

Clean = Callable[[Land], World]


# Of the rules by which all of these lakes read their files.
_READER = 1


def accounts(world: World) -> list[tuple[Any, ...]]:
    """The ledger without what another reading or another store gives another value."""
    return [
        file._replace(etag="", batch="", landed_at=file.landed_at.min, reader_version=0)
        for file in read_ledger(world.lake).files()
    ]


def counting(world: World) -> dict[str, Counter[tuple[Any, ...]]]:
    """The raw rows that count, and how often each stands there."""
    named = {(file.source_file, file.batch) for file in read_ledger(world.lake).files()}
    found = {}
    for table in (RAW_LOGS, RAW_SONGS):
        rows = world.lake.snapshot(table).read().to_pylist()
        found[table.name] = Counter(
            tuple(row.values()) for row in rows if (row["source_file"], row.pop("batch")) in named
        )
    return found


def rejects(world: World) -> list[Any]:
    return sorted(read_rejects(world.lake))


def check_same(world: World, other: World) -> None:
    """Two lakes have the same tables, raw rows and ledger; in `world` nothing is left to do."""
    assert world.tables() == other.tables()
    assert counting(world) == counting(other)
    assert accounts(world) == accounts(other)
    assert rejects(world) == rejects(other)
    plan = make_plan(world.settings())
    assert (plan.files_to_read, plan.stale) == (0, [])


def test_the_tables_are_those_of_a_clean_load(old: World, clean: Clean) -> None:
    expected = clean(nothing)
    assert len(expected.rows("songplays")) == 7
    assert old.tables() == expected.tables()
    assert counting(old) == counting(expected)
    assert accounts(old) == accounts(expected)
    assert rejects(old) == rejects(expected)


def test_other_readers_of_delta_tables_see_the_same(old: World, clean: Clean) -> None:
    for table in PUBLIC:
        found = DeltaTable(old.lake.table_location(table).uri).to_pyarrow_table()
        rows = sorted(str(row) for row in found.select(table.names).to_pylist())
        expected = clean(nothing).lake.snapshot(table).read().to_pylist()
        assert rows == sorted(str(row) for row in expected)


def test_files_that_older_rules_read_are_read_again(old: World) -> None:
    assert planning.READER_VERSION > _READER
    assert make_plan(old.settings()).files_to_read == 7
    assert make_plan(old.settings()).gone == 0


def test_only_what_the_lake_lacks_is_to_be_made(
    old: World, yesterday: Yesterday, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if the rules of reading were still those of then."""
    monkeypatch.setattr(planning, "READER_VERSION", _READER)
    plan = make_plan(old.settings())
    status = get_status(old.settings())
    stale = {(found.table.name, found.key): found.reason for found in plan.stale}
    # A file is known again by the tag that its bucket gives its content. In a folder it is another
    # file, unpacked just now.
    assert plan.files_to_read == status.files_pending == (0 if yesterday.in_bucket else 7)
    assert plan.gone == 0
    if yesterday.numbered:
        assert stale == {}
    else:  # without numbers in the log, what a partition was made from was told in another way
        changed = "its files, its sources or the code changed"
        monthly = ("user_months", "heard_songs", "song_matches", "songplays")
        assert stale == {
            ("user_history", "all"): "never made",
            **{(name, "all"): changed for name in ("users", "songs", "artists")},
            **{(name, month): changed for name in monthly for month in ("2018-11", "2018-12")},
        }
    assert len(status.stale) == len(stale)
    if yesterday.in_bucket:
        assert plan.needed is False
        assert old.changed_by() == set()


@pytest.mark.parametrize("land", [nothing, landing.new_file, landing.replaced_file])
def test_a_run_ends_with_the_tables_of_a_clean_load(old: World, clean: Clean, land: Land) -> None:
    land(old.zone)
    old.run()
    check_same(old, clean(land))
    assert old.changed_by() == set()


def test_maintenance_changes_no_row(old: World, clean: Clean, yesterday: Yesterday) -> None:
    months = old.settings().months
    report = maintain(old.lake, 1, months)
    assert (report.failed, report.postponed) == ({}, {})
    assert old.tables() == clean(nothing).tables()
    assert counting(old) == counting(clean(nothing))
    assert set(report.tables) == set(TABLES) - (set() if yesterday.numbered else {"user_history"})
    old.run()
    maintain(old.lake, 1, months)
    check_same(old, clean(nothing))


def test_sql_reads_the_release(old: World, clean: Clean, yesterday: Yesterday) -> None:
    if not yesterday.released:
        assert newest_release(old.lake) is None
        with pytest.raises(LakeError, match="no release to read from yet; `sparkify run` records"):
            open_session(old.lake).__enter__()
        run_and_summarize(old.settings(), rebuild=False, quiet=True)
    with open_session(old.lake) as session:
        for table in PUBLIC:
            # Instants are without their zone in SQL.
            rows = session.table(f"SELECT * FROM {table.name}").cast(table.plain_schema)
            found = sorted(str(row) for row in rows.to_pylist())
            expected = clean(nothing).lake.snapshot(table).read().to_pylist()
            assert found == sorted(str(row) for row in expected)
        (row,) = session.table(
            "SELECT count(*) AS plays, count(song_id) AS matched FROM plays"
        ).to_pylist()
    assert row == {"plays": 7, "matched": 6}
