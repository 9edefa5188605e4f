"""What must hold after something went wrong: at once, for readers, and after the next run."""

from __future__ import annotations

import json
from collections.abc import Iterator

from sparkify_assets_tests.torture.operations import Operation
from sparkify_assets_tests.torture.scene import Scene
from sparkify_assets_tests.torture.tally import LOST, OTHER
from sparkify_assets_tests.torture.verdict import neither, torn, unequal

Broken = tuple[str, str]


def at_once(scene: Scene, operation: Operation, lake: str) -> Iterator[Broken]:
    """Promises that do not hold right now: kind and words of each.

    Each table is as before or as after the operation; the newest release, which SQL reads, is so
    as a whole.
    """
    before, after = operation.tables_before, operation.tables_after
    recorded = scene.releases(lake)
    try:
        yield from neither(scene.reader.tables(lake), before, after)
        if recorded:
            versions = json.loads(recorded[-1])["versions"]
            yield from torn(scene.reader.tables(lake, versions), before, after)
    except Exception as error:  # noqa: BLE001 -- whatever it is: nobody is to see it
        yield LOST, f"a table cannot be read: {error}"


def afterwards(scene: Scene, operation: Operation, lake: str) -> Iterator[Broken]:
    """The same, after one more undisturbed run: everything is as if nothing had happened."""
    env = scene.env(operation.landing, lake)
    done = scene.zygote.run(*operation.arguments, env=env)
    if done.code:
        yield OTHER, f"the next run ended with {done.code}: {done.out}{done.err}"
        return
    try:
        yield from unequal(scene.reader.tables(lake), operation.tables_after)
        yield from unequal(scene.reader.account(lake), operation.account_after)
        versions = json.loads(scene.releases(lake)[-1])["versions"]
        yield from unequal(scene.reader.tables(lake, versions), operation.tables_after)
    except Exception as error:  # noqa: BLE001 -- as above
        yield LOST, f"a table cannot be read after the next run: {error}"
    again = scene.zygote.run("run", "--format", "json", env=env)
    if again.code:
        yield OTHER, f"one more run ended with {again.code}: {again.out}{again.err}"
    elif json.loads(again.out)["changed"]:
        yield OTHER, f"one more run changed {json.loads(again.out)['changed']}"
