"""What docs/analytics.md shows is run as it stands there, against a lake and a copy of its own."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

import sparkify_assets
from sparkify_assets.analytics.export import export
from sparkify_assets.lake.commit import Stamp, replace
from sparkify_assets.lake.lake import Lake
from sparkify_assets.lake.release import last_release
from sparkify_assets.storage.location import Location
from sparkify_assets.tables import SONGPLAYS
from sparkify_assets_tests import processes
from sparkify_assets_tests.analytics.small_lake import make_small_lake
from sparkify_assets_tests.s3.fixtures import new_bucket
from sparkify_assets_tests.s3.proxy import Proxy
from sparkify_assets_tests.s3.servers import upload

PAGE = (Path(sparkify_assets.__file__).parents[1] / "docs" / "analytics.md").read_text("utf-8")
# A process that ends right after reading Parquet may abort (apache/arrow#34314).
RUN = "import os, sys; exec(sys.stdin.read()); sys.stdout.flush(); os._exit(0)"


def examples() -> dict[str, str]:
    """Python by the heading above it."""
    found = {}
    for section in re.split(r"^#+ ", PAGE, flags=re.MULTILINE):
        for code in re.findall(r"^```python\n(.*?)^```", section, re.MULTILINE | re.DOTALL):
            found[section.splitlines()[0]] = code
    return found


EXAMPLES = examples()
COMMANDS = re.findall(
    r"^\$ \.venv/bin/sparkify ((?:ddl|export) .*?)(?: > .*)?$", PAGE, re.MULTILINE
)
QUERIES = re.findall(r"^\$ \.venv/bin/sparkify (query \".*)$", PAGE, re.MULTILINE)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """A lake whose songplays changed since its release: November is empty now."""
    lake = make_small_lake(tmp_path_factory.mktemp("docs"))
    export(lake, last_release(lake), Location(str(Path(lake.location.uri).parent / "copy")))
    replace(lake, lake.snapshot(SONGPLAYS), [], {"2018-11": Stamp(99)})
    return lake


def test_the_page_has_an_example_for_each_tool() -> None:
    assert set(EXAMPLES) == {"DuckDB", "Polars", "pandas", "Spark", "A plain copy"}
    assert (len(COMMANDS), len(QUERIES)) == (8, 3)


@pytest.mark.parametrize("heading", EXAMPLES)
def test_an_example_reads_the_release_and_not_what_came_after(small: Lake, heading: str) -> None:
    lake = small.location.uri
    code = EXAMPLES[heading].replace("data/demo/lake", lake)
    code = code.replace("'copy/", f"'{Path(lake).parent}/copy/")
    assert str(Path(lake).parent) in code
    done = subprocess.run(
        [sys.executable, "-c", RUN],
        input=code, capture_output=True, text=True, timeout=200, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert re.search(r"Setanta matins\D+2\D", done.stdout), done.stdout
    assert re.search(r"that\"; é\D+1\D", done.stdout), done.stdout


@pytest.mark.parametrize("arguments", QUERIES)
def test_a_query_is_answered(small: Lake, arguments: str) -> None:
    process = processes.start(*shlex.split(arguments), "--lake", small.location.uri)
    out, err = process.communicate(timeout=200)
    if "--at" in arguments:  # the lake here is not that old
        assert "no release of" in err
        return
    assert process.returncode == 0, err
    assert "Setanta matins" in out or Path("sessions.parquet").is_file()


@pytest.mark.parametrize("arguments", COMMANDS)
def test_a_command_does_what_it_is_shown_for(small: Lake, on_moto: Proxy, arguments: str) -> None:
    lake, bucket = new_bucket(on_moto), new_bucket(on_moto)
    upload(on_moto.endpoint, Path(small.location.uri), lake)
    export(small, last_release(small), Location(f"s3://{bucket}/sparkify"))
    named = shlex.split(arguments.replace("acme-copy", bucket))
    process = processes.start(*named, f"--lake=s3://{lake}")
    out, err = process.communicate(timeout=200)
    assert process.returncode == 0, err
    assert "songplays" in out
