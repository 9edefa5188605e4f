"""What is tortured: the first load, a change, a rebuild and a maintenance of a small lake.

Small, and yet everything that the protocol has to deal with: an event after midnight in another
month than its file, the same event in two files, a torn line, a replaced and a removed file, a
song that arrives after it was heard, batches to put together, and rows of a run that died.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sparkify_assets_tests.torture.plain import Tables
from sparkify_assets_tests.torture.scene import Scene
from sparkify_assets_tests.zone import Json, Zone, event

FIRST, CHANGE, REBUILD, MAINTENANCE = "first load", "change", "rebuild", "maintenance"
_SMALL_FILES = 10  # one more than are left alone, and a run that died


@dataclass(frozen=True)
class Operation:
    """A command on a lake, and what is seen of that lake before and after it.

    Attributes:
        before: the lake to begin with, None where there is none yet.
        tables_before, tables_after: the five tables.
        account_after: the ledger, and the raw rows that count.
    """

    name: str
    arguments: tuple[str, ...]
    landing: str
    before: str | None
    tables_before: Tables
    tables_after: Tables
    account_after: Tables

    @property
    def recovery(self) -> list[tuple[str, ...]]:
        """What comes next anyhow: a run, and a maintenance where one was disturbed."""
        return [("maintain",), ("run",)] if self.name == MAINTENANCE else [("run",)]


class Failed(Exception):
    """A process that nothing was done to did not end well."""


def run(scene: Scene, landing: str, lake: str, *arguments: str) -> None:
    """A command that must end well.

    Raises:
        Failed: it did not.
    """
    done = scene.zygote.run(*(arguments or ("run",)), env=scene.env(landing, lake))
    if done.code:
        raise Failed(f"{' '.join(arguments) or 'run'} ended with {done.code}: {done.out}{done.err}")


def first_load(scene: Scene) -> Operation:
    """All files into a lake that is not there yet."""
    zone, landing = scene.zone()
    base(zone)
    return _operation(scene, FIRST, ("run",), landing, None)


def change(scene: Scene) -> Operation:
    """A new, a replaced and a removed file, and a new song, on a lake that has the others."""
    zone, landing, lake = _loaded(scene)
    _changed(zone)
    return _operation(scene, CHANGE, ("run",), landing, lake)


def rebuild(scene: Scene) -> Operation:
    """Everything read and made again, and nothing is to be seen of it."""
    _, landing, lake = _loaded(scene)
    return _operation(scene, REBUILD, ("run", "--rebuild"), landing, lake)


def maintenance(scene: Scene) -> Operation:
    """Batches put together, dead rows and files removed, and nothing is to be seen of it."""
    zone, landing = scene.zone()
    base(zone)
    lake = scene.new_lake()
    for number in range(_SMALL_FILES):
        zone.logs(f"log_data/2018-12-{10 + number}-events.json", *events("2018-12", 10 + number))
        run(scene, landing, lake)
    _changed(zone)
    run(scene, landing, lake)
    return _operation(scene, MAINTENANCE, ("maintain",), landing, lake)


OPERATIONS: Mapping[str, Callable[[Scene], Operation]] = {
    FIRST: first_load,
    CHANGE: change,
    REBUILD: rebuild,
    MAINTENANCE: maintenance,
}


def _loaded(scene: Scene) -> tuple[Zone, str, str]:
    """A landing zone, its URI, and a lake with a first load of it."""
    zone, landing = scene.zone()
    base(zone)
    lake = scene.new_lake()
    run(scene, landing, lake)
    return zone, landing, lake


def _operation(
    scene: Scene, name: str, arguments: tuple[str, ...], landing: str, before: str | None
) -> Operation:
    """With what is seen before it, and after it was done undisturbed."""
    lake = scene.new_lake(before)
    tables_before = scene.reader.tables(lake)
    run(scene, landing, lake, *arguments)
    after, account = scene.reader.tables(lake), scene.reader.account(lake)
    scene.drop(lake)
    return Operation(name, arguments, landing, before, tables_before, after, account)


def base(zone: Zone) -> None:
    """The files of a first load."""
    zone.logs("log_data/2018-11-01-events.json", *events("2018-11", 1))
    late = event("2018-12-01 00:10:00", sessionId=30, itemInSession=1, userId="3")
    zone.logs("log_data/2018-11-30-events.json", *events("2018-11", 30), late)
    lines = [json.dumps(one) for one in events("2018-12", 5)]
    zone.write("log_data/2018-12-05-events.json", "\n".join([*lines, '{"page": "NextSo']))
    # The same events once more: each counts once.
    zone.logs("log_data/2018-12-06-events.json", *events("2018-12", 5), *events("2018-12", 6))
    zone.logs("log_data/2018-12-07-events.json", *events("2018-12", 7))
    zone.song("SO1", title="One", duration=100.0)
    zone.song("SO2", title="Two", duration=200.0)


def _changed(zone: Zone) -> None:
    paid = [{**one, "level": "free"} for one in events("2018-11", 1)]
    extra = event("2018-11-01 15:00:00", sessionId=1, itemInSession=9, userId="1", song="Three")
    zone.logs("log_data/2018-11-01-events.json", *paid, extra)
    zone.logs("log_data/2018-11-15-events.json", *events("2018-11", 15))
    zone.delete("log_data/2018-12-07-events.json")
    zone.song("SO3", title="Three", duration=300.0)


def events(month: str, day: int) -> list[Json]:
    """Three plays and a look at the home page, by two users."""
    plays = [
        event(
            f"{month}-{day:02d} 1{item}:00:00.796",
            sessionId=day,
            itemInSession=item,
            userId=str(1 + (day + item) % 4),
            song=song,
            length=length,
            level="paid" if (day + item) % 2 else "free",
        )
        for item, (song, length) in enumerate([("One", 100.0), ("Two", 200.0), ("Three", 300.0)])
    ]
    home = event(
        f"{month}-{day:02d} 14:00:00.001", sessionId=day, itemInSession=3, page="Home",
        song=None, artist=None, length=None, userId=str(1 + day % 4),
    )  # fmt: skip
    return [*plays, home]
