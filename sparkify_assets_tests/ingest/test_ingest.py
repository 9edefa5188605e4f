"""Taking files in: every line accounted for, only what is new read, crashes and races harmless."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest
from deltalake import DeltaTable
from pyspark.sql import SparkSession

from sparkify_assets.errors import LandingError, PlanChanged
from sparkify_assets.ingest import ingest as module
from sparkify_assets.ingest import task
from sparkify_assets.ingest.ingest import Ingested, ingest
from sparkify_assets.ingest.landing_folder import FolderLanding
from sparkify_assets.ingest.ledger import read_ledger
from sparkify_assets.ingest.plan import Rules
from sparkify_assets.ingest.raw import landed_rows, read_raw_logs, read_raw_songs
from sparkify_assets.ingest.rejected import read_rejects
from sparkify_assets.lake.lake import Lake
from sparkify_assets.tables import LANDED_FILES, RAW_LOGS, REJECTS
from sparkify_assets_tests.zone import Zone, event, song

MONTHS = frozenset({"2018-10", "2018-11", "2018-12"})
ALL = {*MONTHS, "songs"}
DAY = "log_data/2018/11/2018-11-15-events.json"


class Bench:
    """A lake, a zone and a session, with the calls that every test makes."""

    def __init__(self, lake: Lake, zone: Zone, spark: SparkSession) -> None:
        self.lake, self.zone, self.spark = lake, zone, spark

    def run(self, wanted: set[str] = ALL, **rules: Any) -> Ingested:
        return ingest(
            self.lake,
            FolderLanding(str(self.zone.root)),
            lambda: self.spark,
            wanted,
            Rules(MONTHS, **rules),
        )

    def counts(self) -> dict[str, tuple[int, int, int]]:
        """By file: lines, rows, rejected; checked against the rows that really count."""
        ledger = read_ledger(self.lake)
        files = list(ledger.files())
        assert all(file.lines == file.rows + file.rejected for file in files)
        landed = ledger.with_events_in(*ledger.event_months())
        logs = landed_rows(self.spark, self.lake.last_seen(RAW_LOGS), landed)
        songs = read_raw_songs(self.spark, self.lake, ledger).frame
        for file in files:
            frame = songs if file.scope == "songs" else logs
            assert frame.filter(frame.source_file == file.source_file).count() == file.rows
        assert sum(file.rejected for file in files) == len(list(read_rejects(self.lake)))
        return {file.source_file: (file.lines, file.rows, file.rejected) for file in files}

    def sessions(self) -> list[int]:
        """The session ids of all rows that count."""
        ledger = read_ledger(self.lake)
        frame = read_raw_logs(self.spark, self.lake, ledger, sorted(MONTHS)).frame
        return sorted(row["session_id"] for row in frame.select("session_id").collect())


@pytest.fixture
def bench(lake: Lake, zone: Zone, spark: SparkSession) -> Bench:
    return Bench(lake, zone, spark)


def test_every_line_is_a_row_or_a_reject(bench: Bench) -> None:
    good = json.dumps(event())
    bench.zone.write(
        DAY,
        b"\xef\xbb\xbf" + f"{good}\r\n\r\nnot json\n   \n".encode() + b'{"song":"\xe9"}\n'
        b"x\n" + json.dumps(event(itemInSession=1)).encode(),
    )
    bench.zone.write("log_data/2018/11/empty.json", "")
    bench.zone.write("song_data/A/two.json", json.dumps(song("S1")) * 2)
    bench.zone.write("song_data/A/one.json", json.dumps(song("S2"), indent=4))
    bench.zone.write("song_data/A/nothing.json", "")
    bench.run()
    assert bench.counts() == {
        DAY: (5, 2, 3),
        "log_data/2018/11/empty.json": (0, 0, 0),
        "song_data/A/nothing.json": (1, 0, 1),
        "song_data/A/one.json": (1, 1, 0),
        "song_data/A/two.json": (1, 0, 1),
    }
    assert [(r.line, r.reason.split(":")[0]) for r in read_rejects(bench.lake, "log_data")] == [
        (3, "not JSON"), (5, "not UTF-8 at byte 10"), (6, "not JSON"),
    ]  # fmt: skip


def test_a_second_run_reads_nothing_and_changes_nothing(bench: Bench) -> None:
    bench.zone.logs(DAY, event())
    bench.run()
    version = bench.lake.snapshot(LANDED_FILES).version
    done = ingest(bench.lake, FolderLanding(str(bench.zone.root)), _no_session, ALL, Rules(MONTHS))
    assert done.accounts == {}
    assert bench.lake.snapshot(LANDED_FILES).version == version


def test_only_a_changed_file_is_read_again(bench: Bench) -> None:
    other = bench.zone.logs("log_data/2018-11-16-events.json", event(sessionId=2))
    bench.zone.logs(DAY, event(sessionId=1))
    bench.run()
    bench.zone.logs(DAY, event(sessionId=3), event(sessionId=4))
    done = bench.run()
    assert [account.key for account in done.accounts["2018-11"]] == [DAY]
    assert bench.sessions() == [2, 3, 4]
    assert bench.counts()[other] == (1, 1, 0)


def test_only_the_wanted_scopes_are_read(bench: Bench) -> None:
    bench.zone.logs(DAY, event())
    bench.zone.logs("log_data/2018-12-01-events.json", event("2018-12-01 10:00"))
    bench.zone.song()
    bench.run({"2018-12"})
    assert read_ledger(bench.lake).scopes == ["2018-12"]


def test_events_are_found_by_their_month_whatever_file_they_are_in(bench: Bench) -> None:
    late = event("2018-12-01 00:00:01", sessionId=9)
    bench.zone.logs("log_data/2018-11-30-events.json", event(sessionId=8), late)
    bench.run()
    ledger = read_ledger(bench.lake)
    assert ledger.event_months() == ["2018-11", "2018-12"]
    december = read_raw_logs(bench.spark, bench.lake, ledger, ["2018-12"]).frame
    assert [row["session_id"] for row in december.collect()] == [9]


def test_a_deleted_file_is_kept_by_default(bench: Bench) -> None:
    bench.zone.logs(DAY, event())
    bench.run()
    bench.zone.delete(DAY)
    bench.zone.logs("log_data/2018-11-16-events.json", event(sessionId=2))
    bench.run()
    assert bench.sessions() == [1, 2]


def test_a_deleted_file_is_removed_where_that_is_wanted(bench: Bench) -> None:
    keys = [
        bench.zone.logs(f"log_data/2018-11-{day}-events.json", event(sessionId=day))
        for day in range(10, 22)
    ]
    bench.run()
    bench.zone.delete(keys[0])
    done = bench.run(on_delete="remove")
    assert done.removed == [keys[0]]
    assert bench.sessions() == list(range(11, 22))
    for key in keys[1:4]:
        bench.zone.delete(key)
    with pytest.raises(LandingError, match=r"3 of the 11 landed files of 2018-11 are gone"):
        bench.run(on_delete="remove")
    assert len(bench.sessions()) == 11
    bench.run(on_delete="remove", confirm_remove=True)
    assert len(bench.sessions()) == 8
    # A file that comes back is read again.
    bench.zone.logs("log_data/2018-11-10-events.json", event(sessionId=10))
    bench.run()
    assert 10 in bench.sessions()


def test_packed_files_and_a_torn_one(bench: Bench) -> None:
    packed = gzip.compress(
        "\n".join(json.dumps(event(itemInSession=i)) for i in range(50)).encode()
    )
    bench.zone.write("log_data/2018-11-01.json.gz", packed)
    bench.zone.write("log_data/2018-11-02.json.gz", packed[:-20])
    bench.zone.write("log_data/2018-11-03.json.gz", b"no gzip at all")
    bench.zone.logs("log_data/2018-11-04.json", event(sessionId=4))
    bench.run()
    counts = bench.counts()
    assert counts["log_data/2018-11-01.json.gz"] == (50, 50, 0)
    lines, rows, rejected = counts["log_data/2018-11-02.json.gz"]
    assert (lines - rows, rejected) == (1, 1)
    assert rows >= 40
    assert counts["log_data/2018-11-03.json.gz"] == (1, 0, 1)
    assert counts["log_data/2018-11-04.json"] == (1, 1, 0)
    rejects = list(read_rejects(bench.lake))
    assert all(reject.reason.startswith("broken .gz file") for reject in rejects)
    assert [(reject.line, reject.text[:12]) for reject in rejects] == [
        (rows + 1, '{"artist": "'), (1, ""),
    ]  # fmt: skip


def test_a_line_of_100_mb_harms_no_other(bench: Bench) -> None:
    bench.zone.write(DAY, json.dumps(event()) + "\n" + "x" * 100_000_000 + "\n")
    bench.run()
    assert bench.counts() == {DAY: (2, 1, 1)}
    reject = next(iter(read_rejects(bench.lake)))
    assert (reject.line, len(reject.text)) == (2, 10_000)


def test_repaired_rows_are_counted(bench: Bench) -> None:
    twice = "Björk".encode().decode("latin-1").encode().decode("latin-1")
    bench.zone.logs(DAY, event(artist=twice), event(artist="Björk", itemInSession=1))
    bench.zone.song(artist_name=twice)
    bench.run()
    assert {f.source_file: f.repaired for f in read_ledger(bench.lake).files()} == {
        DAY: 1,
        "song_data/A/B/C/TRSOZCTXZ12AB0182364.json": 0,
    }


def test_a_file_that_vanishes_while_the_run_goes_on_is_left_for_the_next(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.zone.logs(DAY, event())
    bench.zone.logs("log_data/2018-11-16-events.json", event(sessionId=2))
    original = module._read

    def delete_then_read(*arguments: Any) -> Any:
        bench.zone.delete(DAY)
        return original(*arguments)

    monkeypatch.setattr(module, "_read", delete_then_read)
    assert bench.run().changed == [DAY]
    monkeypatch.undo()
    assert bench.sessions() == [2]
    bench.zone.logs(DAY, event(sessionId=3))
    bench.run()
    assert bench.sessions() == [2, 3]


def test_a_changed_file_that_cannot_be_read_keeps_its_rows(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.zone.logs(DAY, event(sessionId=1))
    bench.run()
    bench.zone.logs(DAY, event(sessionId=5))
    bench.zone.logs("log_data/2018-11-16-events.json", event(sessionId=2))
    original = FolderLanding.blocks

    def refuse(self: FolderLanding, file: Any) -> Any:
        if file.key == DAY:
            raise PermissionError(13, "Permission denied")
        yield from original(self, file)

    monkeypatch.setattr(FolderLanding, "blocks", refuse)
    assert bench.run().unreadable == {"2018-11": {DAY: "Permission denied"}}
    assert bench.sessions() == [1, 2]
    monkeypatch.undo()
    bench.run()
    assert bench.sessions() == [2, 5]


class Crash(Exception):
    """Stands for the end of the process."""


@pytest.mark.parametrize("step", ["_read", "append", "_commit"])
def test_after_a_crash_before_the_ledger_the_next_run_completes(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    bench.zone.logs(DAY, event(), event(itemInSession=1))
    bench.zone.song()

    def crash(*_: Any) -> None:
        raise Crash

    monkeypatch.setattr(module, step, crash)
    with pytest.raises(Crash):
        bench.run()
    assert list(read_ledger(bench.lake).files()) == []
    monkeypatch.undo()
    bench.run()
    assert bench.sessions() == [1, 1]
    assert len(bench.counts()) == 2


def test_dead_rows_of_a_crash_after_the_append_never_count(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.zone.logs(DAY, event(), json.loads('{"a": 1}'))

    def crash(*_: Any) -> None:
        raise Crash

    monkeypatch.setattr(module, "_commit", crash)
    with pytest.raises(Crash):
        bench.run()
    monkeypatch.undo()
    assert bench.lake.snapshot(RAW_LOGS).rows == 1  # there, but not counting
    bench.run()
    assert bench.lake.snapshot(RAW_LOGS).rows == 2
    assert bench.lake.snapshot(REJECTS).rows == 2
    assert bench.counts() == {DAY: (2, 1, 1)}


def test_of_two_ingests_at_once_the_second_plans_again(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.zone.logs(DAY, event(sessionId=1))
    original = module._read
    inner = [True]

    def another_first(*arguments: Any) -> Any:
        if inner:
            inner.clear()
            bench.zone.logs("log_data/2018-11-16-events.json", event(sessionId=2))
            bench.run()  # lists later, and commits first
        return original(*arguments)

    monkeypatch.setattr(module, "_read", another_first)
    bench.run()
    monkeypatch.undo()
    assert bench.sessions() == [1, 2]
    assert len(bench.counts()) == 2


def test_rows_that_the_ledger_names_but_that_are_gone_are_noticed(bench: Bench) -> None:
    bench.zone.logs(DAY, event())
    bench.run()
    ledger = read_ledger(bench.lake)
    DeltaTable(bench.lake.table_location(RAW_LOGS).uri).delete()
    bench.lake.look()
    with pytest.raises(PlanChanged, match="0 rows were found of the 1 that the ledger counts"):
        read_raw_logs(bench.spark, bench.lake, ledger, ["2018-11"])


def test_many_files_are_spread_over_tasks(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_TASK_FILES", 3)
    monkeypatch.setattr(task, "_LINES_BYTES", 500)
    for day in range(1, 29):
        events = [event(f"2018-11-{day:02d} 10:00", sessionId=day, itemInSession=i) for i in (0, 1)]
        bench.zone.logs(f"log_data/2018-11-{day:02d}-events.json", *events)
    bench.run()
    assert bench.sessions() == sorted([*range(1, 29)] * 2)
    assert all(count == (2, 2, 0) for count in bench.counts().values())


def test_rows_that_the_engine_does_not_deliver_are_noticed(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An engine's reader that passes over something must not make a table that looks complete."""
    from sparkify_assets.ingest import raw
    from sparkify_assets.lake import frames

    bench.zone.logs(DAY, event(), event(itemInSession=1))
    bench.run()
    read = frames.read_where
    monkeypatch.setattr(
        raw, "read_where", lambda *given: read(*given).filter("item_in_session > 0")
    )
    with pytest.raises(PlanChanged, match="1 rows were found of the 2"):
        read_raw_logs(bench.spark, bench.lake, read_ledger(bench.lake), ["2018-11"])


