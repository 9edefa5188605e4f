"""Where a table lies, and what each library needs to get there.

A location is small and can be pickled, so that tasks on other machines open it themselves.
"""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass
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
