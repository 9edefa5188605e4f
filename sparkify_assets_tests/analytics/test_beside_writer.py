"""Readers beside a writer, for a few seconds; the module's main does it for ten minutes."""

from __future__ import annotations

from pathlib import Path

from sparkify_assets_tests.analytics.beside_writer import watch


def test_no_answer_fails_or_mixes_states_while_months_are_rebuilt(tmp_path: Path) -> None:
    seen = watch(tmp_path, seconds=30)
    assert (seen.failed, seen.wrong) == ([], [])
    assert seen.runs > 1
    assert len(seen.releases_seen) > 1
    assert seen.answers > 50
