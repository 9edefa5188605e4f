"""Which lakes of yesterday there are, and unpacking them."""

from __future__ import annotations

import tarfile
from dataclasses import dataclass
from pathlib import Path

LANDING = "landing"
_ARCHIVES = Path(__file__).with_name("lakes")


@dataclass(frozen=True)
class Yesterday:
    """A lake as a former version wrote it; README.md says what is peculiar to its layout.

    Attributes:
        commit: of the code that wrote it.
        in_bucket: whether its landing zone was in a bucket; else it was a folder.
        maintained: whether that version had a maintenance, which then came last.
        released: whether it recorded releases.
        numbered: whether the ledger's log had numbers for its files, and there was a table
            user_history: both came at once.
    """

    name: str
    commit: str
    in_bucket: bool = True
    maintained: bool = True
    released: bool = True
    numbered: bool = True

    def __str__(self) -> str:
        return self.name


LAKES = (
    Yesterday(
        "bounds", "8303d98", in_bucket=False, maintained=False, released=False, numbered=False
    ),
    Yesterday(
        "delta-rs", "9d89393", in_bucket=False, maintained=False, released=False, numbered=False
    ),
    Yesterday("numbers", "3080af7", maintained=False, released=False),
    Yesterday("maintained", "0e5d84a", released=False),
    Yesterday("released", "1916da9"),
    Yesterday("hashed", "2b68c2f"),
)


def archive(name: str) -> Path:
    """Where a lake lies, or the landing zone."""
    return _ARCHIVES / f"{name}.tar.xz"


def unpack(name: str, to: Path) -> Path:
    """The folder of a lake, or of the landing zone, as it was."""
    with tarfile.open(archive(name)) as tar:
        tar.extractall(to, filter="data")
        return to / tar.getnames()[0]
