"""The packages that tasks on a cluster need, as one archive that travels with the session.

They are copied from the environment of this process, so workers have exactly the driver's versions
and nothing is fetched. Only what tasks import goes in: about a third of the whole environment, and
neither PySpark, which every cluster has, nor Dagster. An archive and not a ZIP of modules, because
compiled packages cannot be imported from a ZIP; and no virtual environment, which would name the
path of an interpreter: `bin/python` in it starts the worker's own Python with these packages.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import sys
import sysconfig
import tarfile
import tempfile
from collections.abc import Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from sparkify_assets.cluster.worker import NEEDED
from sparkify_assets.errors import EngineError

# The folder that Spark unpacks the archive to, in a worker's own.
FOLDER = "sparkify_environment"
PYTHON = f"./{FOLDER}/bin/python"
_PACKAGES = "packages"
_LEFT_OUT = {"__pycache__", "tests", "include"}
_FORM = "1"  # of the archive; another one has another name

_LAUNCHER = """\
#!/bin/sh
# The Python of this machine, with the packages that came with the session.
here=$(cd "$(dirname "$0")/.." && pwd)
wanted=python{version}
command -v "$wanted" > /dev/null 2>&1 || wanted=python3
PYTHONPATH="$here/{packages}${{PYTHONPATH:+:$PYTHONPATH}}" exec "$wanted" "$@"
"""


def cached_environment() -> Path:
    """The archive for this environment, made when it is first asked for and kept.

    Raises:
        EngineError: a package is not installed in the usual way, or the archive cannot be written.
    """
    found = list(_distributions())
    target = _cache() / f"environment-{_digest(found)}.tar.gz"
    if not target.exists():
        _write(found, target)
    return target


def pack_environment(target: Path) -> list[str]:
    """Write the archive; the packages in it, as name==version.

    Args:
        target: the file, best with `.tar.gz` at its end, by which Spark knows what it is.

    Raises:
        EngineError: as `cached_environment`.
    """
    found = list(_distributions())
    _write(found, target)
    return [_named(one) for one in found]


def _cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "sparkify")


def _distributions() -> Iterator[Distribution]:
    """Of the packages that tasks need and, step by step, those that these need."""
    waiting, seen = list(NEEDED), set()
    while waiting:
        name = canonicalize_name(waiting.pop(0))
        if name in seen:
            continue
        seen.add(name)
        try:
            found = distribution(name)
        except PackageNotFoundError:
            raise EngineError(
                f"the package {name} is not installed here, so it cannot be sent to the workers; "
                "install the project with its dependencies, or set SPARKIFY_WORKER_ENV=installed "
                "where the workers have all that they need"
            ) from None
        yield found
        for text in found.requires or ():
            requirement = Requirement(text)
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                waiting.append(requirement.name)


def _digest(found: list[Distribution]) -> str:
    described = [_FORM, sys.version, sysconfig.get_platform(), *sorted(map(_named, found))]
    return hashlib.sha256("\n".join(described).encode()).hexdigest()[:16]


def _named(found: Distribution) -> str:
    return f"{found.name}=={found.version}"


def _write(found: list[Distribution], target: Path) -> None:
    """In place of `target` when it is complete, so that nobody sees half of it."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=target.parent, delete=False) as raw:
            try:
                with (
                    gzip.GzipFile(fileobj=raw, mode="wb", compresslevel=1, mtime=0) as packed,
                    tarfile.open(fileobj=packed, mode="w") as archive,
                ):
                    _fill(archive, found)
                raw.flush()  # what the compressor gave last, before the name says it is whole
                os.fsync(raw.fileno())
                os.fchmod(raw.fileno(), 0o644)
                Path(raw.name).replace(target)
            except BaseException:
                Path(raw.name).unlink(missing_ok=True)
                raise
    except OSError as error:
        raise EngineError(
            f"{target}: the packages for the workers cannot be written there ({error.strerror}); "
            "make room, set XDG_CACHE_HOME to a folder that can be written, or set "
            "SPARKIFY_WORKER_ENV to an archive that `sparkify pack` made elsewhere"
        ) from error


def _fill(archive: tarfile.TarFile, found: list[Distribution]) -> None:
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    launcher = _LAUNCHER.format(version=version, packages=_PACKAGES)
    _add(archive, "bin/python", launcher.encode(), 0o755)
    for one in found:
        if one.files is None:
            raise EngineError(
                f"{_named(one)} was installed without a list of its files, so it cannot be sent to "
                "the workers; install it from a wheel"
            )
        for path in one.files:
            if ".." in path.parts or not _LEFT_OUT.isdisjoint(path.parts):
                continue  # a command of the package, or what nobody imports
            source = Path(str(one.locate_file(path)))
            if source.is_file():
                mode = 0o755 if os.access(source, os.X_OK) else 0o644
                _add(archive, f"{_PACKAGES}/{path.as_posix()}", source.read_bytes(), mode)


def _add(archive: tarfile.TarFile, name: str, content: bytes, mode: int) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(content), mode
    archive.addfile(entry, io.BytesIO(content))
