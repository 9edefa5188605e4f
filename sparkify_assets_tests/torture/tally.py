"""What an exercise has done and found: counts for people, failures with the way to repeat them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

LOST, DOUBLED, HALF_SEEN, OTHER = "lost", "doubled", "half-seen", "other"
# Kind and words of a broken promise.
Broken = tuple[str, str]


@dataclass(frozen=True)
class Failure:
    """A promise that was broken.

    Attributes:
        kind: `lost`, `doubled`, `half-seen` or `other`.
        what: what was found, beside what was expected.
        repeat: the command or the seed with which it is seen again.
    """

    kind: str
    what: str
    repeat: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.what} (again: {self.repeat})"


@dataclass
class Tally:
    """One exercise.

    Attributes:
        name: as the command line calls it.
        counts: what was tried, by name, such as `kills` or `inputs`.
        shares: of what is swept, how much was tried, `(tried, in all)`, by name.
    """

    name: str
    counts: Counter[str] = field(default_factory=Counter)
    shares: dict[str, tuple[int, int]] = field(default_factory=dict)
    failures: list[Failure] = field(default_factory=list)
    seconds: float = 0.0

    def fail(self, kind: str, what: str, repeat: str) -> None:
        """Note a broken promise."""
        self.failures.append(Failure(kind, what, repeat))


# Tells people what is going on, line by line.
Say = Callable[[str], None]
