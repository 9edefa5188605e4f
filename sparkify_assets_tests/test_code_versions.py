"""A changed transform needs a new code version, or old rows would pass as up to date.

`code_versions.json` holds, for each table and for the reader of landing files, the version and a
hash of the code. After a change that gives other rows, raise the version; after one that does not
(a comment, a name), leave it. Either way renew the file:
`python -m sparkify_assets_tests.test_code_versions`.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from types import ModuleType

from sparkify_assets import partitions
from sparkify_assets.ingest import fields, json_line, landing, lines, once, parse, raw, repair, task
from sparkify_assets.ingest.plan import READER_VERSION
from sparkify_assets.tables import BUILT
from sparkify_assets.transforms import catalogue, columns, events, listening, people

RECORD = Path(__file__).with_name("code_versions.json")

_EVENTS = (columns, events, once, raw, partitions)
CODE: dict[str, tuple[ModuleType, ...]] = {
    "songs": (columns, catalogue, raw),
    "artists": (columns, catalogue, raw),
    "user_months": (*_EVENTS, people),
    "user_history": (columns, people),
    "users": (columns, people),
    "heard_songs": (*_EVENTS, listening),
    "song_matches": (columns, catalogue, listening, raw),
    "songplays": (*_EVENTS, listening),
    "time": (listening,),
}
READER = (fields, json_line, landing, lines, parse, repair, task)


def _hash(modules: tuple[ModuleType, ...]) -> str:
    digest = hashlib.sha256()
    for module in modules:
        digest.update(Path(str(module.__file__)).read_bytes())
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
