"""What gets installed is what was locked: each package by version and hash, from the index."""

from __future__ import annotations

import re
import tomllib

import pytest

from sparkify_assets_tests.dagster_dev import PROJECT

LOCK = PROJECT / "requirements.lock"
_PINNED = re.compile(
    r"[a-z0-9][a-z0-9._-]*(\[[a-z0-9,_-]+\])?==[0-9][A-Za-z0-9.+!]*( ; [^@]+)?"
    r"( --hash=sha256:[0-9a-f]{64})+"
)


def requirements(text: str) -> list[str]:
    """The requirements of a lock file, each in one line."""
    joined = re.sub(r"\s*\\\n\s*", " ", text)
    return [line.strip() for line in joined.splitlines() if line.strip() and line[0] != "#"]


def unpinned(text: str) -> list[str]:
    """Requirements without a version or hashes, or from another place than the index."""
    return [line for line in requirements(text) if not _PINNED.fullmatch(line)]


def test_every_requirement_is_pinned_with_hashes_and_none_is_from_a_url() -> None:
    text = LOCK.read_text()
    assert len(requirements(text)) > 100
    assert unpinned(text) == []
    direct = {
        re.match(r"[A-Za-z0-9_-]+", line).group()  # type: ignore[union-attr]
        for line in tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"][
            "dependencies"
        ]
    }
    assert direct <= {re.split(r"[=\[]", line)[0] for line in requirements(text)}


@pytest.mark.parametrize(
    "line",
    [
        "duckdb",
        "duckdb==1.4.0",
        f"duckdb>=1.4.0 --hash=sha256:{'0' * 64}",
        f"duckdb @ https://example.org/duckdb.whl --hash=sha256:{'0' * 64}",
        f"https://example.org/duckdb.whl --hash=sha256:{'0' * 64}",
        "-e git+https://example.org/duckdb#egg=duckdb",
        "--index-url https://example.org/simple",
        "--extra-index-url https://example.org/simple",
        f"duckdb==1.4.0 --hash=md5:{'0' * 32}",
    ],
)
def test_what_is_not_pinned_would_be_found(line: str) -> None:
    assert unpinned(f"{line}\n") == [line]
