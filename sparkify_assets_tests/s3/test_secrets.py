"""The secret key and the session token of a run are nowhere but in its memory and environment.

Each search is shown to look at the right place: it finds what belongs there.
"""

from __future__ import annotations

import os
import pickle
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from sparkify_assets.composition import REFRESH, build_defs
from sparkify_assets.ingest.landing import landing_at
from sparkify_assets.settings import load_settings
from sparkify_assets.storage.access import s3_access
from sparkify_assets.storage.location import Location
from sparkify_assets.storage.s3a import s3a_settings
from sparkify_assets_tests import processes
from sparkify_assets_tests.s3.fixtures import new_bucket
from sparkify_assets_tests.s3.proxy import Proxy
from sparkify_assets_tests.s3.zone import BucketZone
from sparkify_assets_tests.zone import event

MARK = "SECRETSECRET"
ACCESS = "AKIAOFTHESECRETTEST"
KEYS = {
    "AWS_ACCESS_KEY_ID": ACCESS,
    "AWS_SECRET_ACCESS_KEY": f"{MARK}wJalrXUtnFEMI+bPxRfiCYEXAMPLEKEY",
    "AWS_SESSION_TOKEN": f"{MARK}FwoGZXIvYXdzEBYaDEXAMPLETOKEN",
}
PROC = Path("/proc")


class Run(NamedTuple):
    """What a run left behind."""

    code: int
    shown: str
    home: Path
    temporary: Path
    arguments: set[str]
    environment: bytes


def holding(folder: Path, text: str) -> list[Path]:
    """The files below a folder that hold the text."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return [path for path in files if text.encode() in path.read_bytes()]


@pytest.fixture(params=["environment", "dl.cfg"])
def source(request: pytest.FixtureRequest, on_moto: Proxy, monkeypatch: pytest.MonkeyPatch) -> str:
    """Where the keys come from."""
    for name in KEYS:
        monkeypatch.delenv(name, raising=False)
    if request.param == "environment":
        for name, value in KEYS.items():
            monkeypatch.setenv(name, value)
    else:
        lines = [f"{name}={value}" for name, value in KEYS.items()]
        Path("dl.cfg").write_text("\n".join(["[AWS]", *lines, ""]))
    return str(request.param)


def run(proxy: Proxy, folder: Path, engine: str, fault: str = "") -> Run:
    """`sparkify run` with a Dagster instance and a temporary folder of its own."""
    home, temporary = folder / "home", folder / "temporary"
    home.mkdir()
    temporary.mkdir()
    shutil.copy(Path(os.environ["DAGSTER_HOME"], "dagster.yaml"), home)
    landing, lake = new_bucket(proxy), new_bucket(proxy)
    zone = BucketZone(proxy.endpoint, f"s3://{landing}/in")
    zone.logs("log_data/2018-11-15-events.json", event())
    zone.song()
    if fault:
        proxy.fail(fault, 403, "AccessDenied")
    proxy.requests()
    process = processes.start(
        "run",
        SPARKIFY_LANDING=f"s3://{landing}/in",
        SPARKIFY_LAKE=f"s3://{lake}/lake",
        SPARKIFY_ENGINE=engine,
        SPARKIFY_LAST_MONTH="2018-12",
        DAGSTER_HOME=str(home),
        TMPDIR=str(temporary),
        RUST_BACKTRACE="1",
    )
    while not (environment := (PROC / str(process.pid) / "environ").read_bytes()):
        time.sleep(0.01)  # it has not begun yet
    with watching() as arguments:
        out, err = process.communicate(timeout=300)
    by = {(r.access_key, r.session_token) for r in proxy.requests() if r.access_key}
    assert by == {(ACCESS, KEYS["AWS_SESSION_TOKEN"])}, f"these keys and no others: {err}"
    return Run(process.returncode, out + err, home, temporary, arguments, environment)


@contextmanager
def watching() -> Iterator[set[str]]:
    """The arguments of all processes that there are meanwhile."""
    seen: set[str] = set()
    over = threading.Event()

    def watch() -> None:
        while not over.wait(0.05):
            for folder in PROC.iterdir():
                if folder.name.isdigit():
                    try:
                        seen.add((folder / "cmdline").read_bytes().decode(errors="replace"))
                    except OSError:  # it ended
                        continue

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield seen
    finally:
        over.set()
        thread.join()


def check_nowhere(done: Run, source: str, engine: str) -> None:
    """The keys are in none of the places, and these were looked at."""
    assert (MARK.encode() in done.environment) is (source == "environment")
    assert MARK not in done.shown
    assert [path for path in holding(done.home, "raw_logs") if "runs" in str(path)]
    assert not holding(done.home, MARK)
    assert not holding(done.temporary, MARK)
    assert [path.name for path in holding(Path.cwd(), MARK)] == ["dl.cfg"] * (source == "dl.cfg")
    assert any("from sparkify_assets.cli import" in one for one in done.arguments)
    assert engine == "embedded" or any("java" in one for one in done.arguments)
    assert not [one for one in done.arguments if MARK in one]


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
