"""A changed transform needs a new code version, or old rows would pass as up to date.

`code_versions.json` holds, for each table and for the reader of landing files, the version and a
hash of the code. After a change that gives other rows, raise the version; after one that does not
(a comment, a name), leave it. Either way renew the file:
`python -m sparkify_assets_tests.test_code_versions`.
"""

from __future__ import annotations

import ast
import hashlib
import json
from pathlib import Path
from types import ModuleType

from sparkify_assets.ingest import fields, json_line, lines, parse, repair, task
from sparkify_assets.ingest.plan import READER_VERSION
from sparkify_assets.tables import BUILT
from sparkify_assets.transforms import catalogue, columns, events, listening, people

RECORD = Path(__file__).with_name("code_versions.json")

_EVENTS = (columns, events)
CODE: dict[str, tuple[ModuleType, ...]] = {
    "songs": (columns, catalogue),
    "artists": (columns, catalogue),
    "user_months": (*_EVENTS, people),
    "users": (columns, people),
    "heard_songs": (*_EVENTS, listening),
    "song_matches": (columns, catalogue, listening),
    "songplays": (*_EVENTS, listening),
    "time": (listening,),
}
READER = (fields, json_line, lines, parse, repair, task)


def _hash(modules: tuple[ModuleType, ...]) -> str:
    digest = hashlib.sha256()
    for module in modules:
        tree = ast.parse(Path(str(module.__file__)).read_text(encoding="utf-8"))
        for node in ast.walk(tree):  # documentation does not change rows
            if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
                node.value = ast.Constant("")
        digest.update(ast.dump(tree).encode())
    return digest.hexdigest()[:16]


def present() -> dict[str, dict[str, object]]:
    """Version and hash of everything, as it is now."""
    found: dict[str, dict[str, object]] = {
        table.name: {"version": table.code_version, "code": _hash(CODE[table.name])}
        for table in BUILT
    }
    found["reader"] = {"version": READER_VERSION, "code": _hash(READER)}
    return found


def test_the_code_is_the_one_that_its_version_stands_for() -> None:
    recorded = json.loads(RECORD.read_text(encoding="utf-8"))
    changed = [name for name, now in present().items() if recorded.get(name) != now]
    assert not changed, (
        f"the code of {changed} changed: raise code_version (tables/) or READER_VERSION "
        "(ingest/plan.py) if it gives other rows, then run "
        "`python -m sparkify_assets_tests.test_code_versions`"
    )


if __name__ == "__main__":
    RECORD.write_text(json.dumps(present(), indent=2) + "\n", encoding="utf-8")
