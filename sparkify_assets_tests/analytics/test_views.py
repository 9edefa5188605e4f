"""The views that are written for speed say the same as the plain way to ask."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sparkify_assets.analytics.session import Session, open_session
from sparkify_assets.lake.lake import Lake
from sparkify_assets_tests.analytics.recorded import loaded
from sparkify_assets_tests.zone import Zone, event, ts

Row = dict[str, Any]


@pytest.fixture(scope="module")
def traps(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """Plays at one moment at two levels, without user, level or length, over ends of months."""
    folder = tmp_path_factory.mktemp("traps")
    plays = [
        # user 1: changes within a day, twice at the same moment
        ("1", "2018-01-10 10:00:00", "free", 1), ("1", "2018-01-10 10:05:00", "paid", 1),
        ("1", "2018-01-10 10:05:00", "free", 2), ("1", "2018-01-10 10:05:00", "paid", 3),
        ("1", "2018-01-10 23:59:59", "free", 3), ("1", "2018-01-11 00:00:00", "free", 3),
        # user 2: over the end of a month, in a session that has both levels
        ("2", "2018-01-31 23:58:00", "free", 4), ("2", "2018-02-01 00:02:00", "paid", 4),
        ("2", "2018-02-20 00:00:00", "paid", 5), ("2", "2018-02-20 00:00:00", "free", 5),
        # nobody, and a level that is not known
        ("", "2018-01-12 10:00:00", "free", 6), ("", "2018-01-12 11:00:00", "paid", 6),
        ("3", "2018-01-12 10:00:00", "free", 7), ("3", "2018-01-12 11:00:00", None, 7),
        ("3", "2018-02-12 11:00:00", "paid", 8),
        # user 4 never changes; user 5's first play has two levels
        ("4", "2018-01-12 10:00:00", "paid", 9), ("4", "2018-02-12 10:00:00", "paid", 9),
        ("5", "2018-01-12 10:00:00", "paid", 10), ("5", "2018-01-12 10:00:00", "free", 10),
    ]  # fmt: skip
    zone = Zone(folder / "landing")
    zone.song()
    for month in ("2018-01", "2018-02"):
        zone.logs(
            f"log_data/{month}-15-events.json",
            *[
                event(
                    userId=user,
                    ts=ts(when),
                    level=level,
                    sessionId=session,
                    itemInSession=item,
                    length=None if item % 5 == 4 else 100.25 + item,
                )
                for item, (user, when, level, session) in enumerate(plays)
                if when.startswith(month)
            ],
        )
    return loaded(folder / "landing", folder / "lake", "2018-01", "2018-02")


@pytest.fixture(params=["traps", "sample_lake"])
def session(request: pytest.FixtureRequest) -> Iterator[Session]:
    with open_session(request.getfixturevalue(request.param)) as session:
        yield session


def plays_of(session: Session) -> list[Row]:
    found: list[Row] = session.table("SELECT * FROM songplays").to_pylist()
    return sorted(found, key=lambda row: (row["start_time"], row["songplay_id"]))


def test_levels_are_the_changes_from_one_play_to_the_next(session: Session) -> None:
    last: dict[str, Row] = {}
    expected = []
    for play in plays_of(session):
        user, level = play["user_id"], play["level"]
        if user is None or level is None:
            continue
        before = last.get(user)
        if before is not None and before["level"] != level:
            expected.append(
                {
                    "user_id": user,
                    "changed_at": play["start_time"],
                    "month": f"{play['start_time']:%Y-%m}",
                    "level_before": before["level"],
                    "level": level,
                    "change": "upgrade" if level == "paid" else "downgrade",
                    "last_play_before": before["start_time"],
                }
            )
        last[user] = play
    found = session.table("SELECT * FROM levels").to_pylist()
    assert len(found) > 5
    assert in_order(found) == in_order(expected)


def test_sessions_are_their_plays(session: Session) -> None:
    groups: dict[tuple[int, str | None], list[Row]] = defaultdict(list)
    for play in plays_of(session):
        groups[play["session_id"], play["user_id"]].append(play)
    expected = []
    for (number, user), plays in groups.items():
        start = plays[0]["start_time"]
        end = max(p["start_time"] + milliseconds(p["length"]) for p in plays)
        expected.append(
            {
                "session_id": number,
                "user_id": user,
                "start_time": start,
                "end_time": end,
                "month": f"{start:%Y-%m}",
                "plays": len(plays),
                "minutes": pytest.approx((end - start) / timedelta(minutes=1)),
                "level": next((p["level"] for p in plays if p["level"] is not None), None),
            }
        )
    found = session.table("SELECT * FROM sessions").to_pylist()
    assert in_order(found) == in_order(expected)


def test_plays_have_their_calendar_in_utc(session: Session) -> None:
    found = session.table("SELECT * FROM plays").to_pylist()
    assert len(found) == len(plays_of(session))
    for play in found:
        moment: datetime = play["start_time"].astimezone(UTC)
        year, week, weekday = moment.isocalendar()
        told = (play["month"], play["year"], play["week"], play["day"], play["weekday"])
        assert told == (
            f"{moment:%Y-%m}", moment.year, f"{year}-W{week:02d}", moment.date(), weekday,
        )  # fmt: skip
        assert play["hour"] == moment.hour


def milliseconds(seconds: float | None) -> timedelta:
    """As SQL rounds them."""
    return timedelta(milliseconds=round((seconds or 0) * 1000))


def in_order(rows: list[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: str(list(row.values())[:4]))
