"""Upkeep of a lake in a bucket: alone, with lost replies, and beside runs in other processes."""

from __future__ import annotations

import re
from collections import Counter

import pytest
from deltalake import DeltaTable

from sparkify_assets.refresh.plan import make_plan
from sparkify_assets.storage.requests import REQUESTS
from sparkify_assets.tables import RAW_LOGS
from sparkify_assets_tests import processes
from sparkify_assets_tests.maintenance.bench import Bench
from sparkify_assets_tests.maintenance.test_dead import interrupted
from sparkify_assets_tests.refresh.world import World
from sparkify_assets_tests.s3.proxy import Proxy
from sparkify_assets_tests.s3.test_requests import families

FILES = 20


def test_many_small_parts_in_a_bucket_become_few(s3_bench: Bench, on_moto: Proxy) -> None:
    bench = s3_bench
    bench.many(FILES)
    bench.zone.song()
    bench.world.run()
    bench.land(50)
    interrupted(bench)
    bench.zone.delete("log_data/2018-11-050.json")
    tables, counting = bench.world.tables(), bench.counting()
    on_moto.requests()
    before = REQUESTS.made()
    report = bench.maintain(grace_hours=0)
    asked = on_moto.requests()
    assert REQUESTS.since(before) == Counter(r.kind for r in asked), families(asked)
    logs = report.tables["raw_logs"]
    assert (logs.batches_compacted, logs.dead_files, logs.files_after) == (FILES, 1, 1)
    assert logs.replaced == FILES + 1
    assert bench.counting() == counting
    assert bench.world.tables() == tables
    assert not make_plan(bench.world.settings()).needed
    location = bench.lake.table_location(RAW_LOGS)
    theirs = DeltaTable(location.uri, storage_options=location.storage_options)
    assert theirs.to_pyarrow_table().num_rows == len(counting["raw_logs"])
    bench.rebuild()
    assert bench.world.tables() == tables


@pytest.mark.parametrize("table", ["landed_files", "raw_logs"])
def test_a_commit_whose_reply_is_lost_counts_once(
    s3_bench: Bench, on_moto: Proxy, table: str
) -> None:
    """That of the ledger, and that by which rows are put in or taken out."""
    bench = s3_bench
    bench.many(FILES)
    bench.land(0, lines=3)
    bench.take_in()
    counting = bench.counting()
    version = bench.versions()[table]
    on_moto.requests()
    on_moto.drop_reply(commits := rf"PUT .*/{table}/_delta_log/\d+\.json", times=1)
    report = bench.maintain()
    # It was put, then seen in the log, and not put again.
    tried = [request for request in on_moto.requests() if re.search(commits, request.line)]
    assert len({request.path for request in tried}) == bench.versions()[table] - version == 2
    assert report.failed == {}
    assert bench.counting() == counting
    assert (bench.parts("raw_logs"), bench.dead()) == (1, [])


def test_runs_of_new_files_and_maintenances_at_the_same_time(
    s3_bench: Bench, on_moto: Proxy
) -> None:
    bench, settings = s3_bench, s3_bench.world.settings()
    bench.many(FILES)
    bench.world.run()
    years = {"SPARKIFY_FIRST_MONTH": "2018-10", "SPARKIFY_LAST_MONTH": "2019-03"}
    lake = ("--lake", settings.lake, "--format", "json")
    for round_ in range(2):
        for number in range(3):
            bench.land(100 + 3 * round_ + number)
        bench.land(round_, lines=4)  # taken in before with two rows
        run = processes.start(
            "run", "--landing", settings.landing, *lake, "--engine", settings.engine, **years
        )
        reports = []
        while run.poll() is None:
            reports.append(
                processes.finish(processes.start("maintain", *lake, SPARKIFY_GRACE_HOURS="1"))
            )
        summary = processes.finish(run)
        assert reports
        assert all(report["failed"] == {} for report in reports)
        assert summary["files_read"] == 4, summary
    bench.lake.look()
    assert len(bench.counting()["landed_files"]) == FILES + 6
    assert len(bench.counting()["raw_logs"]) == 2 * (FILES - 2 + 6) + 2 * 4
    bench.maintain()
    assert bench.dead() == []
    fresh = World(
        bench.zone, lambda **more: bench.world.settings(lake=f"{settings.lake}-2", **more)
    )
    fresh.run()
    assert bench.world.tables() == fresh.tables()
    assert bench.world.run().run_ids == []
