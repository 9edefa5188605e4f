"""What all processes see: the landing zone, the logs of the tables, the releases.

Immutable, and as small as the promises allow. Simplifications, and why nothing is lost by them:

- A landing file holds one row, which is its content; a content is a number that never comes back
  (a new write has a new ETag). Rows of one file stand and fall together in the protocol.
- `raw_logs`, `raw_songs` and `rejects` are one table, `raw`: they are always appended to before the
  ledger's commit and dropped from after the fence, so one stands for each.
- A batch is named by the version that appended it: as unique as the random id, and equal states of
  equal processes stay equal.
- `plays` stands for a table made from the landed files, `totals` for one made from that, each with
  one partition. Other partitions of a table share its log only, where a version that is taken is
  tried again and nothing else comes of it.
- A fingerprint is what it is made of, unhashed: two that differ are never taken for the same.
- Replaced files and old versions stay: the grace period is longer than anything here takes.
"""

from __future__ import annotations

from typing import Any, NamedTuple

FILES = ("a", "b")
# A file and the content it has: what a row of it says.
Row = tuple[str, int]


class RawPart(NamedTuple):
    """Raw rows of one scope and batch."""

    batch: int
    scope: int
    rows: tuple[Row, ...]


class Raw(NamedTuple):
    """The log of the raw rows."""

    version: int = 0
    parts: tuple[RawPart, ...] = ()


class Landed(NamedTuple):
    """A row of the ledger: this file is in, with this content, and its rows are in this batch."""

    file: str
    content: int
    batch: int


class Scope(NamedTuple):
    """One partition of the ledger: its stamp is a counter."""

    counter: int = 0
    files: tuple[Landed, ...] = ()


class Ledger(NamedTuple):
    """The log of the ledger, with all its scopes."""

    version: int = 0
    scopes: tuple[Scope, ...] = (Scope(),)

    @property
    def files(self) -> tuple[Landed, ...]:
        """The landed files of all scopes, sorted."""
        return tuple(sorted(file for scope in self.scopes for file in scope.files))

    @property
    def fingerprint(self) -> tuple[Row, ...]:
        """Of a table made from all landed files; batches are no part of it."""
        return tuple((file.file, file.content) for file in self.files)


class Built(NamedTuple):
    """The log of a built table.

    Attributes:
        version: of the log; in it the only partition was replaced last.
        stamp: the fingerprint of what it was made from; None where never made.
        part: the version that added its part; 0 where it has none, as it has no row.
        source: the version of its source that it was made from; no process knows it.
    """

    version: int = 0
    stamp: tuple[Row, ...] | None = None
    rows: tuple[Row, ...] = ()
    part: int = 0
    source: int = 0


class Release(NamedTuple):
    """The newest release: the tables in it as they are at the versions that it names."""

    number: int = 0
    totals: Built = Built()
    plays: Built = Built()
    ledger: Ledger = Ledger()
    raw: Raw = Raw()

    @property
    def versions(self) -> tuple[int, ...]:
        """What is stored of it."""
        return tuple(log.version for log in (self.totals, self.plays, self.ledger, self.raw))


class Put(NamedTuple):
    """A version under way whose writer was told of an error: it may still land, if it can."""

    log: str
    new: Log


Log = Raw | Ledger | Built | Release


class Shared(NamedTuple):
    """What all processes see, and what may still happen to them.

    Attributes:
        landing: by file of `FILES`, its content; 0 where it is not there.
        scopes: by file, the scope that it belongs to.
        changes: how many changes of the landing zone are still to come.
        faults: how many crashes or errors are still to come.
        landed: whether the commit that was told to have failed is in its log.
    """

    landing: tuple[int, ...]
    scopes: tuple[int, ...]
    changes: int
    faults: int
    raw: Raw = Raw()
    ledger: Ledger = Ledger()
    plays: Built = Built()
    totals: Built = Built()
    release: Release = Release()
    under_way: Put | None = None
    landed: bool = False

    def log(self, name: str) -> Log:
        """One of the logs."""
        found: Log = getattr(self, name)
        return found

    def built(self, name: str) -> Built:
        """One of the built tables."""
        return self.plays if name == "plays" else self.totals

    def with_log(self, name: str, new: Log) -> Shared:
        """The state once a version was put."""
        changed: dict[str, Any] = {name: new}
        return self._replace(**changed)


def place(log: Log) -> int:
    """The version of a log, or the number of the newest release: what a put has to come after."""
    return log.number if isinstance(log, Release) else log.version
