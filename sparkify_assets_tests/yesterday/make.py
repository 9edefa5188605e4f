"""Writes the lakes of yesterday: `python -m sparkify_assets_tests.yesterday.make [NAME …]`.

The code of a former commit is taken from the repository's history and run, as it stood, with the
packages of today, in a process of its own: twice, as files landed twice, then its maintenance, if
it had one. Where it knows buckets, the landing zone is one on a moto server, whose tags are of the
content and thus the same wherever the lake is unpacked; else a folder. Without names all are
written, and the landing zone. See README.md for which commits and why.
"""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable, Collection
from pathlib import Path

from sparkify_assets_tests.s3.fixtures import environment, new_bucket
from sparkify_assets_tests.s3.servers import MOTO, Server, start
from sparkify_assets_tests.s3.zone import BucketZone
from sparkify_assets_tests.yesterday import landing
from sparkify_assets_tests.yesterday.old_lakes import LAKES, LANDING, Yesterday, archive
from sparkify_assets_tests.zone import Zone

_ROOT = Path(__file__).parents[2]
# The entry point had another name at first.
_START = "from sparkify_assets import cli; (getattr(cli, 'command', None) or cli.main)()"


def main(names: Collection[str]) -> None:
    """Write these lakes, or all and the landing zone."""
    with start(MOTO) as server, tempfile.TemporaryDirectory() as aside:
        for lake in LAKES:
            if not names or lake.name in names:
                _make(lake, server, Path(aside, lake.name))
        if not names:
            zone = Zone(Path(aside, LANDING, "landing"))
            landing.first(zone)
            landing.second(zone)
            _pack(zone.root, archive(LANDING))


def _make(lake: Yesterday, server: Server, work: Path) -> None:
    code = work / "code"
    code.mkdir(parents=True)
    former = subprocess.run(
        ["git", "archive", lake.commit], cwd=_ROOT, check=True, capture_output=True
    )
    with tarfile.open(fileobj=io.BytesIO(former.stdout)) as tar:
        tar.extractall(code, filter="data")
    if lake.in_bucket:
        uri = f"s3://{new_bucket(server)}/in"
        zone: Zone = BucketZone(server.endpoint, uri)
    else:
        uri = str(work / "landing")
        zone = Zone(Path(uri))
    env = {
        **os.environ,
        **environment(server.endpoint),
        "PYTHONPATH": str(code),
        "SPARKIFY_LANDING": uri,
        "SPARKIFY_LAKE": str(work / "lake"),
        "SPARKIFY_ENGINE": "embedded",
        "SPARKIFY_FIRST_MONTH": "2018-10",
        "SPARKIFY_LAST_MONTH": "2019-03",
    }
    steps: list[Callable[[Zone], None]] = [landing.first, landing.second]
    for land in steps:
        land(zone)
        _run(code, env, "run")
    if lake.maintained:
        _run(code, env, "maintain")
    _pack(work / "lake", archive(lake.name))
    print(f"{lake.name}: {archive(lake.name).stat().st_size:,} bytes")  # noqa: T201


def _run(code: Path, env: dict[str, str], command: str) -> None:
    subprocess.run([sys.executable, "-c", _START, command], cwd=code, env=env, check=True)


def _pack(folder: Path, to: Path) -> None:
    with tarfile.open(to, "w:xz") as tar:
        tar.add(folder, folder.name, filter=_nobody)


def _nobody(info: tarfile.TarInfo) -> tarfile.TarInfo:
    """Without whose it was."""
    info.uid = info.gid = 0
    info.uname = info.gname = ""
    return info


if __name__ == "__main__":
    main(sys.argv[1:])
