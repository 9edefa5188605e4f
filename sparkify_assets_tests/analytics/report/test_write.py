"""Reports in the lake: made once, again when they are out of date, and not otherwise."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import obstore
import pytest

from sparkify_assets.analytics.report import fingerprint as fingerprints
from sparkify_assets.analytics.report.charts import ChartError
from sparkify_assets.analytics.report.write import (
    FOLDER,
    Written,
    read_report,
    report_location,
    write_report,
)
from sparkify_assets.analytics.session import open_session
from sparkify_assets.analytics.statement import QueryError
from sparkify_assets.lake.lake import Lake
from sparkify_assets.lake.release import Release, last_release
from sparkify_assets.lake.vacuum import vacuum
from sparkify_assets.storage.access import s3_access
from sparkify_assets.tables import TABLES
from sparkify_assets_tests.analytics.report.pages import TOP_SONGS, Asked, Drawn
from sparkify_assets_tests.refresh.world import World
from sparkify_assets_tests.zone import event


def write(lake: Lake, month: str = "2018-11", *questions: Asked, again: bool = False) -> Written:
    return of(lake, last_release(lake), month, *questions, again=again)


def of(lake: Lake, release: Release, month: str, *questions: Asked, again: bool = False) -> Written:
    with open_session(lake, release) as session:
        return write_report(lake, session, month, questions or [TOP_SONGS], again=again)


def test_a_report_lies_in_the_lake_and_is_made_once(copied: World) -> None:
    first, second = write(copied.lake), write(copied.lake)
    assert (first.made, second.made) == (True, False)
    path = Path(copied.lake.location.uri, FOLDER, "2018-11.html")
    assert (first.uri, first.url) == (str(path), path.as_uri())
    assert path.stat().st_size == first.size == second.size
    assert path.read_bytes() == read_report(copied.lake, "2018-11")
    assert write(copied.lake, again=True).made


def test_new_plays_make_the_reports_of_their_month_and_later_ones_again(loaded: World) -> None:
    for month in ("2018-11", "2018-12"):
        write(loaded.lake, month)
    loaded.zone.logs("log_data/2018-12-06-events.json", event("2018-12-06 10:00", sessionId=2))
    loaded.run()
    # November looks ahead by a month: a session may end there.
    made = {month: write(loaded.lake, month).made for month in ("2018-10", "2018-11", "2018-12")}
    assert made == {"2018-10": True, "2018-11": True, "2018-12": True}
    loaded.zone.logs("log_data/2019-01-06-events.json", event("2019-01-06 10:00", sessionId=3))
    loaded.run()
    # The question reads `plays`, which names users, and these are seen anew in each month.
    plain = replace(TOP_SONGS, sql=TOP_SONGS.sql.replace("month = $month", "$month <> ''")
                    .replace("plays WHERE", "songplays WHERE"))  # fmt: skip
    assert write(loaded.lake, "2018-11", plain).made
    loaded.zone.logs("log_data/2019-01-07-events.json", event("2019-01-07 10:00", sessionId=4))
    loaded.run()
    assert not write(loaded.lake, "2018-11", plain).made


def test_another_question_another_program_or_a_pending_month_makes_it_again(
    copied: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake, release = copied.lake, last_release(copied.lake)
    write(lake)
    assert write(lake, "2018-11", replace(TOP_SONGS, title="Hits")).made
    assert write(lake, "2018-11", replace(TOP_SONGS, chart=Drawn("column", "song", "plays"))).made
    assert write(lake).made
    pending = Release(release.number, release.recorded_at, release.versions, ("2018-11",))
    assert of(lake, pending, "2018-11").made
    assert write(lake).made
    monkeypatch.setattr(fingerprints, "_program", lambda: ["newer"])
    assert write(lake).made


def test_a_report_that_is_no_longer_whole_is_made_again(copied: World) -> None:
    written = write(copied.lake)
    Path(written.uri).write_text("<!doctype html>")
    assert write(copied.lake).made


def test_questions_come_in_their_order_and_only_those_of_the_report(copied: World) -> None:
    last = replace(TOP_SONGS, name="last", title="The last", report=20)
    out = replace(TOP_SONGS, name="out", title="Nowhere", report=None)
    write(copied.lake, "2018-11", last, out, TOP_SONGS)
    page = read_report(copied.lake, "2018-11").decode()
    assert 0 < page.index("Most played songs") < page.index("The last")
    assert "Nowhere" not in page


def test_the_page_names_no_person(copied: World) -> None:
    write(copied.lake)
    page = read_report(copied.lake, "2018-11").decode()
    persons = copied.rows("users", "first_name", "last_name")
    text = page[: page.index("<script>")]  # the libraries have many words
    assert len(persons) == 2
    assert [name for person in persons for name in person if name in text] == []


def test_a_month_without_plays_has_a_page_that_says_so(copied: World) -> None:
    assert write(copied.lake, "2018-10").size < 20_000
    assert "No plays in October 2018." in read_report(copied.lake, "2018-10").decode()


def test_a_wrong_question_is_told_and_the_page_before_stays(copied: World) -> None:
    write(copied.lake)
    before = read_report(copied.lake, "2018-11")
    with pytest.raises(QueryError, match="nothing_like_that"):
        write(copied.lake, "2018-11", replace(TOP_SONGS, sql="SELECT nothing_like_that FROM plays"))
    with pytest.raises(ChartError, match="top-songs: the chart's x is 'title'"):
        write(copied.lake, "2018-11", replace(TOP_SONGS, chart=Drawn("bar", "title", "plays")))
    assert read_report(copied.lake, "2018-11") == before


def test_neither_a_look_at_the_lake_nor_cleaning_up_minds_the_reports(copied: World) -> None:
    written = write(copied.lake)
    copied.lake.look()
    for table in TABLES.values():
        vacuum(copied.lake, table, grace_hours=0)
    assert Path(written.uri).stat().st_size == written.size


def test_in_a_bucket_a_report_is_html_for_a_browser(s3_world: World) -> None:
    s3_world.zone.logs("log_data/2018-11-05-events.json", event("2018-11-05 10:00"))
    s3_world.zone.song()
    s3_world.run()
    lake = s3_world.lake
    written = write(lake)
    assert (written.made, write(lake).made) == (True, False)
    place = report_location(lake)
    store = s3_access().object_store(place.bucket)
    found = obstore.get(store, f"{place.prefix}/2018-11.html")
    assert found.attributes["Content-Type"] == "text/html; charset=utf-8"
    assert len(found.bytes()) == written.size
    assert written.url == f"{s3_access().endpoint}/{place.bucket}/{place.prefix}/2018-11.html"
