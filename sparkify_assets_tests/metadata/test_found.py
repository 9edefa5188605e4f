"""What a materialization tells, month by month, also in a run over a range."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sparkify_assets.lake.log import write_log
from sparkify_assets.metadata import markdown
from sparkify_assets.metadata.found import match_rate
from sparkify_assets.refresh.report import get_status
from sparkify_assets.tables import BUILT, SONGPLAYS
from sparkify_assets_tests.jobs_in_process import numbers, run
from sparkify_assets_tests.refresh.world import World
from sparkify_assets_tests.zone import event

MONTHS = ("2018-11", "2018-12", "2019-01")


@pytest.fixture
def landed(world: World) -> World:
    """Three months: one play of the catalogue each, November with another one and a bad line."""
    for month in MONTHS:
        session = int(month[-2:])
        world.zone.logs(f"log_data/{month}-05-events.json", event(f"{month}-05", sessionId=session))
    world.zone.logs("log_data/2018-11-06-events.json", event("2018-11-06", song="Another"))
    world.zone.write("log_data/2018-11-07-events.json", "torn | line")
    world.zone.song()
    return world


@pytest.mark.engines
def test_every_partition_tells_rows_bytes_version_and_seconds(landed: World) -> None:
    ran = run(landed, *MONTHS)
    for table in BUILT:
        found = ran.made(table.name)
        assert found.keys() == (set(MONTHS) if table.monthly else {None})
        for materialization in found.values():
            values = numbers(materialization.metadata)
            count = values["dagster/partition_row_count" if table.monthly else "dagster/row_count"]
            assert values["rows"] == count
            assert (values["bytes"] > 0) == (count > 0)
            assert values["delta_version"] == landed.lake.snapshot(table).version
            assert values["step_seconds"] > 0
            assert values["made_again"] is True
            assert values["partitions_made"] == (3 if table.monthly else 1)
            assert ("preview" in values) == (count > 0)


@pytest.mark.parametrize(
    "stats", [{"numRecords": 2}, {"numRecords": 2, "nullCount": {"level": 0}}], ids=["none", "some"]
)
def test_matches_are_counted_in_parts_that_somebody_else_wrote_without_counts(
    landed: World, stats: dict[str, Any]
) -> None:
    landed.run()
    assert get_status(landed.settings()).matched_plays == 3
    plays = landed.lake.snapshot(SONGPLAYS)
    (part,) = plays.parts_of(["2018-11"])
    added = {"path": part.path, "partitionValues": part.partition, "size": part.size,
             "modificationTime": part.added_at, "dataChange": False,
             "stats": json.dumps(stats)}  # fmt: skip
    write_log(plays.location, plays.state, [{"add": added}])
    assert get_status(landed.settings()).matched_plays == 3
    assert match_rate(landed.lake.snapshot(SONGPLAYS), "2018-11") == 0.5


def test_songplays_tell_matches_duplicates_and_draw_two_plots(landed: World) -> None:
    landed.zone.logs("log_data/2018-11-08-events.json", event("2018-11-06", song="Another"))
    made = run(landed, *MONTHS).made("songplays")
    values = numbers(made["2018-11"].metadata)
    assert (values["plays"], values["matched_plays"], values["match_rate"]) == (2, 1, 0.5)
    assert values["duplicates"] == 1
    newest = numbers(made["2019-01"].metadata)
    assert "match_rate_by_month" not in values  # it is the same for all
    for plot in (values["plays_per_day"], newest["match_rate_by_month"]):
        assert plot.startswith("![plays ")
        assert "](data:image/svg+xml;base64," in plot
        assert len(plot) < 5_000


def test_raw_logs_tell_what_was_read_and_what_is_in_by_now(landed: World) -> None:
    first = numbers(run(landed, *MONTHS).made("raw_logs")["2018-11"].metadata)
    assert (first["files_read"], first["lines"], first["rows"], first["rejected"]) == (3, 3, 2, 1)
    assert (first["landed_files"], first["landed_lines"], first["landed_rejected"]) == (3, 3, 1)
    assert first["dagster/partition_row_count"] == 2
    assert first["landed_bytes"] > 100
    assert "torn \\| line" in first["rejected_lines"]
    assert "| Elena |" in first["preview"]
    again = numbers(run(landed, *MONTHS).made("raw_logs")["2018-11"].metadata)
    assert (again["files_read"], again["lines"], again["rows"], again["rejected"]) == (0, 0, 0, 0)
    assert (again["landed_files"], again["landed_lines"]) == (3, 3)
    assert "preview" not in again


def test_what_is_up_to_date_has_its_counts_and_no_preview(landed: World) -> None:
    run(landed, *MONTHS)
    values = numbers(run(landed, *MONTHS).made("songplays")["2018-12"].metadata)
    assert (values["rows"], values["made_again"], values["partitions_made"]) == (1, False, 0)
    assert "preview" not in values
    assert "plays_per_day" not in values


def test_without_previews_no_row_is_shown(landed: World) -> None:
    ran = run(landed, *MONTHS, preview_rows=0)
    for asset in ("songplays", "users", "raw_logs", "raw_songs"):
        for materialization in ran.made(asset).values():
            assert not {"preview", "rejected_lines"} & set(materialization.metadata)


def test_names_of_metadata_are_stable(landed: World) -> None:
    """Charts over time in the UI go by these names: rename none without a reason."""
    ran = run(landed, *MONTHS)
    assert sorted(ran.made("songplays")["2019-01"].metadata) == [
        "bytes", "dagster/partition_row_count", "dagster/table_name", "dagster/uri",
        "delta_version", "duplicates", "made_again", "match_rate", "match_rate_by_month",
        "matched_plays", "partitions_made", "parts", "plays", "plays_per_day", "preview", "rows",
        "step_seconds",
    ]  # fmt: skip
    assert sorted(ran.made("raw_songs")[None].metadata) == [
        "dagster/row_count", "files_read", "landed_bytes", "landed_files", "landed_lines",
        "landed_rejected", "ledger_version", "lines", "preview", "rejected", "repaired", "rows",
        "step_seconds",
    ]  # fmt: skip


def test_text_from_files_cannot_become_markdown_or_html(landed: World, tmp_path: Path) -> None:
    del tmp_path
    shown = markdown.table([{"text": "<img src=x> | [a](javascript:b) `c`\n**d**", "n_1": 2}]).value
    assert shown == (
        "| text | n_1 |\n| --- | --- |\n"
        "| \\<img src=x\\> \\| \\[a\\]\\(javascript:b\\) \\`c\\` \\*\\*d\\*\\* | 2 |"
    )
    assert landed


@pytest.mark.parametrize(
    "text", ["a", "```", "x\n```\n[a](javascript:b) <img src=x>", "````\n`````"]
)
def test_text_cannot_end_the_block_that_it_stands_in(text: str) -> None:
    first, *inside, last = (markdown.plain(text).value or "").split("\n")
    fence = first.removesuffix("text")
    assert first == f"{fence}text"
    assert last == fence
    assert set(fence) == {"`"}
    assert "\n".join(inside) == text
    assert fence not in text
