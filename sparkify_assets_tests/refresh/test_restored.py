"""A lake that is put back from a backup while a process that knows it goes on."""

from __future__ import annotations

import shutil
from pathlib import Path

from sparkify_assets_tests.refresh.world import World
from sparkify_assets_tests.zone import event

_FIRST = "log_data/2018/11/2018-11-15-events.json"
_LOST = "log_data/2018/11/2018-11-16-events.json"
_LATER = "log_data/2018/11/2018-11-17-events.json"


def test_what_was_counted_before_is_not_taken_for_what_is_there(
    world: World, tmp_path: Path
) -> None:
    """Versions get the same numbers once more; the same process counts again."""
    world.zone.logs(_FIRST, event())
    world.run()
    backup = tmp_path / "backup"
    shutil.copytree(world.lake.location.uri, backup)
    world.zone.logs(_LOST, event("2018-11-16 10:00", sessionId=2))
    world.run()
    shutil.rmtree(world.lake.location.uri)
    shutil.copytree(backup, world.lake.location.uri)
    world.zone.delete(_LOST)
    later = [event("2018-11-17 10:00", sessionId=3, itemInSession=item) for item in range(3)]
    world.zone.logs(_LATER, *later)
    world.run()
    assert sorted(world.rows("songplays", "session_id")) == [1, 3, 3, 3]


def test_a_copy_is_another_lake(world: World, tmp_path: Path) -> None:
    """Tables have the same ids there, and versions of other content the same numbers."""
    world.zone.logs(_FIRST, event())
    world.run()
    copied = tmp_path / "copy"
    shutil.copytree(world.lake.location.uri, copied)
    copy = World(world.zone, lambda **given: world.settings(**{"lake": str(copied), **given}))
    world.zone.logs(_LOST, event("2018-11-16 10:00", sessionId=2))
    world.run()
    world.zone.logs(
        _LOST, *[event("2018-11-16 10:00", sessionId=2, itemInSession=i) for i in (1, 2)]
    )
    copy.run()
    assert sorted(copy.rows("songplays", "session_id")) == [1, 2, 2]
