"""Loading packages: how a process begins."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def loading() -> Iterator[None]:
    """While packages are loaded, nobody looks for garbage, of which there is none.

    Loading Dagster makes hundreds of thousands of objects that all stay; Python would look through
    them again and again, a third of the time. Afterwards no look goes through them any more.
    """
    before = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if before:
            gc.enable()
