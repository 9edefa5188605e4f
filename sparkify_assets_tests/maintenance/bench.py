"""A lake that many small runs take files into: with the calls that every test of upkeep makes."""

from __future__ import annotations

import json
from typing import Any

from dagster import AssetKey
from pyspark.sql import SparkSession

from sparkify_assets.composition import REFRESH, build_defs
from sparkify_assets.ingest.ingest import Ingested, ingest
from sparkify_assets.ingest.landing import SONG_SCOPE, landing_at
from sparkify_assets.ingest.ledger import read_ledger
from sparkify_assets.ingest.plan import Rules
from sparkify_assets.ingest.rejected import Reject, read_rejects
from sparkify_assets.lake.lake import Lake
from sparkify_assets.maintenance.batches import RAW_TABLES, Batch, find_batches, split
from sparkify_assets.maintenance.maintain import maintain
from sparkify_assets.maintenance.report import Maintained
from sparkify_assets.tables import BUILT, TABLES
from sparkify_assets_tests.refresh.world import World
from sparkify_assets_tests.zone import event

NOVEMBER = "2018-11"


class Bench:
    """One world; `take_in` goes past Dagster, as a run of its own for each file would take long."""

    def __init__(self, world: World, spark: SparkSession) -> None:
        self.world, self.zone, self.spark = world, world.zone, spark
        self.lake: Lake = world.lake
        self.lake.create_missing()

    def land(self, number: int, month: str = NOVEMBER, lines: int = 2) -> str:
        """One small log file: some events, and in every third a line that is none."""
        events = [
            event(
                f"{month}-{1 + number % 28:02d} 10:{item % 60:02d}",
                sessionId=number,
                itemInSession=item,
                userId=str(number % 7),
            )
            for item in range(lines)
        ]
        texts = [json.dumps(one) for one in events] + (["torn {"] if number % 3 == 0 else [])
        return self.zone.write(f"log_data/{month}-{number:03d}.json", "\n".join(texts))

    def take_in(self, **rules: Any) -> Ingested:
        """Take in what is new, as a run does first."""
        settings = self.world.settings()
        months = frozenset(settings.months)
        return ingest(
            self.lake,
            landing_at(settings.landing),
            lambda: self.spark,
            {*months, SONG_SCOPE},
            Rules(months, **rules),
        )

    def many(self, files: int, month: str = NOVEMBER) -> None:
        """Take in so many files, one by one."""
        for number in range(files):
            self.land(number, month)
            self.take_in()

    def maintain(self, grace_hours: int = 1, **given: Any) -> Maintained:
        return maintain(self.lake, grace_hours, self.world.settings().months, **given)

    def counting(self) -> dict[str, list[dict[str, Any]]]:
        """The raw rows that count, and the account of the files: all but the batch."""
        files = read_ledger(self.lake).files()
        named = {(file.source_file, file.batch) for file in files}
        found: dict[str, list[dict[str, Any]]] = {}
        for table in RAW_TABLES:
            rows = self.lake.snapshot(table).read().to_pylist()
            counting = [row for row in rows if (row["source_file"], row.pop("batch")) in named]
            found[table.name] = sorted(counting, key=lambda row: [row[name] for name in table.key])
        accounts = [file._asdict() for file in files]
        found["landed_files"] = [{**account, "batch": ""} for account in accounts]
        assert len(found["rejects"]) == sum(file.rejected for file in files)
        assert len(found["raw_logs"]) + len(found["raw_songs"]) == sum(file.rows for file in files)
        return found

    def rejects(self) -> list[Reject]:
        return list(read_rejects(self.lake))

    def parts(self, name: str) -> int:
        """How many files a table consists of."""
        return len(self.lake.snapshot(TABLES[name]).parts)

    def dead(self) -> list[Batch]:
        """Batches in the raw tables that the ledger does not name."""
        return split(find_batches(self.lake), read_ledger(self.lake))[1]

    def versions(self) -> dict[str, int]:
        """The version of every table."""
        return {name: self.lake.snapshot(table).version for name, table in TABLES.items()}

    def rebuild(self, month: str = NOVEMBER) -> None:
        """Make all tables of a month again from the raw rows, without reading a file."""
        job = build_defs(self.world.settings()).resolve_job_def(REFRESH)
        names = [table.name for table in BUILT]
        config = {"ops": {name: {"config": {"rebuild": True}} for name in names}}
        done = job.execute_in_process(
            asset_selection=[AssetKey(name) for name in names],
            partition_key=month,
            run_config=config,
        )
        assert done.success
