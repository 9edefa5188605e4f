"""The secret key and the session token of a run are nowhere but in its memory and environment."""

from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any

import pytest

from sparkify_assets.composition import REFRESH, build_defs
from sparkify_assets.ingest.landing import landing_at
from sparkify_assets.settings import load_settings
from sparkify_assets.storage.access import s3_access
from sparkify_assets.storage.location import Location
from sparkify_assets.storage.s3a import s3a_settings
from sparkify_assets_tests.s3.proxy import Proxy
from sparkify_assets_tests.s3.secret_run import (
    MARK,
    check_nowhere,
    holding,
    run,
)


@pytest.mark.engines
def test_a_run_shows_and_keeps_no_secret(
    on_moto: Proxy, source: str, engine: str, tmp_path: Path
) -> None:
    done = run(on_moto, tmp_path, engine)
    assert done.code == 0, done.shown
    assert "1 rejected" in done.shown or "0 rejected" in done.shown
    assert holding(done.home, "delta_version"), "materializations are stored"
    assert holding(done.home, "sparkify/engine"), "tags are stored"
    check_nowhere(done, source, engine)


@pytest.mark.parametrize(
    "fault", ["PUT .*/raw_logs/.*parquet", "GET .*/raw_logs/.*parquet", "GET .*/in/log_data/"]
)
def test_a_run_that_fails_shows_and_keeps_no_secret(
    on_moto: Proxy, source: str, engine: str, fault: str, tmp_path: Path
) -> None:
    done = run(on_moto, tmp_path, engine, fault)
    assert done.code == 1
    assert "access denied" in done.shown
    if "in/" not in fault:
        assert holding(done.home, "Traceback") or holding(done.home, "STEP_FAILURE")
    check_nowhere(done, source, engine)


# What is passed around in a process.


def forms(value: Any) -> list[str]:
    """All that a value shows of itself."""
    found = [repr(value), str(value)]
    found.append(pickle.dumps(value).decode("latin-1"))
    for name in ("model_dump_json", "to_json"):
        if hasattr(value, name):
            found.append(getattr(value, name)())
    return found


def test_the_forms_of_a_value_would_show_a_secret() -> None:
    assert all(MARK in form for form in forms(Location(f"s3://{MARK}")))


def test_nothing_that_is_passed_around_holds_a_secret(source: str, engine: str) -> None:
    settings = load_settings(landing="s3://landing/in", lake="s3://lake", engine=engine)
    assert settings.aws_secret_access_key is not None
    assert MARK in settings.aws_secret_access_key.get_secret_value()
    assert MARK in os.environ["AWS_SECRET_ACCESS_KEY"]
    access = s3_access()
    assert MARK in str(access.delta_options()), "the keys are these"
    landing = landing_at(settings.landing)
    for value in (settings, access, landing, Location(settings.lake)):
        for form in forms(value):
            assert MARK not in form
    assert MARK not in str(access.variables())
    assert MARK not in str(access.object_store("bucket"))
    assert engine == "embedded" or MARK not in str(s3a_settings(access))


def test_settings_come_back_from_a_pickle_without_keys(source: str) -> None:
    settings = load_settings(landing="s3://landing/in", lake="s3://lake")
    again = pickle.loads(pickle.dumps(settings))  # noqa: S301 -- our own
    assert again.landing == settings.landing
    assert again.aws_secret_access_key is None
    assert settings.aws_secret_access_key is not None


def test_the_definitions_hold_no_secret(source: str) -> None:
    from dagster._core.remote_representation.external_data import RepositorySnap
    from dagster._serdes import serialize_value

    settings = load_settings(landing="s3://the-landing/in", lake="s3://lake")
    definitions = build_defs(settings)
    assert definitions.resources is not None
    for name, resource in definitions.resources.items():
        for form in (repr(resource), str(resource), resource.model_dump_json()):
            assert MARK not in form, name
    assert MARK not in repr(definitions)
    repository = definitions.get_repository_def()
    snapshot = serialize_value(RepositorySnap.from_def(repository))
    assert "the-landing" in snapshot
    assert REFRESH in snapshot
    assert MARK not in snapshot
