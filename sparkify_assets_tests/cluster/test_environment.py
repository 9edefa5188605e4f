"""The packages for the workers: a Python without any can import them from the archive."""

from __future__ import annotations

import importlib.metadata
import subprocess
import tarfile
from pathlib import Path

import pytest

from sparkify_assets.cluster import environment
from sparkify_assets.cluster.code import packed_code
from sparkify_assets.cluster.environment import cached_environment, pack_environment
from sparkify_assets.cluster.worker import NEEDED
from sparkify_assets.errors import EngineError
from sparkify_assets_tests.cluster.machines import SPARK_HOME, bare_python


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The archive as Spark unpacks it on a worker."""
    folder = tmp_path_factory.mktemp("packed")
    packed = pack_environment(folder / "environment.tar.gz")
    assert {f"{name}=={importlib.metadata.version(name)}" for name in NEEDED} <= set(packed)
    with tarfile.open(folder / "environment.tar.gz") as archive:
        archive.extractall(folder / "worker", filter="data")
    return folder / "worker"


def _versions(python: Path, path: str) -> str:
    program = f"import {', '.join(NEEDED)}; print(*[m.__version__ for m in ({', '.join(NEEDED)})])"
    done = subprocess.run(
        [str(python), "-c", program], env={"PATH": path}, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_a_python_without_packages_finds_them(unpacked: Path, tmp_path: Path) -> None:
    bare = bare_python(tmp_path / "bare")
    with pytest.raises(subprocess.CalledProcessError):
        _versions(bare / "python3", "/usr/bin:/bin")
    found = _versions(unpacked / "bin" / "python", f"{bare}:/usr/bin:/bin")
    assert found.split() == [importlib.metadata.version(name) for name in NEEDED]


def test_a_worker_may_call_its_python_python3_only(unpacked: Path, tmp_path: Path) -> None:
    bare = bare_python(tmp_path / "bare")
    only = tmp_path / "only"
    only.mkdir()
    (only / "python3").symlink_to(bare / "python3")
    for name in ("sh", "dirname"):
        (only / name).symlink_to(f"/bin/{name}")
    assert _versions(unpacked / "bin" / "python", str(only))


def test_it_is_packed_once_for_the_same_packages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(environment, "NEEDED", ("six",))
    first = cached_environment()
    before = first.stat().st_mtime_ns
    assert cached_environment() == first
    assert first.stat().st_mtime_ns == before
    monkeypatch.setattr(environment, "NEEDED", ("jmespath",))
    assert cached_environment() != first
    assert {path.suffix for path in (tmp_path / "sparkify").iterdir()} == {".gz"}


def test_where_it_cannot_be_written_the_way_out_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    monkeypatch.setattr(environment, "NEEDED", ("six",))
    with pytest.raises(EngineError, match="XDG_CACHE_HOME"):
        cached_environment()


def test_a_package_that_is_not_installed_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(environment, "NEEDED", ("six", "no-such-package"))
    with pytest.raises(EngineError, match=r"no-such-package.*SPARKIFY_WORKER_ENV=installed"):
        pack_environment(tmp_path / "environment.tar.gz")


@pytest.mark.parametrize(
    "module",
    [
        "cluster.worker",
        "ingest.task",
        "lake.frames",
        "lake.parts",
        "checks.elsewhere",
        "transforms.people",
    ],
)
def test_a_worker_can_import_what_its_tasks_are_made_of(
    unpacked: Path, tmp_path: Path, module: str
) -> None:
    """With Spark's own PySpark, as there, and no other package than those of the archive."""
    bare = bare_python(tmp_path / "bare")
    spark = sorted(map(str, (SPARK_HOME / "python" / "lib").glob("*.zip")))
    done = subprocess.run(
        [str(unpacked / "bin" / "python"), "-c", f"import sparkify_assets.{module}"],
        env={
            "PATH": f"{bare}:/usr/bin:/bin",
            "PYTHONPATH": ":".join([str(packed_code()), *spark]),
        },
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
