"""A folder that is made beside another one and then takes its place, at once."""

from __future__ import annotations

import ctypes
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from glob import escape
from pathlib import Path
from types import TracebackType

from sparkify_assets.errors import StorageError
from sparkify_assets.storage.failures import explained
from sparkify_assets.storage.location import Location

_HERE = -100  # AT_FDCWD
_EXCHANGE = 2  # RENAME_EXCHANGE


class Staging:
    """A new folder beside `folder`. It holds a lock on it, so that others know that it is in use.

    Attributes:
        path: where the new content is written.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()
        self._location = Location(str(folder), "sparkify export")
        self._lock = -1
        self.path = self._folder

    def __enter__(self) -> Staging:
        parent = self._folder.parent
        with explained_here(self._location):
            parent.mkdir(parents=True, exist_ok=True)
            self._remove_dead()
            while True:
                self.path = Path(tempfile.mkdtemp(prefix=self._prefix, dir=parent))
                self._lock = os.open(self.path, os.O_RDONLY)
                fcntl.flock(self._lock, fcntl.LOCK_EX)
                if self.path.is_dir():
                    break
                os.close(self._lock)  # another export took it for a dead one just then
            mask = os.umask(0)
            os.umask(mask)
            self.path.chmod(0o777 & ~mask)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        shutil.rmtree(self.path, ignore_errors=True)
        os.close(self._lock)

    def put_in_place(self) -> None:
        """Let the new folder take the other's place; what was there before is removed."""
        with explained_here(self._location):
            if not self._folder.exists():
                self.path.rename(self._folder)
            elif not _exchange(self.path, self._folder):
                # Where the two cannot change places at once, there is none for a moment.
                before = self.path.with_name(f"{self.path.name}-before")
                self._folder.rename(before)
                self.path.rename(self._folder)
                before.rename(self.path)

    @property
    def _prefix(self) -> str:
        return f".{self._folder.name}.export-"

    def _remove_dead(self) -> None:
        """Remove what exports left that were killed."""
        for found in self._folder.parent.glob(f"{escape(self._prefix)}*"):
            with suppress(OSError):
                lock = os.open(found, os.O_RDONLY | os.O_DIRECTORY)
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    shutil.rmtree(found, ignore_errors=True)
                finally:
                    os.close(lock)


@contextmanager
def explained_here(location: Location, operation: str = "PutObject") -> Iterator[None]:
    """Errors of reading or writing a place, in our own words."""
    try:
        yield
    except StorageError:
        raise
    except OSError as error:
        if location.on_s3:
            raise explained(error, operation, location) from None
        raise StorageError(
            f"{location.uri} cannot be {'read' if operation == 'GetObject' else 'written'}: "
            f"{error.strerror or error}; expected a folder with room that may be made and written"
        ) from None


def _exchange(one: Path, other: Path) -> bool:
    """Let two folders change places, as Linux can."""
    try:
        exchange = ctypes.CDLL(None, use_errno=True).renameat2
    except AttributeError:
        return False
    return bool(exchange(_HERE, os.fsencode(one), _HERE, os.fsencode(other), _EXCHANGE) == 0)
