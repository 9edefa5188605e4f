"""Parts as files: each thread at its own place, in a bucket with few requests."""

from __future__ import annotations

import threading
from pathlib import Path
from random import Random

import obstore
import pytest

from sparkify_assets.analytics.block_cache import BLOCK_BYTES
from sparkify_assets.analytics.part_files import LocalPart, PartFiles
from sparkify_assets.errors import StorageError
from sparkify_assets.lake.log import StoredPart
from sparkify_assets.storage.access import s3_access
from sparkify_assets.storage.location import Location
from sparkify_assets_tests.s3.fixtures import new_bucket
from sparkify_assets_tests.s3.proxy import Proxy

CONTENT = Random(11).randbytes(2 * BLOCK_BYTES + 12_345)


@pytest.fixture
def in_a_bucket(on_moto: Proxy) -> Location:
    """A table's folder in a bucket, with the part `a.parquet`."""
    bucket = new_bucket(on_moto)
    obstore.put(s3_access().object_store(bucket), "lake/plays/a.parquet", CONTENT)
    on_moto.requests()
    return Location(f"s3://{bucket}/lake/plays")


def test_threads_that_read_one_part_do_not_mix_their_places(tmp_path: Path) -> None:
    content = bytes(range(256)) * 4000
    (tmp_path / "part").write_bytes(content)
    wrong: list[int] = []
    part = LocalPart(tmp_path / "part", len(content), PartFiles())

    def read(start: int) -> None:
        for step in range(2000):
            place = (start * 7919 + step * 104_729) % (len(content) - 64)
            part.seek(place)
            if part.read(64) != content[place : place + 64]:
                wrong.append(place)

    threads = [threading.Thread(target=read, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    part.close()
    assert wrong == []


def test_of_a_part_in_a_bucket_no_byte_is_fetched_twice(
    in_a_bucket: Location, on_moto: Proxy
) -> None:
    files, random = PartFiles(), Random(3)
    part = files.open(files.add("plays", in_a_bucket, StoredPart("a.parquet", {}, len(CONTENT), 1)))
    part.seek(-8, 2)
    assert part.read() == CONTENT[-8:]
    assert [request.kind for request in on_moto.requests()] == ["GET"]
    for _ in range(50):
        start = random.randrange(len(CONTENT))
        length = random.randint(1, 2 * BLOCK_BYTES)
        part.seek(start)
        assert part.read(length) == CONTENT[start : start + length]
    assert len(on_moto.requests()) <= 2


def test_fewer_bytes_than_the_part_has_are_an_error_and_are_not_kept(
    in_a_bucket: Location,
) -> None:
    files = PartFiles()
    longer = StoredPart("a.parquet", {}, len(CONTENT) + 10, 1)
    part = files.open(files.add("plays", in_a_bucket, longer))
    for _ in range(2):
        part.seek(-100, 2)
        with pytest.raises(StorageError, match="12345 bytes came in place of 12355"):
            part.read(50)
    assert "12345 bytes came" in str(files.failure)
    part.seek(5)
    assert part.read(50) == CONTENT[5:55]
