"""One file of a copy: a part byte by byte, with its partition's columns or with later ones put in,
or without rows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from sparkify_assets.analytics.staging import explained_here
from sparkify_assets.errors import LakeError, StorageError
from sparkify_assets.lake.log import StoredPart
from sparkify_assets.lake.row_groups import row_groups
from sparkify_assets.lake.scan import scan_part
from sparkify_assets.storage.failures import explained, is_missing
from sparkify_assets.storage.location import Location
from sparkify_assets.tables import Table

_CHUNK_BYTES = 8 << 20


class Source(NamedTuple):
    """A part of a table in the lake."""

    location: Location
    part: StoredPart


@dataclass(frozen=True)
class Piece:
    """One file of a copy.

    Attributes:
        key: relative to the copy.
        whole: whether the partition's columns stand in the file.
        source: what is copied; None for a file without rows.
        older: whether the part may lack columns, which are to stand in the copy.
    """

    table: Table
    key: str
    rows: int
    whole: bool
    source: Source | None = None
    older: bool = False

    @property
    def schema(self) -> pa.Schema:
        """The columns that stand in the file, where it is written here."""
        names = self.table.names if self.whole else self.table.inside
        return pa.schema([self.table.plain_schema.field(name) for name in names])


def copy_piece(piece: Piece, to: Location) -> None:
    """Write one file of a copy.

    Raises:
        LakeError: the part is gone.
        StorageError: something cannot be read or written.
    """
    filesystem, root = to.arrow()
    path = f"{root}/{piece.key}"
    with explained_here(to):
        if not to.on_s3:
            Path(path).parent.mkdir(parents=True, exist_ok=True)
        out = filesystem.open_output_stream(path)
    try:
        if piece.source is not None and not piece.whole and not piece.older:
            for chunk in _bytes(piece.source):
                with explained_here(to):
                    out.write(chunk)
        else:
            _write_rows(piece, out, to)
        with explained_here(to):
            out.close()
    except BaseException:
        with suppress(Exception):
            out.close()
        raise


def rows_of_copy(piece: Piece, to: Location) -> int:
    """How many rows a written file has, by its footer."""
    filesystem, root = to.arrow()
    with explained_here(to, "GetObject"):
        try:
            with filesystem.open_input_file(f"{root}/{piece.key}") as file:
                return int(pq.read_metadata(file).num_rows)
        except pa.ArrowInvalid as error:
            raise LakeError(
                f"{to.uri}/{piece.key} is no Parquet file ({str(error).splitlines()[0]}); nothing "
                "was replaced"
            ) from None


def _write_rows(piece: Piece, out: Any, to: Location) -> None:
    with explained_here(to):
        writer = pq.ParquetWriter(out, piece.schema, compression="zstd")
    for group in row_groups(_batches(piece)):
        with explained_here(to):
            writer.write_table(group, group.num_rows)
    with explained_here(to):
        writer.close()


def _batches(piece: Piece) -> Iterator[pa.RecordBatch]:
    if piece.source is None:
        return
    try:
        yield from scan_part(piece.table, *piece.source, piece.schema.names)
    except FileNotFoundError:
        raise _gone(piece.source) from None


def _bytes(source: Source) -> Iterator[bytes]:
    location, part = source
    filesystem, root = location.arrow()
    try:
        with filesystem.open_input_stream(f"{root}/{part.path}") as file:
            while chunk := file.read(_CHUNK_BYTES):
                yield chunk
    except OSError as error:
        if isinstance(error, FileNotFoundError) or is_missing(error):
            raise _gone(source) from None
        if location.on_s3:
            raise explained(error, "GetObject", location) from None
        raise StorageError(f"{location.uri}/{part.path} cannot be read: {error}") from None


def _gone(source: Source) -> LakeError:
    return LakeError(
        f"{source.location.uri}/{source.part.path} is gone: the release was cleaned up while it "
        "was copied. Export again; SPARKIFY_GRACE_HOURS says how long a release is kept"
    )
