"""A run with keys that can be searched for, and the places where they must not be.

Each search is shown to look at the right place: it finds what belongs there.
"""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

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


def run(
    proxy: Proxy, folder: Path, engine: str, fault: str = "", instance: str = "", **more: str
) -> Run:
    """`sparkify run` with a Dagster instance and a temporary folder of its own.

    Args:
        fault: requests that are refused, as `METHOD path`.
        instance: more for the instance's dagster.yaml.
        more: variables of its environment.
    """
    home, temporary = folder / "home", folder / "temporary"
    home.mkdir()
    temporary.mkdir()
    shutil.copy(Path(os.environ["DAGSTER_HOME"], "dagster.yaml"), home)
    with (home / "dagster.yaml").open("a") as file:
        file.write(instance)
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
        **{"RUST_BACKTRACE": "1", **more},
    )
    while not (environment := (PROC / str(process.pid) / "environ").read_bytes()):
        time.sleep(0.01)  # it has not begun yet
    with watching() as arguments:
        out, err = process.communicate(timeout=570)
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
