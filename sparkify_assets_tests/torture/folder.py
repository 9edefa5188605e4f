"""The sweep over a folder: at each change of it a process is killed, or the disk is full."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from sparkify_assets_tests.torture import disk
from sparkify_assets_tests.torture.operations import Operation
from sparkify_assets_tests.torture.scene import FolderScene, folder_scenes
from sparkify_assets_tests.torture.sweep import Lane, Sweep
from sparkify_assets_tests.torture.tally import Say, Tally
from sparkify_assets_tests.torture.zygote import Ended, Started


@dataclass(frozen=True)
class ChangeTrap:
    """Something at the change with a number, from 1."""

    name: str
    what: str
    at: int
    log: Path

    def env(self, lake: str) -> Mapping[str, str]:
        self.log.unlink(missing_ok=True)
        return disk.fault(lake, self.log, self.at, self.what)

    def arm(self, scene: FolderScene, process: Started) -> None:
        """The process knows."""

    def sprung(self, scene: FolderScene, ended: Ended | None) -> bool:  # noqa: ARG002
        if self.what in (disk.KILL, disk.TEAR):
            return ended is not None and ended.killed
        return disk.failed(self.log)


def folder_sweep(
    folder: Path, until: float, say: Say, *, workers: int = 2, only: str = ""
) -> Tally:
    """Sweep all changes that the operations make to a lake, up to a moment of `time.monotonic()`.

    Args:
        only: a point, as a failure names it.
    """
    tally = Tally("folder")
    folder.mkdir(parents=True, exist_ok=True)
    env = disk.build(folder)
    with folder_scenes(folder, workers, env) as scenes:
        lanes = partial(_lanes, folder)
        Sweep(scenes, lanes, tally, say, repeat="make torture ONLY=folder", only=only).run(until)
    return tally


def _lanes(
    folder: Path, scene: FolderScene, operations: Mapping[str, Operation]
) -> list[Lane[FolderScene]]:
    lanes: list[Lane[FolderScene]] = []
    for operation in operations.values():
        made, lake = changes_of(scene, operation, folder)
        scene.drop(lake)
        writes, syncs = (
            [n for n, one in enumerate(made, 1) if one.name == name]
            for name in (disk.WRITE, disk.SYNC)
        )
        others = [n for n, one in enumerate(made, 1) if one.name not in (disk.WRITE, disk.SYNC)]
        for name, what, numbers, weight in (
            ("kills at opened, linked, moved and removed files", disk.KILL, others, 4),
            ("kills after writes", disk.KILL, writes, 1),
            ("kills after syncs", disk.KILL, syncs, 1),
            ("writes torn in half", disk.TEAR, writes, 1),
            ("disk full from there on", disk.FULL, [*others, *writes], 1),
            ("permission lost from there on", disk.DENIED, others, 1),
            ("syncs fail from there on", disk.UNSYNCED, syncs, 1),
        ):
            trap = partial(_trap, folder, name, what, numbers)
            lanes.append(Lane(operation.name, name, len(numbers), trap, weight))
    return lanes


def changes_of(
    scene: FolderScene, operation: Operation, folder: Path
) -> tuple[list[disk.Change], str]:
    """All changes that an operation makes to a lake, in their order, and that lake.

    Args:
        folder: where they are written down.
    """
    lake, log = scene.new_lake(operation.before), folder / f"{operation.name}.log"
    env = {**scene.env(operation.landing, lake), **disk.fault(lake, log)}
    done = scene.zygote.run(*operation.arguments, env=env)
    assert done.code == 0, done.err
    made = disk.changes(log)
    unseen = [one for one in made if one.name not in disk.KNOWN]
    assert not unseen, f"changes at which nothing can go wrong, add them to disk.c: {unseen}"
    return made, lake


def _trap(folder: Path, name: str, what: str, numbers: list[int], point: int) -> ChangeTrap:
    log = folder / f"{threading.get_ident()}.log"  # of each worker its own
    return ChangeTrap(name, what, numbers[point], log)
