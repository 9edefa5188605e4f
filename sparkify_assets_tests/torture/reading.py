"""One task over a landing zone, without an engine: what it reports and what is in its parts."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pyarrow.parquet as pq

from sparkify_assets.ingest.files import LandingFile
from sparkify_assets.ingest.landing import SONG_SCOPE, Landing, Listing, landing_at
from sparkify_assets.ingest.task import TaskReport, Work, read_files
from sparkify_assets.partitions import months_between
from sparkify_assets.storage.location import Location
from sparkify_assets_tests.s3.fixtures import environment
from sparkify_assets_tests.s3.servers import MOTO, make_bucket, start
from sparkify_assets_tests.s3.zone import BucketZone
from sparkify_assets_tests.zone import Zone

FIRST_MONTH, LAST_MONTH = "2018-10", "2019-03"
MONTHS = set(months_between(FIRST_MONTH, LAST_MONTH))

Rows = dict[str, list[dict[str, Any]]]


class Reading:
    """A landing zone, and a folder for the parts that are written of it.

    Attributes:
        where: for people.
    """

    def __init__(self, zone: Zone, uri: str, where: str, parts: Path) -> None:
        self.zone = zone
        self.where = where
        self.landing: Landing = landing_at(uri)
        self._parts = parts

    def listing(self) -> Listing:
        """What lies there now."""
        return self.landing.list(MONTHS)

    def read(self, files: Sequence[LandingFile], landing: Landing | None = None) -> TaskReport:
        """Read these, logs by one task and songs by another; the report of both.

        Args:
            landing: reads them in another way.
        """
        report = TaskReport()
        for songs in (True, False):
            some = [file for file in files if (file.scope == SONG_SCOPE) is songs]
            if some:
                raw, rejects = (Location(str(self._parts / name)) for name in ("raw", "rejects"))
                work = Work(landing or self.landing, songs, "batch", raw, rejects)
                report.add(read_files(work, some))
        return report

    def rows(self, report: TaskReport) -> Rows:
        """The raw rows of the parts that a report names, by file."""
        return _by_file(self._parts / "raw", [part.path for part in report.raw.parts])

    def rejects(self, report: TaskReport) -> Rows:
        """The rejects of the parts that a report names, by file."""
        return _by_file(self._parts / "rejects", [part.path for part in report.rejects.parts])


def _by_file(folder: Path, paths: Sequence[str]) -> Rows:
    found: Rows = {}
    for path in paths:
        # Each by itself: of a folder Arrow would make columns.
        for row in pq.ParquetFile(folder / path).read().to_pylist():
            found.setdefault(row["source_file"], []).append(row)
    for rows in found.values():
        rows.sort(key=lambda row: row.get("line", 1))
    return found


@contextmanager
def in_a_folder() -> Iterator[Reading]:
    """An empty landing zone in a folder."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        yield Reading(Zone(root / "landing"), str(root / "landing"), "in a folder", root / "lake")


@contextmanager
def in_a_bucket() -> Iterator[Reading]:
    """An empty landing zone in a bucket on a server of its own; the parts lie in a folder."""
    with tempfile.TemporaryDirectory() as folder, start(MOTO) as server:
        make_bucket(server.endpoint, "landing")
        with patch.dict(os.environ, environment(server.endpoint)):
            uri = "s3://landing/in"
            zone = BucketZone(server.endpoint, uri)
            yield Reading(zone, uri, "in a bucket", Path(folder))


ZONES = (in_a_folder, in_a_bucket)
