"""Whether this version of the project knows what lies in a lake, and what a table there lacks.

A lake outlives the version that wrote it. Columns that were declared since, and may be null, are
read as null from what was written before; the first commit to a table says so in its log. All else
that differs is refused: what another version knows and this one does not would be lost.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from functools import lru_cache
from typing import NamedTuple

from sparkify_assets.errors import LakeError
from sparkify_assets.lake.actions import Action
from sparkify_assets.lake.log import LOG, READER_VERSION, WRITER_VERSION, LogState
from sparkify_assets.storage.location import Location
from sparkify_assets.storage.objects import objects
from sparkify_assets.tables import TABLES, Table

_OUT = "use the version that wrote it, or set SPARKIFY_LAKE to another folder and run again"


class _Column(NamedTuple):
    type: str
    nullable: bool


def check_table(table: Table, state: LogState, location: Location) -> None:
    """Refuse a table that cannot be read as it is declared. Whoever writes: also `check_writer`.

    Raises:
        LakeError: its reader version or a column is not known here, a column is of another type,
            may be null and is declared as required, or is not there and is; or the partitions
            differ.
    """
    _check_reader(state, location)
    declared, found = _columns(table.delta_schema), _columns(state.metadata["schemaString"])
    partitions = list(state.metadata["partitionColumns"])
    missing = [n for n, column in declared.items() if n not in found and not column.nullable]
    unknown = [name for name in found if name not in declared]
    both = [name for name in declared if name in found]
    retyped = [name for name in both if declared[name].type != found[name].type]
    required = [n for n in both if found[n].nullable and not declared[n].nullable]
    differs = missing or unknown or retyped or required
    if not differs and partitions == list(table.partition_by):
        return
    raise LakeError(
        f"{location.uri} is not the table {table.name} that this version of the project writes "
        f"(missing columns: {missing or 'none'}; columns that it does not know: "
        f"{unknown or 'none'}; other types: {retyped or 'none'}; may be null there, but not here: "
        f"{required or 'none'}; partitioned by {partitions or 'nothing'}, declared "
        f"{list(table.partition_by) or 'nothing'}); {_OUT}"
    )


def check_writer(state: LogState, location: Location) -> None:
    """Refuse to write a table that is read well, but asks more of writers than is known here.

    To write is also to remove files and to write checkpoints: which files belong to the table, and
    what a checkpoint has to keep, is up to the writer version.

    Raises:
        LakeError: its writer version is not known here.
    """
    _, writer = state.protocol
    if writer > WRITER_VERSION:
        raise LakeError(
            f"{location.uri}/{LOG} asks for Delta's writer version {writer}; this version of the "
            f"project knows those up to {WRITER_VERSION}: it can read the table, but not write "
            f"it; {_OUT}"
        )


def _check_reader(state: LogState, location: Location) -> None:
    reader, _ = state.protocol
    if reader > READER_VERSION:
        raise LakeError(
            f"{location.uri}/{LOG} asks for Delta's reader version {reader}; this version of the "
            f"project knows those up to {READER_VERSION}; {_OUT}"
        )


def widened(table: Table, state: LogState) -> list[Action]:
    """What a commit has to say before it names parts with all declared columns.

    That is the `metaData` action of a table that lacks some of them, or in which one is required
    that may be null now; nothing where the log says so already. It goes into the same version as
    the parts: there is no moment in between to crash in, and of two writers the second one finds
    that it is said.
    """
    declared, found = _columns(table.delta_schema), _columns(state.metadata["schemaString"])
    if all(found.get(name) == column for name, column in declared.items()):
        return []
    metadata = state.metadata
    return [
        {
            "metaData": {
                "id": metadata["id"],
                "name": table.name,
                "description": table.description,
                "format": {"provider": "parquet", "options": {}},
                "schemaString": table.delta_schema,
                "partitionColumns": list(table.partition_by),
                # A checkpoint gives a map without pairs as an empty list.
                "configuration": dict(metadata.get("configuration") or {}),
                "createdTime": metadata.get("createdTime"),
            }
        }
    ]


def check_tables(lake: Location, folders: Collection[str]) -> None:
    """Refuse a lake with a table that is not declared here.

    Args:
        folders: the names of those right below the lake.

    Raises:
        LakeError: one of them is such a table. A folder without a log is none.
    """
    others = sorted(name for name in folders if name not in TABLES and name[:1] not in ("_", "."))
    unknown = [name for name in others if objects(lake.join(name)).list(f"{LOG}/")]
    if unknown:
        raise LakeError(
            f"{lake.uri} holds tables that this version of the project does not know: "
            f"{', '.join(unknown)}; a run would leave them behind the others; move them out of "
            f"this folder if they are not the project's, else {_OUT}"
        )


@lru_cache(maxsize=256)
def _columns(schema: str) -> dict[str, _Column]:
    """By name, the columns of a schema as the log has it."""
    return {
        field["name"]: _Column(json.dumps(field["type"]), bool(field["nullable"]))
        for field in json.loads(schema)["fields"]
    }
