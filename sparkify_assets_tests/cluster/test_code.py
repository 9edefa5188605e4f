"""The project's code as a file: all of it, the same each time, and known by its fingerprint."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import sparkify_assets
from sparkify_assets.cluster.code import code_digest, packed_code

PACKAGE = Path(sparkify_assets.__file__).parent


def test_every_module_is_in_it() -> None:
    with zipfile.ZipFile(packed_code()) as packed:
        found = set(packed.namelist())
    there = {f"sparkify_assets/{path.relative_to(PACKAGE)}" for path in PACKAGE.rglob("*.py")}
    assert found == there


def test_whoever_loads_it_from_there_sees_the_same_code() -> None:
    program = (
        "import sys; sys.path.insert(0, sys.argv[1]); import sparkify_assets.cluster.code as code; "
        "print(code.__file__); print(code.code_digest())"
    )
    told = subprocess.run(
        [sys.executable, "-I", "-S", "-c", program, str(packed_code())],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    assert told == [f"{packed_code()}/sparkify_assets/cluster/code.py", code_digest()]
    assert code_digest() in packed_code().name
