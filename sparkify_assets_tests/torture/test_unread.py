"""What is kept of an answer that could not be read."""

from __future__ import annotations

from pathlib import Path

import grpc._common
import pytest
from pyspark.sql.connect.proto import AnalyzePlanResponse

from sparkify_assets_tests.torture.unread import keep_unread, unread


def test_it_is_kept_with_its_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grpc._common, "deserialize", grpc._common.deserialize)  # put back later
    folder = tmp_path / "process"
    folder.mkdir()
    keep_unread(folder)
    good = AnalyzePlanResponse(session_id="one").SerializeToString()
    read = grpc._common.deserialize(good, AnalyzePlanResponse.FromString)
    assert isinstance(read, AnalyzePlanResponse)
    assert read.session_id == "one"
    assert grpc._common.deserialize(b"\xff\xff", AnalyzePlanResponse.FromString) is None
    (told,) = unread(tmp_path).values()
    assert "(2 bytes: ffff)" in told
    assert "AnalyzePlanResponse" in told
    assert "DecodeError" in told
