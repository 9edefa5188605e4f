"""A landing zone for tests in a bucket: the same as `zone.Zone` in a folder."""

from __future__ import annotations

from sparkify_assets_tests.s3.servers import delete, put
from sparkify_assets_tests.zone import Zone


class BucketZone(Zone):
    """A prefix of a bucket with log_data/ and song_data/."""

    def __init__(self, endpoint: str, uri: str) -> None:
        self.uri = uri
        self._endpoint = endpoint
        self._bucket, _, prefix = uri.removeprefix("s3://").partition("/")
        self._above = f"{prefix}/" if prefix else ""

    def write(self, key: str, content: bytes | str) -> str:
        body = content.encode() if isinstance(content, str) else content
        put(self._endpoint, self._bucket, f"{self._above}{key}".lstrip("/"), body)
        return key

    def delete(self, key: str) -> None:
        delete(self._endpoint, self._bucket, f"{self._above}{key}".lstrip("/"))
