"""Putting a checkpoint: once for a version, never in place of the one that is there.

Readers fetch a checkpoint piece by piece, its end first, and would put pieces of two together. The
pointer to it, `_last_checkpoint`, is one small object that they fetch at once; it is a hint, and is
put again by the next maintenance where it is missing or behind.
"""

from __future__ import annotations

import logging

import pyarrow as pa

from sparkify_assets.errors import MALFORMED
from sparkify_assets.lake.actions import BadAction
from sparkify_assets.lake.checkpoint import (
    LAST_CHECKPOINT,
    checkpoint,
    pointed_at,
    pointer,
    read_checkpoint,
)
from sparkify_assets.lake.log import (
    LOG,
    READER_VERSION,
    WRITER_VERSION,
    LogState,
    checkpoint_key,
)
from sparkify_assets.storage.location import Location
from sparkify_assets.storage.objects import Objects, objects

_POINTER = f"{LOG}/{LAST_CHECKPOINT}"
_log = logging.getLogger(__name__)


def put_checkpoint(location: Location, state: LogState) -> None:
    """Put the checkpoint of a state of the table at a location, if it has none, and point to it.

    Raises:
        StorageError, OSError: it could not be written; the table reads as before.
    """
    target = objects(location)
    key = checkpoint_key(state.version)
    content = checkpoint(state, (READER_VERSION, WRITER_VERSION))
    try:
        target.put_new(key, content)
    except OSError:
        # Another process was quicker, or this one: the reply to its first try was lost.
        if not is_there(target, key):
            raise
        if not _is_of(target.get(key), state):
            _log.warning(
                "%s/%s is of another log (of a table that was restored or made anew?) and is "
                "replaced",
                location.uri,
                key,
            )
            target.put(key, content)
    _point_to(location, state)


def _point_to(location: Location, state: LogState) -> None:
    """Have readers begin at the checkpoint of this state, unless they begin at a later one."""
    target = objects(location)
    try:
        version = pointed_at(target.get(_POINTER))
    except (FileNotFoundError, BadAction):
        version = -1
    if version == state.version:
        return
    if version < state.version or not is_there(target, checkpoint_key(version)):
        target.put(_POINTER, pointer(state.version, state))


def is_there(target: Objects, key: str) -> bool:
    """Whether there is such an object."""
    return any(entry.key == key for entry in target.list(key))


def _is_of(content: bytes, state: LogState) -> bool:
    """Whether a checkpoint says the same of the table; what was removed may be told or not."""
    try:
        found = LogState().after(read_checkpoint(content), state.version, None)
    except (*MALFORMED, BadAction, pa.ArrowException):
        return False
    return (
        found.parts.keys() == state.parts.keys()
        and found.stamps == state.stamps
        and found.metadata.get("id") == state.metadata.get("id")
    )
