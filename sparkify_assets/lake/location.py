"""Where a table lies, and what each library needs to get there.

A location is small and can be pickled, so that tasks on other machines open it themselves.
"""

from __future__ import annotations

import atexit
import errno
import os
import re
import shutil
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pyarrow.fs as pafs


@dataclass(frozen=True)
class Location:
    """A folder of the lake.

    Attributes:
        uri: an absolute local path. The only kind served so far; everything that depends on the
            kind stands in this class.
    """

    uri: str

    def join(self, name: str) -> Location:
        """A folder or file below this one."""
        return Location(f"{self.uri}/{name}")

    @property
    def path(self) -> str:
        """The path inside `filesystem()`."""
        return self.uri

    def for_engines(self) -> str:
        """A path that every engine takes as it is.

        Sail takes characters beyond the plainest ones for parts of a URL, and Spark some for
        patterns; for such a folder it is a link with a plain name, as long as the process lives.
        """
        return self.uri if _PLAIN.fullmatch(self.uri) else _link(self.uri)

    def filesystem(self) -> pafs.FileSystem:
        """pyarrow's file system for this location."""
        return pafs.LocalFileSystem()

    @property
    def storage_options(self) -> dict[str, str]:
        """What deltalake needs besides the URI."""
        return {}

    def check_writable(self) -> None:
        """Raise PermissionError where nothing may be written here."""
        if not os.access(self.uri, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), self.uri)

    def make(self) -> None:
        """Make the folder; OSError where that is not possible."""
        Path(self.uri).mkdir(parents=True, exist_ok=True)


_PLAIN = re.compile(r"[A-Za-z0-9_./-]*")


@cache
def _link(path: str) -> str:
    folder = tempfile.mkdtemp(prefix="sparkify-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    link = Path(folder, "table")
    link.symlink_to(path)
    return str(link)
