"""A loss of power: what a commit names is on the disk before it, and the commit when it returns.

Nothing here cuts the power. The changes that a process makes to a folder are written down, with
its syncs, in their order; from these follows what a disk may have lost at each moment.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from sparkify_assets.lake.log import LOG
from sparkify_assets_tests.torture import disk
from sparkify_assets_tests.torture.disk import Change
from sparkify_assets_tests.torture.folder import changes_of
from sparkify_assets_tests.torture.operations import OPERATIONS
from sparkify_assets_tests.torture.scene import folder_scene
from sparkify_assets_tests.torture.tally import LOST, Say, Tally


def power(folder: Path, say: Say) -> Tally:
    """Do all operations in a folder, and look at the order of their changes."""
    tally = Tally("power")
    folder.mkdir(parents=True, exist_ok=True)
    with folder_scene(folder, disk.build(folder)) as scene:
        for name, make in OPERATIONS.items():
            say(name)
            made, _ = changes_of(scene, make(scene), folder)
            tally.counts["changes"] += len(made)
            tally.counts["commits"] += sum(map(_commits, made))
            for what in lost_with_the_power(made):
                tally.fail(LOST, f"{name}: {what}", "make torture ONLY=power")
    assert tally.counts["commits"] > len(OPERATIONS), "nothing was seen of what was done"
    return tally


def lost_with_the_power(made: Sequence[Change]) -> Iterable[str]:
    """What may be missing after a loss of power although something that needs it is there.

    Args:
        made: all changes, in their order.
    """
    unsynced: set[str] = set()  # files with content, and folders with names, not on the disk yet
    open_commits: set[str] = set()  # whose folder is not synced yet
    for change in made:
        path = Path(change.path)
        if change.name in ("open", "mkdir"):
            unsynced.add(str(path.parent))
        elif change.name == "write":
            unsynced.add(change.path)
        elif change.name == "sync":
            unsynced.discard(change.path)
            open_commits = {one for one in open_commits if str(Path(one).parent) != change.path}
        elif change.name in ("link", "rename"):
            if change.path in unsynced:
                yield f"{change.other} is put before its content is on the disk"
            if _commits(change):
                yield from (
                    f"{one} is not on the disk when the next commits" for one in open_commits
                )
                yield from _named_and_lost(Path(change.other), unsynced)
                open_commits = {change.other}
            unsynced.add(str(Path(change.other).parent))
    yield from (f"{one} is not on the disk at the end" for one in open_commits)


def _commits(change: Change) -> bool:
    """Whether it makes something visible: a version of a log, or a release."""
    there = Path(change.other)
    return (
        change.name == "link"
        and there.suffix == ".json"  # a checkpoint says nothing that its commits do not
        and there.parent.name in (LOG, "_releases")
    )


def _named_and_lost(commit: Path, unsynced: set[str]) -> Iterable[str]:
    """Parts that a commit names, and which are not on the disk with all of their folders."""
    if commit.parent.name != LOG:
        return
    if not commit.exists():
        yield f"{commit} is gone at the end: whatever it named could not be looked at"
        return
    table = commit.parent.parent
    for line in commit.read_text().splitlines():
        action = json.loads(line)
        if "add" not in action:
            continue
        part = table / action["add"]["path"]
        lost = sorted({str(one) for one in (part, *part.parents)} & unsynced)
        if lost:
            yield f"{commit} names {part}, but {lost[0]} is not on the disk"
