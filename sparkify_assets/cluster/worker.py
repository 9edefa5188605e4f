"""What runs on a worker before anything else, and what it needs there.

Loaded on machines that may lack every package, so only Python's own ones are imported at once.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Any

from sparkify_assets.cluster.code import code_digest

# What a task imports (`ingest.task`, `lake.scan`, `lake.parts`); what these need comes with them.
NEEDED = ("pyarrow", "numpy", "duckdb", "obstore", "boto3")


def look_around(batches: Iterator[Any]) -> Iterator[Any]:
    """For `mapInArrow`, on a worker: one row, as JSON, of the code and packages found there."""
    lacking = []
    for name in NEEDED:
        try:
            __import__(name)
        except ImportError as error:
            lacking.append(f"{name} ({error})")
    import pyarrow as pa

    for _ in batches:
        found = {"code": code_digest(), "python": sys.version.split()[0], "lacking": lacking}
        yield pa.RecordBatch.from_pydict({"report": [json.dumps(found)]})
