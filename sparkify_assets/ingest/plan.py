"""What there is to take in: the landing zone compared with the ledger. Reads no file."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from sparkify_assets.errors import LandingError
from sparkify_assets.ingest.landing import LandingFile, Listing
from sparkify_assets.ingest.ledger import LandedFile, Ledger

# Raised whenever the reading rules give other rows, rejects or repairs for the same file.
READER_VERSION = 1

_MOST_GONE = 0.1


@dataclass
class ScopePlan:
    """What is to be done for one scope (a month of log files, or the songs).

    Attributes:
        new: files whose key the ledger does not know.
        changed: files whose content is not the one that was taken in, or that were read by
            older rules, or that are to be read again because everything is (`rebuild`).
        gone: landed files that are no longer there.
        kept: landed files that stay as they are, the gone ones among them where they are kept.
    """

    scope: str
    new: list[LandingFile] = field(default_factory=list)
    changed: list[LandingFile] = field(default_factory=list)
    gone: list[LandedFile] = field(default_factory=list)
    kept: list[LandedFile] = field(default_factory=list)
    removes: bool = False

    @property
    def to_read(self) -> list[LandingFile]:
        """The files to read."""
        return self.new + self.changed

    @property
    def needed(self) -> bool:
        """Whether the ledger has to change."""
        return bool(self.to_read) or (self.removes and bool(self.gone))


def plan_scope(
    scope: str,
    listing: Listing,
    ledger: Ledger,
    *,
    on_delete: Literal["keep", "remove"] = "keep",
    confirm_remove: bool = False,
    rebuild: bool = False,
) -> ScopePlan:
    """Compare one scope. `listing` must be made after `ledger` was read.

    Raises:
        LandingError: with `on_delete="remove"`, more than a tenth of the scope's files is gone.
    """
    plan = ScopePlan(scope, removes=on_delete == "remove" and listing.complete)
    landed = {file.source_file: file for file in ledger.by_scope.get(scope, [])}
    for file in listing.of(scope):
        known = landed.pop(file.key, None)
        if known is None:
            plan.new.append(file)
        elif rebuild or not _is_in(file, known):
            plan.changed.append(file)
        else:
            plan.kept.append(known)
    plan.gone = list(landed.values())
    if not plan.removes:
        plan.kept.extend(plan.gone)
    elif not confirm_remove:
        _check_gone(plan, len(ledger.by_scope.get(scope, [])))
    return plan


def scopes_of(listing: Listing, ledger: Ledger, months: Iterable[str]) -> list[str]:
    """Every scope with files in the landing zone or the ledger, within these months."""
    allowed = set(months)
    present = {file.scope for file in listing.files} | set(ledger.by_scope)
    return sorted(scope for scope in present if scope in allowed or not scope[0].isdigit())


def _is_in(file: LandingFile, known: LandedFile) -> bool:
    return (file.etag, file.size, READER_VERSION) == (known.etag, known.size, known.reader_version)


def _check_gone(plan: ScopePlan, landed: int) -> None:
    if len(plan.gone) > landed * _MOST_GONE:
        raise LandingError(
            f"{len(plan.gone)} of the {landed} landed files of {plan.scope} are gone from the "
            f"landing zone, for example {plan.gone[0].source_file}; nothing was removed. Set "
            "SPARKIFY_CONFIRM_REMOVE=true to remove their rows, or SPARKIFY_ON_DELETE=keep"
        )
