"""The file behind `--output`: written whole or not at all."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from sparkify_assets.errors import SparkifyError, UsageError


@contextmanager
def whole_file(output: Path, *, append: bool = False) -> Iterator[BinaryIO]:
    """Takes the content; `output` has it when all of it is there, and is as before if not.

    Args:
        append: put it behind what `output` has already.

    Raises:
        UsageError: there is no such folder.
        SparkifyError: it cannot be written.
    """
    if not output.parent.is_dir():
        raise UsageError(f"--output: there is no folder {output.absolute().parent}; make it first")
    aside = output.with_name(f".{output.name}.part")
    try:
        with aside.open("wb") as target:
            yield target
        if append:
            with aside.open("rb") as rows, output.open("ab") as held:
                shutil.copyfileobj(rows, held)
        else:
            aside.replace(output)
    except OSError as error:
        if isinstance(error, SparkifyError):
            raise
        told = error.strerror or error
        raise SparkifyError(f"--output: {output} cannot be written: {told}") from error
    finally:
        aside.unlink(missing_ok=True)
