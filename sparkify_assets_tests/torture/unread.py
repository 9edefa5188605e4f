"""Answers of the engine that its client could not read: gRPC tells nobody, so they are kept here.

What was kept first showed that compressed answers came as they were; see `resources/connect.py`.
"""

from __future__ import annotations

import json
import os
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import grpc._common

_PREFIX = "unread-"


def keep_unread(folder: Path) -> None:
    """From now on, each one of this process goes into a file of this folder."""
    read = grpc._common.deserialize

    def deserialize(message: bytes, parse: Callable[[bytes], Any] | None) -> Any:
        if parse is None:
            return read(message, parse)
        try:
            return parse(message)
        except Exception:  # noqa: BLE001 -- whatever it is, gRPC makes nothing of it, as here
            kept = {"error": traceback.format_exc(), "bytes": message.hex()}
            name = f"{_PREFIX}{os.getpid()}-{time.monotonic_ns()}.json"
            with suppress(OSError):  # its caller would wait for ever
                (folder / name).write_text(json.dumps(kept))
            return None

    grpc._common.deserialize = deserialize


def unread(folder: Path) -> dict[str, str]:
    """Those of all processes whose folders are anywhere in this one: files, and what is wrong."""
    found = {}
    for file in sorted(folder.rglob(f"{_PREFIX}*.json")):
        kept = json.loads(file.read_text())
        error = kept["error"].strip().splitlines()[-1]
        found[str(file)] = f"{error} ({len(kept['bytes']) // 2} bytes: {kept['bytes'][:200]})"
    return found
