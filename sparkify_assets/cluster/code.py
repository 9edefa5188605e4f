"""The project's code as a file for the workers, and a fingerprint of it.

The functions of the engine's tasks are pickled by name, so workers must be able to import them: the
very same code, as an older one might write other rows. It is small (pure Python, a few hundred
kilobytes), so it travels with every session and nobody has to install it anywhere.
"""

from __future__ import annotations

import atexit
import hashlib
import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

PACKAGE = "sparkify_assets"
# A ZIP can tell no earlier time; with the present one the same code would be another file.
_TIME = (1980, 1, 1, 0, 0, 0)


@cache
def code_digest() -> str:
    """Stands for the code of the package, wherever it was loaded from: 16 hexadecimal digits."""
    digest = hashlib.sha256()
    for name, content in _modules():
        digest.update(f"{name}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()[:16]


@cache
def packed_code() -> Path:
    """A ZIP with the package, as Spark takes it for `pyFiles`; kept until this process ends."""
    folder = tempfile.mkdtemp(prefix="sparkify-code-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    packed = Path(folder, f"{PACKAGE}-{code_digest()}.zip")
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in _modules():
            archive.writestr(zipfile.ZipInfo(name, _TIME), content, zipfile.ZIP_DEFLATED)
    return packed


def _modules() -> Iterator[tuple[str, bytes]]:
    yield from _below(files(PACKAGE), PACKAGE)


def _below(folder: Traversable, path: str) -> Iterator[tuple[str, bytes]]:
    for entry in sorted(folder.iterdir(), key=lambda found: found.name):
        name = f"{path}/{entry.name}"
        if entry.is_dir() and entry.name != "__pycache__":
            yield from _below(entry, name)
        elif entry.name.endswith(".py"):
            yield name, entry.read_bytes()
