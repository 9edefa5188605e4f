"""What must hold after something went wrong: at once, for readers, and after the next run."""

from __future__ import annotations

import json
from collections.abc import Iterator

from sparkify_assets_tests.torture.operations import Operation
from sparkify_assets_tests.torture.scene import Scene
from sparkify_assets_tests.torture.tally import LOST, OTHER, Broken
from sparkify_assets_tests.torture.verdict import neither, torn, unequal


def at_once(scene: Scene, operation: Operation, lake: str, *, done: bool) -> Iterator[Broken]:
    """Promises that do not hold right now: kind and words of each.

    Each table is as before or as after the operation, and as after it where the process says that
    it is `done`; the newest release, which SQL reads, is one of both as a whole.
    """
    before, after = operation.tables_before, operation.tables_after
    try:
        newest, released = scene.reader.with_release(lake, _newest_release(scene, lake))
    except Exception as error:  # noqa: BLE001 -- whatever it is: nobody is to see it
        yield LOST, f"a table cannot be read: {error}"
        return
    yield from neither(newest, before, after)
    if done:
        yield from unequal(newest, after)
    if released:
        yield from torn(released, before, after)


def afterwards(scene: Scene, operation: Operation, lake: str) -> Iterator[Broken]:
    """The same, after one more undisturbed run: everything is as if nothing had happened."""
    env = scene.env(operation.landing, lake)
    for arguments in operation.recovery:
        done = scene.zygote.run(*arguments, env=env)
        if done.code:
            yield OTHER, f"the next {arguments[0]} ended with {done.code}: {done.out}{done.err}"
            return
    try:
        newest, released = scene.reader.with_release(lake, _newest_release(scene, lake))
        account = scene.reader.account(lake)
    except Exception as error:  # noqa: BLE001 -- as above
        yield LOST, f"a table cannot be read after the next run: {error}"
        return
    yield from unequal(newest, operation.tables_after)
    yield from unequal(released, operation.tables_after)
    yield from unequal(account, operation.account_after)
    if not released:
        yield OTHER, "the next run recorded no release"
    again = scene.zygote.run("run", "--format", "json", env=env)
    if again.code:
        yield OTHER, f"one more run ended with {again.code}: {again.out}{again.err}"
    elif json.loads(again.out)["changed"]:
        yield OTHER, f"one more run changed {json.loads(again.out)['changed']}"


def _newest_release(scene: Scene, lake: str) -> dict[str, int] | None:
    """The versions of the newest release, None where there is none yet."""
    recorded = scene.releases(lake)
    return dict(json.loads(recorded[-1])["versions"]) if recorded else None
