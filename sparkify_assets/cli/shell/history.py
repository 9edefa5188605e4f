"""What was typed, kept from one shell to the next in a file that only its owner can read."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from prompt_toolkit.history import FileHistory


def history_file() -> Path:
    """`sparkify/sql_history` in the user's folder for such things."""
    state = os.environ.get("XDG_STATE_HOME", "")
    # The standard says that anything but an absolute path is to be passed over.
    folder = Path(state) if state.startswith("/") else Path("~/.local/state").expanduser()
    return folder / "sparkify" / "sql_history"


class KeptHistory(FileHistory):
    """A history in a file.

    Raises:
        OSError: the file cannot be read and written.
        RuntimeError: the user has no folder.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)) as file:
            os.fchmod(file.fileno(), 0o600)
        super().__init__(str(path))

    def load_history_strings(self) -> Iterable[str]:
        """What was typed, the newest first; nothing where the file is gone meanwhile."""
        try:
            return list(super().load_history_strings())
        except OSError:
            return []

    def store_string(self, string: str) -> None:
        """Keep what was typed; a full disk is no reason to stop typing."""
        with suppress(OSError):
            super().store_string(string)
