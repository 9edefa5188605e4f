"""The real input in a bucket: exactly the tables that the same files give in a folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from sparkify_assets_tests import processes
from sparkify_assets_tests.s3.fixtures import environment, new_bucket
from sparkify_assets_tests.s3.servers import Server, upload

pytestmark = pytest.mark.engines


def test_the_same_tables_as_from_a_folder(
    server: Server, real_data: Path, engine: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment(server.endpoint).items():
        monkeypatch.setenv(name, value)
    landing, lake = new_bucket(server), new_bucket(server)
    upload(server.endpoint, real_data, landing, "sparkify")
    first = processes.run(f"s3://{landing}/sparkify", f"s3://{lake}/of/all", engine)
    assert (first["files_read"], first["lines"], first["repaired"]) == (101, 8127, 326)
    processes.run(real_data, tmp_path / "lake")
    assert processes.tables(f"s3://{lake}/of/all") == processes.tables(tmp_path / "lake")
    again = processes.run(f"s3://{landing}/sparkify", f"s3://{lake}/of/all", engine)
    assert (again["files_read"], again["changed"]) == (0, [])
