"""Dagster's history in SQLite: the same events as with Dagster's own storage, in less time."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from uuid import uuid4

from dagster import AssetKey, AssetMaterialization, DagsterInstance, asset, materialize
from dagster._core.instance.ref import InstanceRef

from sparkify_assets.refresh.history import HeldEventLog, instance_of


@asset(check_specs=None)
def something() -> int:
    return 1


def _instance(home: Path) -> DagsterInstance:
    home.mkdir(exist_ok=True)
    (home / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    return instance_of(InstanceRef.from_dir(str(home)))


def test_what_it_wrote_dagsters_own_storage_reads(tmp_path: Path) -> None:
    with _instance(tmp_path) as instance:
        assert isinstance(instance.event_log_storage, HeldEventLog)
        run = materialize([something], instance=instance)
        kinds = [entry.dagster_event_type for entry in instance.all_logs(run.run_id)]
    with DagsterInstance.from_ref(InstanceRef.from_dir(str(tmp_path))) as plain:
        assert type(plain.event_log_storage) is not HeldEventLog
        assert [entry.dagster_event_type for entry in plain.all_logs(run.run_id)] == kinds
        assert len(kinds) > 10
        assert plain.get_latest_materialization_event(AssetKey("something")) is not None


_OPENING = """
import sys
from sparkify_assets.refresh.instance import open_instance
print("ready", flush=True)
sys.stdin.readline()
with open_instance() as instance:
    instance.get_runs(limit=1)
"""


def test_processes_may_be_the_first_all_at_once(tmp_path: Path) -> None:
    """Dagster makes its files in several steps, and another one in between breaks them for good."""
    (tmp_path / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    env = {**os.environ, "DAGSTER_HOME": str(tmp_path)}
    command = [sys.executable, "-c", _OPENING]
    pipes: dict[str, Any] = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    processes = [subprocess.Popen(command, env=env, text=True, **pipes) for _ in range(4)]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    told = [process.communicate(timeout=60)[1] for process in processes]
    assert [process.returncode for process in processes] == [0] * 4, told


def test_it_reads_what_others_write_meanwhile(tmp_path: Path) -> None:
    with _instance(tmp_path) as held:
        assert held.get_latest_materialization_event(AssetKey("x")) is None
        with DagsterInstance.from_ref(InstanceRef.from_dir(str(tmp_path))) as other:
            other.report_runless_asset_event(AssetMaterialization("x"))
        assert held.get_latest_materialization_event(AssetKey("x")) is not None


def test_who_watches_the_file_sees_each_event(tmp_path: Path) -> None:
    with _instance(tmp_path) as held:
        held.report_runless_asset_event(AssetMaterialization("x"))
        log = held.event_log_storage
        assert isinstance(log, HeldEventLog)
        index = Path(log.path_for_shard("index"))
        os.utime(index, (0, 0))
        held.report_runless_asset_event(AssetMaterialization("x"))
        assert time.time() - index.stat().st_mtime < 60


def test_nothing_is_left_in_the_write_ahead_log(tmp_path: Path) -> None:
    with _instance(tmp_path) as held:
        held.report_runless_asset_event(AssetMaterialization("x"))
        log = held.event_log_storage
        assert isinstance(log, HeldEventLog)
        index = Path(log.path_for_shard("index"))
    assert not index.with_name("index.db-wal").exists()
    with sqlite3.connect(index) as connection:
        assert connection.execute("SELECT count(*) FROM event_logs").fetchone() == (1,)


def test_dagster_yaml_can_name_it_for_the_ui_as_well(tmp_path: Path) -> None:
    (tmp_path / "dagster.yaml").write_text(
        "storage: {custom: {module: sparkify_assets.refresh.history, class: HeldStorage, "
        f"config: {{base_dir: '{tmp_path}'}}}}}}\ntelemetry: {{enabled: false}}\n"
    )
    for of in (instance_of, DagsterInstance.from_ref):
        with of(InstanceRef.from_dir(str(tmp_path))) as instance:
            assert isinstance(instance.event_log_storage, HeldEventLog)


def test_only_the_files_used_last_are_held(tmp_path: Path) -> None:
    with _instance(tmp_path) as held:
        log = held.event_log_storage
        assert isinstance(log, HeldEventLog)
        ids = [str(uuid4()) for _ in range(40)]
        for run in ids:
            assert log.get_logs_for_run(run) == []
        files = Path("/proc/self/fd").iterdir()
        opened = {path for file in files if (path := os.path.realpath(file)).endswith(".db")}
        assert log.path_for_shard(ids[-1]) in opened
        assert log.path_for_shard(ids[0]) not in opened
        assert len(opened) < 25
        assert log.get_logs_for_run(ids[0]) == []


def test_a_wiped_history_begins_anew(tmp_path: Path) -> None:
    with _instance(tmp_path) as held:
        first = materialize([something], instance=held)
        held.event_log_storage.wipe()
        assert held.all_logs(first.run_id) == []
        second = materialize([something], instance=held)
        assert len(held.all_logs(second.run_id)) > 10
