"""Each event once, whichever files deliver it, and found out once for all tables."""

from __future__ import annotations

import pytest
from pyspark.sql import SparkSession

from sparkify_assets.errors import PlanChanged
from sparkify_assets.ingest import once, raw
from sparkify_assets.ingest.ingest import ingest
from sparkify_assets.ingest.landing_folder import FolderLanding
from sparkify_assets.ingest.ledger import read_ledger
from sparkify_assets.ingest.plan import Rules
from sparkify_assets.ingest.raw import RawRows, read_raw_logs
from sparkify_assets.lake import frames
from sparkify_assets.lake.lake import Lake
from sparkify_assets_tests.transforms.frames import rows
from sparkify_assets_tests.zone import Zone, event

pytestmark = pytest.mark.engines
MONTH = "2018-11"
FIRST = "log_data/2018/11/2018-11-15-events.json"
AGAIN = "log_data/2018/11/2018-11-16-events.json"


def _landed(lake: Lake, zone: Zone, spark: SparkSession) -> None:
    landing = FolderLanding(str(zone.root))
    ingest(lake, landing, lambda: spark, [MONTH], Rules(frozenset({MONTH})))


def _read(lake: Lake, spark: SparkSession, names: list[str] | None = None) -> RawRows:
    lake.look()
    return read_raw_logs(spark, lake, read_ledger(lake), [MONTH], names)


def test_of_an_event_in_two_files_the_smallest_line_is_read(
    lake: Lake, zone: Zone, spark: SparkSession
) -> None:
    zone.logs(FIRST, event(artist="B"), event(itemInSession=1), event(itemInSession=2))
    zone.logs(AGAIN, event(artist="A"), event(itemInSession=1), event(itemInSession=3, page="Home"))
    _landed(lake, zone, spark)
    found = _read(lake, spark, ["item_in_session", "artist"])
    assert found.plays == {MONTH: 5}
    assert [(row["item_in_session"], row["artist"]) for row in rows(found.frame)] == [
        (0, "A"),
        (1, "Elena"),
        (2, "Elena"),
        (3, "Elena"),
    ]
    assert found.frame.columns == ["item_in_session", "artist"]
    whole = _read(lake, spark).frame
    assert sorted(row["source_file"] for row in whole.collect()) == [FIRST, FIRST, AGAIN, AGAIN]


def test_many_repeats_do_not_pass_through_this_process(
    lake: Lake, zone: Zone, spark: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(once, "_MOST_REPEATS", 2)
    zone.logs(FIRST, *[event(itemInSession=item, artist="B") for item in range(6)])
    zone.logs(AGAIN, *[event(itemInSession=item, artist="A") for item in range(4)])
    _landed(lake, zone, spark)
    found = _read(lake, spark, ["item_in_session", "artist"])
    (known,) = [one for key, one in once._found.items() if key[2] == (MONTH,)][-1:]
    assert (known.many, known.repeats) == (True, None)
    assert [row["artist"] for row in rows(found.frame)] == ["A"] * 4 + ["B"] * 2
    assert found.frame.columns == ["item_in_session", "artist"]


def test_the_lines_are_looked_at_once_until_something_lands(
    lake: Lake, zone: Zone, spark: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = 0

    def counted(*given: object) -> once.Found:
        nonlocal looks
        looks += 1
        return look(*given)  # type: ignore[arg-type]

    look = once._look
    monkeypatch.setattr(once, "_look", counted)
    zone.logs(FIRST, event(), event())
    _landed(lake, zone, spark)
    assert [_read(lake, spark).frame.count() for _ in range(3)] == [1, 1, 1]
    assert looks == 1
    zone.logs(AGAIN, event(), event(itemInSession=1))
    _landed(lake, zone, spark)
    assert [_read(lake, spark, ["ts"]).frame.count() for _ in range(2)] == [2, 2]
    assert looks == 2


def test_a_look_that_missed_something_is_not_remembered(
    lake: Lake, zone: Zone, spark: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    zone.logs(FIRST, event(), event(itemInSession=1))
    _landed(lake, zone, spark)
    read = frames.read_where
    with monkeypatch.context() as patched:
        patched.setattr(raw, "read_where", lambda *given: read(*given).filter("1 = 0"))
        with pytest.raises(PlanChanged, match="0 rows were found of the 2"):
            _read(lake, spark)
    assert _read(lake, spark).frame.count() == 2


def test_what_is_remembered_is_bounded() -> None:
    assert len(once._found) <= once._KEPT
