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
    checkpoint,
    pointed_at,
    pointer,
    read_checkpoint,
)
from sparkify_assets.lake.log import (
    POINTER,
    READER_VERSION,
    WRITER_VERSION,
    LogState,
    checkpoint_key,
)
from sparkify_assets.storage.location import Location
from sparkify_assets.storage.objects import entry_of, objects

_log = logging.getLogger(__name__)


def put_checkpoint(location: Location, state: LogState) -> None:
    """Put the checkpoint of a state of the table at a location, and point to it.

    Raises:
        StorageError, OSError: it could not be written; the table reads as before.
    """
    target = objects(location)
    key = checkpoint_key(state.version)
    try:
        target.put_new(key, _content(state))
    except OSError:
        # Another process was quicker, or this one: the reply to its first try was lost.
        if entry_of(target, key) is None:
            raise
        mend_checkpoint(location, state)
    else:
        _point_to(location, state)


def mend_checkpoint(location: Location, state: LogState) -> None:
    """See to the checkpoint that is there: that it is of this log, and pointed to.

    Raises:
        StorageError, OSError: it could not be read, or not mended; the table reads as before.
    """
    target = objects(location)
    key = checkpoint_key(state.version)
    if not _is_of(target.get(key), state):
        _log.warning(
            "%s/%s is of another log (of a table that was restored or made anew?) and is replaced",
            location.uri,
            key,
        )
        target.put(key, _content(state))
    _point_to(location, state)


def _content(state: LogState) -> bytes:
    return checkpoint(state, (READER_VERSION, WRITER_VERSION))


def _point_to(location: Location, state: LogState) -> None:
    """Have readers begin at the checkpoint of this state, unless they begin at a later one."""
    target = objects(location)
    try:
        version = pointed_at(target.get(POINTER))
    except (FileNotFoundError, BadAction):
        version = -1
    if version == state.version:
        return
    if version < state.version or entry_of(target, checkpoint_key(version)) is None:
        target.put(POINTER, pointer(state.version, state))


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
