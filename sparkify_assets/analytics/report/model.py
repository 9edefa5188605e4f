"""What a report consists of, before it is a page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Protocol

import pyarrow as pa

from sparkify_assets.lake.release import Release


class Chart(Protocol):
    """How the answer is drawn, by the names of its columns.

    Attributes:
        kind: bar (lying), column (standing), line, area or heatmap (its amount is the `color`).
        labels: what is written for a column instead of its name.
    """

    @property
    def kind(self) -> str: ...
    @property
    def x(self) -> str: ...
    @property
    def y(self) -> str: ...
    @property
    def color(self) -> str | None: ...
    @property
    def labels(self) -> Mapping[str, str]: ...


class Question(Protocol):
    """A named question, as far as the report is concerned.

    Attributes:
        report: its place among the sections, None where it is none of them.
    """

    @property
    def name(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def description(self) -> str: ...
    @property
    def parameters(self) -> Mapping[str, Any]: ...
    @property
    def chart(self) -> Chart | None: ...
    @property
    def report(self) -> int | None: ...
    @property
    def sql(self) -> str: ...

    def values(self, given: Mapping[str, str]) -> Mapping[str, Any]:
        """Values of all parameters, from those given and the defaults."""


@dataclass(frozen=True)
class Section:
    """An answered question: one card of the page."""

    name: str
    title: str
    description: str
    chart: Chart | None
    rows: pa.Table


@dataclass(frozen=True)
class Figure:
    """One number at the top.

    Attributes:
        value: None where there is none, as a share of no plays.
        before: the same of the month before; None where there was no such month.
        share: whether it is a share, 0 to 1.
        note: what to say in place of the change.
    """

    name: str
    value: float | None
    before: float | None = None
    share: bool = False
    note: str = ""


@dataclass(frozen=True)
class Report:
    """Everything that the page of a month tells.

    Attributes:
        lake: the lake's URI.
        figures: empty for a month without plays.
        days: of the first and the last play.
        fingerprint: stands for all that it is made from.
    """

    lake: str
    month: str
    release: Release
    made_at: datetime
    figures: Sequence[Figure] = ()
    days: tuple[date, date] | None = None
    sections: Sequence[Section] = ()
    fingerprint: str = ""

    @property
    def pending(self) -> bool:
        """Whether the month's plays are those from before: it could not be made anew."""
        return self.month in self.release.pending
