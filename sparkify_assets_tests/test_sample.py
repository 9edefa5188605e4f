"""The generated sample has the habits of the real data."""

from __future__ import annotations

import json
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from sparkify_assets.errors import UsageError
from sparkify_assets.ingest.repair import repair_text
from sparkify_assets.sample import Sample, write_sample


def lines(folder: Path) -> list[dict[str, Any]]:
    files = sorted(folder.rglob("log_data/**/*.json"))
    return [json.loads(line) for file in files for line in file.read_text().splitlines()]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sample")
    write_sample(path, Sample(first_month="2018-11", last_month="2018-12"))
    return path


def test_the_same_options_give_the_same_bytes_and_land_nothing_new(folder: Path) -> None:
    again = write_sample(folder, Sample(first_month="2018-11", last_month="2018-12"))
    assert again.unchanged == again.files > 300


def test_another_seed_gives_other_data(tmp_path: Path) -> None:
    for seed in (1, 2):
        write_sample(tmp_path / str(seed), Sample(songs=3, events=100, seed=seed))
    texts = [
        "".join(path.read_text() for path in sorted((tmp_path / seed).rglob("*.json")))
        for seed in ("1", "2")
    ]
    assert texts[0] != texts[1]


def test_sessions_are_whole_and_identify_events(folder: Path) -> None:
    items: dict[int, list[int]] = {}
    for event in lines(folder):
        items.setdefault(event["sessionId"], []).append(event["itemInSession"])
    whole = [sorted(found) == list(range(len(found))) for found in items.values()]
    # Only the end of a session that runs over the last midnight is cut off.
    assert all(whole)
    assert len(items) > 500


def test_it_has_the_habits_of_the_real_logs(folder: Path) -> None:
    events = lines(folder)
    pages = Counter(event["page"] for event in events)
    assert 0.7 < pages["NextSong"] / len(events) < 0.95
    assert pages["Submit Upgrade"] + pages["Submit Downgrade"] > 10
    nobody = [event for event in events if event["userId"] == ""]
    assert nobody
    assert all(event["auth"] == "Logged Out" and event["registration"] is None for event in nobody)
    names = {event["song"] for event in events if event["song"]}
    spoiled = {name for name in names if repair_text(name) != name}
    assert spoiled
    assert all(name.isascii() for name in names - spoiled)
    assert any(str(event["userAgent"]).startswith('"') for event in events)
    levels: dict[str, set[str]] = {}
    for event in events:
        levels.setdefault(event["userId"], set()).add(event["level"])
    assert any(found == {"free", "paid"} for user, found in levels.items() if user)


def test_sessions_run_over_midnight_into_the_next_file(folder: Path) -> None:
    by_file = {
        path: {json.loads(line)["sessionId"] for line in path.read_text().splitlines()}
        for path in sorted(folder.rglob("log_data/**/*.json"))
    }
    files = list(by_file.values())
    assert any(one & other for one, other in pairwise(files))


def test_bad_lines_and_a_broken_song_on_request(tmp_path: Path) -> None:
    made = write_sample(tmp_path, Sample(songs=5, events=500, bad_lines=30, layout="flat"))
    assert made.bad_lines == 30
    assert (tmp_path / "log_data/2018-11-01-events.json").is_file()
    assert (tmp_path / "song_data/A/A/A/TRAAABROKEN.json").is_file()


def test_nothing_is_ever_overwritten(tmp_path: Path) -> None:
    mine = tmp_path / "log_data/2018-11-05-events.json"
    mine.parent.mkdir(parents=True)
    mine.write_text("mine")
    with pytest.raises(UsageError, match=r"2018-11-05-events\.json is there already"):
        write_sample(tmp_path, Sample(songs=3, events=100, layout="flat"))
    assert mine.read_text() == "mine"
