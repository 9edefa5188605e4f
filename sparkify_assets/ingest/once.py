"""Each event once: which of the log lines that the ledger counts are repeats of another.

Every table that is made of log lines asks the same of the same rows. So it is found out once for
each version of the ledger, in one pass over the rows: how many there are, of which months, and,
where a key occurs again, which lines do not count.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pyarrow as pa
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F  # noqa: N812 -- the name everybody knows it by

from sparkify_assets.ingest.fields import LOG_FIELDS
from sparkify_assets.lake.frames import make_room
from sparkify_assets.lake.snapshot import Identity
from sparkify_assets.partitions import DAY_MS, month_at
from sparkify_assets.transforms.events import EVENT_KEY, LINE_KEY, lines_by_day, repeats

_KEPT = 4
# About 20 MB in this process, as often as a table is made of them.
_MOST_REPEATS = 1 << 18
_REPEATED = "_repeated"


@dataclass(frozen=True)
class Found:
    """What one look at the lines found.

    Attributes:
        lines: how many the engine delivered.
        plays: of these, lines with a play, by month, also those delivered twice.
        repeats: `source_file` and `line` of those that do not count; None where there are none, or
            too many to pass through this process.
        many: whether there are too many; each table looks for them again then.
    """

    lines: int
    plays: dict[str, int]
    repeats: pa.Table | None = None
    many: bool = False

    @property
    def repeated(self) -> bool:
        """Whether there are any."""
        return self.many or self.repeats is not None


# The rows behind a key never change: versions of tables, and months.
Key = tuple[Identity, Identity, tuple[str, ...]]
_found: dict[Key, Found] = {}


def look_at(
    key: Key, rows: Callable[[Sequence[str]], DataFrame], within: Column, expected: int
) -> Found:
    """What is in these rows; remembered in this process for the tables to come.

    Args:
        key: stands for the rows.
        rows: all lines of the files concerned, as the ledger counts them, with some columns.
        within: those of the months that are to be made.
        expected: how many lines there should be; only what is found in as many is remembered.
    """
    known = _found.get(key)
    if known is None:
        known = _look(rows, within, expected)
        if known.lines == expected:
            for oldest in list(_found)[: 1 - _KEPT]:
                del _found[oldest]
            _found[key] = known
    return known


def without_repeats(
    names: Sequence[str],
    found: Found,
    rows: Callable[[Sequence[str]], DataFrame],
    within: Column,
) -> DataFrame:
    """The lines within the months that count, with these columns.

    Args:
        rows, within: as for `look_at`.
    """
    if not found.repeated:
        return rows(names).filter(within).select(*names)
    lines = rows([*names, *LINE_KEY]).filter(within)
    repeated = (
        lines.sparkSession.createDataFrame(found.repeats)
        if found.repeats is not None
        else _repeats(rows, within)
    )
    # Not an anti-join: Sail would keep its first side, all rows, in memory.
    marked = repeated.withColumn(_REPEATED, F.lit(True)).join(lines, [*LINE_KEY], "right")
    return marked.filter(F.col(_REPEATED).isNull()).select(*names)


def _repeats(rows: Callable[[Sequence[str]], DataFrame], within: Column) -> DataFrame:
    columns = [*LINE_KEY, *(field.column for field in LOG_FIELDS)]
    return repeats(rows(columns).filter(within))


def _look(rows: Callable[[Sequence[str]], DataFrame], within: Column, expected: int) -> Found:
    lines = rows([*EVENT_KEY, "page"])
    make_room(lines.sparkSession, expected)
    days = lines_by_day(lines).collect()
    several = sum(row["lines"] - row["events"] for row in days)
    many = several > _MOST_REPEATS
    repeated = _repeats(rows, within).toArrow() if several and not many else None
    plays: Counter[str] = Counter()
    for row in days:
        plays[month_at(row["day"] * DAY_MS)] += row["plays"]
    return Found(
        lines=sum(row["lines"] for row in days),
        plays=dict(plays),
        repeats=repeated if repeated is not None and len(repeated) else None,
        many=many,
    )