def test_songs_that_the_engine_does_not_deliver_are_noticed_until_it_does(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was counted is remembered for three tables, but neither a failure nor an older lake."""
    from sparkify_assets.ingest import raw
    from sparkify_assets.lake import frames

    def count() -> int:
        return read_raw_songs(bench.spark, bench.lake, read_ledger(bench.lake)).frame.count()

    bench.zone.song("S1")
    bench.run()
    read = frames.read_where
    with monkeypatch.context() as patched:
        patched.setattr(raw, "read_where", lambda *given: read(*given).filter("song_id > 'S1'"))
        for _ in range(2):
            with pytest.raises(PlanChanged, match="0 rows were found of the 1"):
                count()
    assert count() == 1
    bench.zone.song("S2")
    bench.run()
    with monkeypatch.context() as patched:
        patched.setattr(raw, "read_where", lambda *given: read(*given).filter("song_id > 'S1'"))
        with pytest.raises(PlanChanged, match="1 rows were found of the 2"):
            count()
    assert count() == 2


def test_where_all_rows_of_a_batch_count_none_is_asked_for_its_file(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sparkify_assets.ingest import raw

    asked: list[int] = []
    rows_of = raw._rows_of

    def counted(spark: Any, snapshot: Any, files: Any, wanted: Any) -> Any:
        asked.append(len(files))
        return rows_of(spark, snapshot, files, wanted)

    monkeypatch.setattr(raw, "_rows_of", counted)
    for day in (15, 16):
        bench.zone.logs(f"log_data/2018-11-{day}-events.json", event(sessionId=day))
    bench.run()
    assert bench.sessions() == [15, 16]
    assert not asked
    bench.zone.logs("log_data/2018-11-16-events.json", event(sessionId=17))
    bench.run()
    assert bench.sessions() == [15, 17]
    assert set(asked) == {1}  # the file that shares its batch with the one that was replaced


def _no_session() -> SparkSession:
    raise AssertionError("the engine was started although there is nothing to read")
