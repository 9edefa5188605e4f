"""A limit on the memory of a process that runs SQL of others.

DuckDB counts what its operators hold, and spills. Single values it does not count:
`repeat('x', 4000000000)` would take the machine down. The system's limit makes such an allocation
fail, DuckDB reports it, and the process lives.
"""

from __future__ import annotations

import sys
from pathlib import Path

_GB = 1 << 30
# Beside what DuckDB counts: results on their way, reading, Python.
_ROOM = _GB
_HELD = "VmData:"


def limit_memory(query_gb: float) -> bool:
    """Let this process hold so much more than now, and a bit; whether the system can do that.

    Only on Linux; elsewhere DuckDB's own limit is the only one. A lower limit is left as it is.
    """
    if sys.platform != "linux":
        return False
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    wanted = _held() + int(query_gb * _GB) + _ROOM
    for limit in (soft, hard):
        if limit != resource.RLIM_INFINITY:
            wanted = min(wanted, limit)
    resource.setrlimit(resource.RLIMIT_DATA, (wanted, hard))
    return True


def _held() -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(_HELD):
            return int(line.split()[1]) * 1024
    return 0
