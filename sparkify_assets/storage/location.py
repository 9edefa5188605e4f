"""A folder in the file system or below a bucket, and what each library needs to get there.

A location is small, holds no secret and can be pickled, so that tasks on other machines open it
themselves, with the credentials that they find there.
"""

from __future__ import annotations

import atexit
import re
import shutil
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pyarrow.fs as pafs

from sparkify_assets.storage.access import s3_access

S3 = "s3://"


@dataclass(frozen=True)
class Location:
    """Where something lies.

    Attributes:
        uri: an absolute local path or `s3://bucket/prefix`, without a slash at its end.
        setting: the setting that it comes from, for messages.
    """

    uri: str
    setting: str = "SPARKIFY_LAKE"

    @property
    def on_s3(self) -> bool:
        """Whether it lies in a bucket."""
        return self.uri.startswith(S3)

    @property
    def bucket(self) -> str:
        """The bucket's name."""
        return self.uri.removeprefix(S3).partition("/")[0]

    @property
    def prefix(self) -> str:
        """The path within the bucket, "" for all of it."""
        return self.uri.removeprefix(S3).partition("/")[2]

    @property
    def above(self) -> str:
        """What stands before a key relative to this location, in the bucket."""
        return f"{self.prefix}/" if self.prefix else ""

    def join(self, name: str) -> Location:
        """A folder or file below this one."""
        return Location(f"{self.uri}/{name}", self.setting)

    def arrow(self) -> tuple[pafs.FileSystem, str]:
        """pyarrow's file system, and the path of this location in it."""
        if self.on_s3:
            return s3_access().arrow(), self.uri.removeprefix(S3)
        return pafs.LocalFileSystem(), self.uri

    @property
    def storage_options(self) -> dict[str, str]:
        """What deltalake needs besides the URI."""
        return s3_access().delta_options() if self.on_s3 else {}

    def for_spark(self) -> str:
        """A path that Apache Spark takes as it is.

        Spark takes some characters for patterns; for a folder with such a name it is a link with a
        plain name, as long as the process lives.
        """
        if self.on_s3:
            return f"s3a://{self.uri.removeprefix(S3)}"
        return self.uri if _PLAIN.fullmatch(self.uri) else _link(self.uri)


_PLAIN = re.compile(r"[A-Za-z0-9_./-]*")


@cache
def _link(path: str) -> str:
    folder = tempfile.mkdtemp(prefix="sparkify-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    link = Path(folder, "table")
    link.symlink_to(path)
    return str(link)
