"""Answers about the real input: figures counted independently, and others counted here."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sparkify_assets.analytics.question import find_question
from sparkify_assets.analytics.session import Session

Event = dict[str, Any]


def ask(session: Session, name: str, **given: str) -> list[dict[str, Any]]:
    question = find_question(name)
    return list(session.table(question.sql, question.values(given)).to_pylist())


def tuples(session: Session, name: str, *columns: str, **given: str) -> list[tuple[Any, ...]]:
    return [tuple(row[column] for column in columns) for row in ask(session, name, **given)]


@pytest.fixture(scope="module")
def plays(real_data: Path) -> list[Event]:
    """The plays of the log files, read without the project."""
    files = sorted((real_data / "log_data").glob("*.json"))
    events = [json.loads(line) for file in files for line in file.read_text().splitlines() if line]
    found = [one for one in events if one["page"] == "NextSong"]
    for one in found:
        one["when"] = datetime.fromtimestamp(one["ts"] / 1000, UTC).replace(tzinfo=None)
    return sorted(found, key=lambda one: int(one["ts"]))


def test_top_songs_and_artists(real: Session) -> None:
    assert tuples(real, "top-songs", "song", "artist", "plays", limit="3") == [
        ("You're The One", "Dwight Yoakam", 37), ("Undo", "Björk", 28),
        ("Revelry", "Kings Of Leon", 27),
    ]  # fmt: skip
    assert tuples(real, "top-artists", "artist", "plays", limit="2") == [
        ("Coldplay", 58), ("Kings Of Leon", 55),
    ]  # fmt: skip


def test_levels(real: Session) -> None:
    assert tuples(real, "levels-by-month", "month", "level", "plays") == [
        ("2018-11", "free", 1229), ("2018-11", "paid", 5591),
    ]  # fmt: skip
    by_day = tuples(real, "levels-by-day", "level", "plays", month="2018-11")
    assert sum(n for level, n in by_day if level == "paid") == 5591
    assert sum(n for level, n in by_day if level == "free") == 1229


def test_hours_and_weekdays(real: Session) -> None:
    hours = tuples(real, "by-hour", "hour", "plays")
    assert max(hours, key=lambda one: int(one[1])) == (16, 542)
    weekdays = dict(tuples(real, "by-weekday", "name", "plays"))
    assert (weekdays["Wednesday"], weekdays["Sunday"]) == (1364, 396)
    assert max(weekdays.values()) == 1364
    both = ask(real, "by-weekday-and-hour")
    assert sum(row["plays"] for row in both) == 6820
    assert sum(row["plays"] for row in both if row["weekday"] == 3) == 1364
    assert sum(row["plays"] for row in both if row["hour"] == 16) == 542


def test_matches_and_listeners(real: Session) -> None:
    assert tuples(real, "matched-share", "month", "plays", "matched") == [("2018-11", 6820, 1)]
    assert tuples(real, "monthly-active-users", "month", "users") == [("2018-11", 96)]
    assert tuples(real, "catalogue-played", "what", "in_catalogue", "played") == [
        ("songs", 71, 1), ("artists", 69, 1),
    ]  # fmt: skip
    assert tuples(real, "new-and-returning-by-month", "kind", "users") == [("new", 96)]


def test_active_users_as_counted_from_the_files(real: Session, plays: list[Event]) -> None:
    for name, column, back in (
        ("daily-active-users", "day", 0),
        ("weekly-active-users", "monday", 1),
    ):
        users: dict[date, set[str]] = defaultdict(set)
        counted: Counter[date] = Counter()
        for play in plays:
            day = play["when"].date()
            day -= timedelta(days=back * day.weekday())
            users[day].add(play["userId"])
            counted[day] += 1
        assert tuples(real, name, column, "users", "plays") == [
            (day, len(users[day]), counted[day]) for day in sorted(users)
        ]


def test_changes_of_level_as_counted_from_the_files(real: Session, plays: list[Event]) -> None:
    changes = []
    last: dict[str, Event] = {}
    for play in plays:
        before = last.get(play["userId"])
        if before is not None and before["level"] != play["level"]:
            recent = [
                one
                for one in plays
                if one["userId"] == play["userId"]
                and play["when"] - timedelta(days=30) <= one["when"] < play["when"]
            ]
            changes.append(
                {
                    "changed_at": play["when"],
                    "user_id": play["userId"],
                    "change": "upgrade" if play["level"] == "paid" else "downgrade",
                    "plays_30_days": len(recent),
                    "days_30_days": len({one["when"].date() for one in recent}),
                    "sessions_30_days": len({one["sessionId"] for one in recent}),
                    "last_play_before": before["when"],
                    "last_song": repaired(before["song"]),
                    "last_artist": repaired(before["artist"]),
                }
            )
        last[play["userId"]] = play
    assert len(changes) == 9
    changes.sort(key=lambda one: str(one["changed_at"]), reverse=True)
    assert ask(real, "before-level-changes", limit="1000") == changes
    assert (
        ask(real, "before-level-changes", limit="2", change="upgrade")
        == [one for one in changes if one["change"] == "upgrade"][:2]
    )
    by_kind = Counter(one["change"] for one in changes)
    users = {kind: len({c["user_id"] for c in changes if c["change"] == kind}) for kind in by_kind}
    assert tuples(real, "level-changes", "month", "change", "changes", "users") == [
        ("2018-11", kind, by_kind[kind], users[kind]) for kind in sorted(by_kind)
    ]


def test_places_as_counted_from_the_files(real: Session, plays: list[Event]) -> None:
    counted = Counter(one["location"] for one in plays)
    users = {
        place: len({p["userId"] for p in plays if p["location"] == place}) for place in counted
    }
    ordered = sorted(counted.items(), key=lambda one: (-one[1], one[0]))
    assert tuples(real, "by-place", "location", "plays", "users", "share_percent", limit="15") == [
        (place, n, users[place], pytest.approx(100 * n / 6820, abs=0.0051))
        for place, n in ordered[:15]
    ]


def test_sessions_as_counted_from_the_files(real: Session, plays: list[Event]) -> None:
    sessions: dict[tuple[int, str], list[Event]] = defaultdict(list)
    for play in plays:
        sessions[play["sessionId"], play["userId"]].append(play)
    bounds = [0, 5, 15, 30, 60, 120, 240]
    counted: Counter[int] = Counter()
    played: Counter[int] = Counter()
    for found in sessions.values():
        end = max(play["ts"] + round(play["length"] * 1000) for play in found)
        minutes = (end - found[0]["ts"]) / 60_000
        bucket = max(bound for bound in bounds if bound <= minutes)
        counted[bucket] += 1
        played[bucket] += len(found)
    assert tuples(real, "session-length", "from_minutes", "sessions", "plays") == [
        (bound, counted[bound], played[bound]) for bound in bounds if counted[bound]
    ]


def test_heavy_users_as_counted_from_the_files(real: Session, plays: list[Event]) -> None:
    counted = Counter(one["userId"] for one in plays)
    ordered = sorted(counted.items(), key=lambda one: (-one[1], one[0]))
    assert tuples(real, "heavy-users", "user_id", "plays", limit="1000") == ordered
    tenths = ask(real, "share-of-heavy-users")
    assert [row["tenth"] for row in tenths] == list(range(1, 11))
    assert (sum(row["users"] for row in tenths), tenths[0]["users"]) == (96, 10)
    assert tenths[0]["plays"] == sum(n for _, n in ordered[:10])
    assert tenths[-1]["share_so_far_percent"] == 100


def test_new_and_returning_users_as_counted_from_the_files(
    real: Session, plays: list[Event]
) -> None:
    days: dict[date, set[str]] = defaultdict(set)
    for play in plays:
        days[play["when"].date()].add(play["userId"])
    known: set[str] = set()
    expected = []
    for day in sorted(days):
        for kind, users in (("new", days[day] - known), ("returning", days[day] & known)):
            if users:
                expected.append((day, kind, len(users)))
        known |= days[day]
    assert tuples(real, "new-and-returning-by-day", "day", "kind", "users") == expected
    assert tuples(real, "new-and-returning-by-day", "day", "kind", "users", month="2018-11") == (
        expected
    )


def repaired(text: str) -> str:
    """The logs' text is UTF-8 that was taken for Latin-1, twice."""
    try:
        return text.encode("latin-1").decode().encode("latin-1").decode()
    except (UnicodeEncodeError, UnicodeDecodeError):
        return text
