"""Run the marked tests on Apache Spark, where there is a Java for it.

Without Java one line says that Apache Spark was not tested; in CI that is a failure.
"""

from __future__ import annotations

import os
import subprocess
import sys

from sparkify_assets.errors import EngineError
from sparkify_assets.resources.java import check_java

ENGINE = "local[2]"


def main() -> int:
    """The exit code of pytest; 0 without Java, but 1 in CI."""
    try:
        check_java(ENGINE)
    except EngineError as error:
        sys.stderr.write(f"Apache Spark was NOT tested: {error}\n")
        return 1 if os.environ.get("CI") == "true" else 0
    command = [sys.executable, "-m", "pytest", f"--engine={ENGINE}", "-m", "engines"]
    return subprocess.run(command, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
