"""A place that an option names: a folder or a prefix of a bucket."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from sparkify_assets.errors import UsageError

if TYPE_CHECKING:
    from sparkify_assets.storage.location import Location

_BUCKET = re.compile(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[^?#\s]*)?")


def place_of(text: str, option: str) -> Location:
    """The location.

    Raises:
        UsageError: it is none.
    """
    from sparkify_assets.storage.location import Location

    plain = re.sub(r"^s3[an]://", "s3://", text.strip())
    if not plain.startswith("s3://"):
        if not plain or "://" in plain:
            raise UsageError(f"{option}: found {text!r}, expected a folder or s3://bucket/prefix")
        return Location(os.path.abspath(os.path.expanduser(plain)), option)  # noqa: PTH100, PTH111
    plain = plain.rstrip("/")
    if not _BUCKET.fullmatch(plain) or "//" in plain.removeprefix("s3://"):
        raise UsageError(
            f"{option}: found {text!r}, expected s3://bucket/prefix (a bucket has 3 to 63 "
            "lower-case letters, digits, dots and hyphens)"
        )
    return Location(plain, option)
