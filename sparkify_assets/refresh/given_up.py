"""Partitions that were tried in vain, written down in the lake with what they were to be made from.

So whoever records a release tells a month that cannot be made from one that is only not made yet,
whichever process, machine or Dagster instance tried. With any change of what it is made from it
has another fingerprint, and is to be tried again.
"""

from __future__ import annotations

from collections.abc import Mapping

from sparkify_assets.lake.lake import Lake
from sparkify_assets.refresh.freshness import Stale
from sparkify_assets.storage.objects import Objects, objects
from sparkify_assets.tables import Table

GIVEN_UP = "_given_up"


def give_up(lake: Lake, table: Table, fingerprints: Mapping[str, int]) -> None:
    """Note, by key, with which fingerprint partitions could not be made; in place of older notes.

    Raises:
        StorageError: it cannot be written.
    """
    for key, fingerprint in fingerprints.items():
        _objects(lake).put(_name(table, key), str(fingerprint).encode())


def is_given_up(lake: Lake, stale: Stale) -> bool:
    """Whether this was tried in vain, from what it is to be made from now.

    Raises:
        StorageError: the lake cannot be read.
    """
    try:
        noted = _objects(lake).get(_name(stale.table, stale.key))
    except FileNotFoundError:
        return False
    return noted == str(stale.fingerprint).encode()


def _objects(lake: Lake) -> Objects:
    return objects(lake.location.join(GIVEN_UP))


def _name(table: Table, key: str) -> str:
    return f"{table.name}/{key}"
