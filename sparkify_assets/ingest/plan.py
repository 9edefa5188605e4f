"""What there is to take in: the landing zone compared with the ledger. Reads no file."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from sparkify_assets.errors import LandingError
from sparkify_assets.ingest.files import LandingFile, file_digest, numbers_of, sum_of
from sparkify_assets.ingest.landing import Listing
from sparkify_assets.ingest.ledger import LandedFile, Ledger

# Raised whenever the reading rules give other rows, rejects or repairs for the same file.
READER_VERSION = 2

_MOST_GONE = 0.1


@dataclass(frozen=True)
class Rules:
    """How files are taken in; see the settings of the same names."""

    months: frozenset[str]
    on_delete: Literal["keep", "remove"] = "keep"
    confirm_remove: bool = False
    rebuild: bool = False


@dataclass
class ScopePlan:
    """What is to be done for one scope (a month of log files, or the songs).

    Attributes:
        new: files whose key the ledger does not know.
        changed: files whose content is not the one that was taken in, or that were read by
            older rules, or that are to be read again because everything is (`rebuild`).
        gone: keys of landed files that are no longer there.
        removes: whether the rows of gone files are to be removed.
    """

    scope: str
    new: list[LandingFile] = field(default_factory=list)
    changed: list[LandingFile] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    removes: bool = False

    @property
    def to_read(self) -> list[LandingFile]:
        """The files to read."""
        return self.new + self.changed

    @property
    def removed(self) -> list[str]:
        """Keys of the files whose rows are to be removed."""
        return self.gone if self.removes else []

    @property
    def needed(self) -> bool:
        """Whether the ledger has to change."""
        return bool(self.to_read or self.removed)

    def after(self, ledger: Ledger, landed: Collection[LandedFile]) -> list[LandedFile]:
        """The scope's files once these were taken in.

        A changed file that could not be read keeps the rows that it had.
        """
        replaced = {file.source_file for file in landed} | set(self.removed)
        kept = [file for file in ledger.of(self.scope) if file.source_file not in replaced]
        return [*kept, *landed]


def plan_scope(scope: str, listing: Listing, ledger: Ledger, rules: Rules) -> ScopePlan:
    """Compare one scope. `listing` must be made after `ledger` was read.

    Raises:
        LandingError: with `on_delete="remove"`, more than a tenth of the scope's files is gone.
    """
    plan = ScopePlan(scope, removes=rules.on_delete == "remove" and listing.covers(scope))
    files = listing.of(scope)
    listed = numbers_of(map(_digest, files))
    if not rules.rebuild and sum_of(listed) == ledger.number(scope):
        return plan
    landed = numbers_of(ledger.digests(scope))
    here, gone = np.isin(listed, landed), ~np.isin(landed, listed)
    if not listing.covers(scope):
        gone[:] = False
    to_read = [file for file, known in zip(files, here, strict=True) if rules.rebuild or not known]
    keys = {file.key for file in to_read}
    known = set()
    if keys or gone.any():
        for key, is_gone in zip(ledger.keys(scope), gone, strict=True):
            if key in keys:
                known.add(key)
            elif is_gone:
                plan.gone.append(key)
    plan.new = [file for file in to_read if file.key not in known]
    plan.changed = [file for file in to_read if file.key in known]
    if plan.removes and not rules.confirm_remove:
        _check_gone(plan, len(landed))
    return plan


def scopes_of(listing: Listing, ledger: Ledger, months: Iterable[str]) -> list[str]:
    """Every scope with files in the landing zone or the ledger, within these months."""
    allowed = set(months)
    present = {*listing.scopes, *(scope for scope in ledger.scopes if listing.covers(scope))}
    return sorted(scope for scope in present if scope in allowed or not scope[0].isdigit())


def _digest(file: LandingFile) -> bytes:
    return file_digest(file.key, file.etag, file.size, READER_VERSION)


def _check_gone(plan: ScopePlan, landed: int) -> None:
    if len(plan.gone) > landed * _MOST_GONE:
        raise LandingError(
            f"{len(plan.gone)} of the {landed} landed files of {plan.scope} are gone from the "
            f"landing zone, for example {plan.gone[0]}; nothing was removed. Set "
            "SPARKIFY_CONFIRM_REMOVE=true to remove their rows, or SPARKIFY_ON_DELETE=keep"
        )
