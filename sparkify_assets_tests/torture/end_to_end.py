"""Files that are meant to harm, in real runs: the tables are those of what can be read of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from typer.testing import CliRunner

from sparkify_assets.cli import app
from sparkify_assets.ingest.fields import LOG_FIELDS, SONG_FIELDS
from sparkify_assets_tests.refresh.world import World
from sparkify_assets_tests.torture.oracle import Expected, begins, expected
from sparkify_assets_tests.torture.tally import LOST, OTHER, Tally
from sparkify_assets_tests.torture.worlds import own_world


def end_to_end(contents: Mapping[str, bytes], tally: Tally, repeat: str) -> None:
    """Load these files, and those rows of them that can be read from clean files."""
    right = {key: expected(key, data) for key, data in contents.items()}
    with own_world() as world:
        for key, data in contents.items():
            world.zone.write(key, data)
        outcome = world.run()
        tally.counts["runs"] += 1
        if outcome.unreadable or outcome.laid_aside or outcome.left.needed:
            tally.fail(OTHER, f"the run left {outcome}", repeat)
        tables = world.tables()
        _compare_rejects(right, _rejects(world), tally, repeat)
    with own_world() as world:
        for key, content in _clean(right).items():
            world.zone.write(key, content)
        world.run()
        tally.counts["runs"] += 1
        for name, rows in world.tables().items():
            if tables[name] != rows:
                more = [row for row in tables[name] if row not in rows]
                less = [row for row in rows if row not in tables[name]]
                tally.fail(LOST, f"{name}: too many are {more}, too few {less}", repeat)


def _clean(right: Mapping[str, Expected]) -> dict[str, str]:
    """The rows of each file as lines that nothing is wrong with."""
    found: dict[str, str] = {}
    for number, (key, file) in enumerate(right.items()):
        part, fields = key.split("/")[0], SONG_FIELDS if key.startswith("song") else LOG_FIELDS
        lines = [
            json.dumps({field.name: row[field.column] for field in fields})
            for row in file.rows.values()
        ]
        if lines:
            found[f"{part}/2018/11/{number}.json"] = "\n".join(lines)
    return found


def _rejects(world: World) -> list[dict[str, Any]]:
    """What `sparkify rejects` shows."""
    lake = world.settings().lake
    done = CliRunner().invoke(app, ["rejects", "--lake", lake, "--format", "json"])
    if done.exit_code:
        raise RuntimeError(f"sparkify rejects ended with {done.exit_code}: {done.output}")
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def _compare_rejects(
    right: Mapping[str, Expected], found: list[dict[str, Any]], tally: Tally, repeat: str
) -> None:
    wanted = {
        (key, line): (reason, text)
        for key, file in right.items()
        for line, (reason, text) in file.rejects.items()
    }
    tally.counts["rejects shown"] += len(found)
    shown = {(row["source_file"], row["line"]): row for row in found}
    if shown.keys() != wanted.keys() or len(found) != len(wanted):
        different = sorted(shown.keys() ^ wanted.keys())
        tally.fail(LOST, f"rejects: {len(found)} shown, of {len(wanted)}: {different}", repeat)
    for place, (reason, text) in wanted.items():
        row = shown.get(place)
        if row and not (begins(row["reason"], reason) and row["text"] == text):
            tally.fail(OTHER, f"rejects: {row}, expected {reason!r} and {text!r}", repeat)
