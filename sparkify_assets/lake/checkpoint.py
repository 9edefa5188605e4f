"""Checkpoints of a Delta log: all of its state in one Parquet file, so that a reader that begins
need not read every commit. Written by whoever makes each tenth version, and by the maintenance
(`checkpoint_writer`). Commits from before one are removed after a day, so it may be all there is.
"""

from __future__ import annotations

import io
import json
import time
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from sparkify_assets.errors import MALFORMED
from sparkify_assets.lake.actions import BadAction

if TYPE_CHECKING:
    from sparkify_assets.lake.log import LogState

LAST_CHECKPOINT = "_last_checkpoint"
EVERY = 10
# As long as Delta keeps the names of removed files by default.
_KEEP_REMOVED_MS = 7 * 24 * 3_600_000

_STRINGS = pa.map_(pa.string(), pa.string())
_SCHEMA = pa.schema(
    {
        "txn": pa.struct({"appId": pa.string(), "version": pa.int64(), "lastUpdated": pa.int64()}),
        "add": pa.struct(
            {
                "path": pa.string(),
                "partitionValues": _STRINGS,
                "size": pa.int64(),
                "modificationTime": pa.int64(),
                "dataChange": pa.bool_(),
                "stats": pa.string(),
            }
        ),
        "remove": pa.struct(
            {
                "path": pa.string(),
                "deletionTimestamp": pa.int64(),
                "dataChange": pa.bool_(),
            }
        ),
        "metaData": pa.struct(
            {
                "id": pa.string(),
                "name": pa.string(),
                "description": pa.string(),
                "format": pa.struct({"provider": pa.string(), "options": _STRINGS}),
                "schemaString": pa.string(),
                "partitionColumns": pa.list_(pa.string()),
                "configuration": _STRINGS,
                "createdTime": pa.int64(),
            }
        ),
        "protocol": pa.struct({"minReaderVersion": pa.int32(), "minWriterVersion": pa.int32()}),
    }
)


def checkpoint(state: LogState, protocol: tuple[int, int]) -> bytes:
    """The content of a checkpoint."""
    oldest = time.time_ns() // 1_000_000 - _KEEP_REMOVED_MS
    rows: list[dict[str, Any]] = [
        {"protocol": {"minReaderVersion": protocol[0], "minWriterVersion": protocol[1]}},
        {"metaData": _with_pairs(state.metadata)},
    ]
    rows += [{"txn": {"appId": key, "version": value}} for key, value in state.stamps.items()]
    rows += [
        {
            "add": {
                "path": part.path,
                "partitionValues": list(part.partition.items()),
                "size": part.size,
                "modificationTime": part.added_at,
                "dataChange": False,
                "stats": json.dumps({"numRecords": part.rows, "nullCount": dict(part.nulls)}),
            }
        }
        for part in state.parts.values()
    ]
    rows += [
        {"remove": {"path": path, "deletionTimestamp": when, "dataChange": False}}
        for path, when in state.removed.items()
        if when > oldest
    ]
    out = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows, schema=_SCHEMA), out, compression="zstd")
    return out.getvalue()


def pointer(version: int, state: LogState) -> bytes:
    """The content of `_last_checkpoint`."""
    size = 2 + len(state.stamps) + len(state.parts) + len(state.removed)
    return json.dumps({"version": version, "size": size}).encode()


def pointed_at(content: bytes) -> int:
    """The version that the content of a `_last_checkpoint` names.

    Raises:
        BadAction: it names none.
    """
    try:
        return int(json.loads(content)["version"])
    except MALFORMED as error:
        raise BadAction(
            f"{LAST_CHECKPOINT} names no version ({type(error).__name__}); remove it, and the log "
            "is read without it"
        ) from None


def read_checkpoint(content: bytes) -> list[dict[str, Any]]:
    """The actions in a checkpoint, also in one that another writer of Delta logs made."""
    table = pq.read_table(io.BytesIO(content))
    actions = []
    for name in table.column_names:
        column = table[name]
        actions += [{name: _plain(value)} for value in column.drop_null().to_pylist()]
    return [action for action in actions if next(iter(action.values())) is not None]


def _with_pairs(metadata: Any) -> dict[str, Any]:
    """Maps as pairs, which is how Arrow takes them."""
    form = metadata.get("format") or {}
    return {
        **metadata,
        "format": {"provider": "parquet", "options": list((form.get("options") or {}).items())},
        "configuration": list((metadata.get("configuration") or {}).items()),
    }


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(found) for key, found in value.items()}
    if isinstance(value, list) and value and all(isinstance(v, tuple) for v in value):
        return dict(value)
    if isinstance(value, list) and not value:
        return []
    return value
