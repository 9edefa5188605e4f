"""A landing zone for tests in a bucket: the same as `zone.Zone` in a folder."""

from __future__ import annotations

from sparkify_assets_tests.s3.servers import ACCESS_KEY, delete, put
from sparkify_assets_tests.zone import Zone


class BucketZone(Zone):
    """A prefix of a bucket with log_data/ and song_data/."""

    def __init__(self, endpoint: str, uri: str, access_key: str = ACCESS_KEY) -> None:
        self.uri = uri
        self._endpoint = endpoint
        self._access_key = access_key
        self._bucket, _, prefix = uri.removeprefix("s3://").partition("/")
        self._above = f"{prefix}/" if prefix else ""

    def write(self, key: str, content: bytes | str) -> str:
        body = content.encode() if isinstance(content, str) else content
        path = f"{self._above}{key}".lstrip("/")
        put(self._endpoint, self._bucket, path, body, self._access_key)
        return key

    def delete(self, key: str) -> None:
        delete(self._endpoint, self._bucket, f"{self._above}{key}".lstrip("/"))
