"""Answers of the engine that its client could not read: gRPC tells nobody, so they are kept here.

A step to which that happens is tried again (`refresh/failures.py`), so that nothing breaks by it.
With what is kept the cause may be found.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grpc._common

_PREFIX = "unread-"
_MOST_BYTES = 4_000


def keep_unread(folder: Path) -> None:
    """From now on, each one of this process goes into a file of this folder."""
    read = grpc._common.deserialize

    def deserialize(message: bytes, parse: Callable[[bytes], Any] | None) -> Any:
        found = read(message, parse)
        if found is None and parse is not None:
            again = [read(message, parse) is not None for _ in range(3)]
            kept = {
                "type": getattr(getattr(parse, "__self__", None), "__name__", str(parse)),
                "bytes": len(message),
                "read_again": again,
                "begins_with": message[:_MOST_BYTES].hex(),
            }
            name = f"{_PREFIX}{os.getpid()}-{time.monotonic_ns()}.json"
            (folder / name).write_text(json.dumps(kept))
        return found

    grpc._common.deserialize = deserialize


def unread(folder: Path) -> Iterator[str]:
    """Those of all processes whose folders are anywhere in this one, for people, a line each."""
    for file in sorted(folder.rglob(f"{_PREFIX}*.json")):
        yield f"an answer of the engine could not be read: {file.read_text()}"
