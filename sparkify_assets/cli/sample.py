"""`sparkify sample`: generated songs and logs to try things with."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Literal

import typer

from sparkify_assets.cli.output import counted, say, size
from sparkify_assets.errors import SparkifyError, UsageError
from sparkify_assets.partitions import is_month
from sparkify_assets.settings import DEMO_MONTH


def sample(
    folder: Annotated[Path, typer.Argument(help="Where to write song_data/ and log_data/.")],
    songs: Annotated[int, typer.Option(min=1, help="Song files.")] = 250,
    users: Annotated[int, typer.Option(min=1, help="Users.")] = 100,
    events: Annotated[int, typer.Option(min=1, help="Log events a month, about.")] = 8_000,
    first_month: Annotated[str, typer.Option(help="First month, YYYY-MM.")] = DEMO_MONTH,
    last_month: Annotated[
        str | None, typer.Option(help="Last month, YYYY-MM.", show_default="the first")
    ] = None,
    bad_lines: Annotated[
        int, typer.Option(min=0, help="Lines to spoil, in all log files together.")
    ] = 0,
    layout: Annotated[
        str, typer.Option(help="nested (log_data/2018/11/…) or flat (log_data/…).")
    ] = "nested",
    seed: Annotated[int, typer.Option(help="Another seed gives other data.")] = 1,
) -> None:
    """Generate a landing zone with the habits of the real data.

    Sessions of songs, levels that change, names encoded twice, events of nobody (logged out, an
    empty user id), sessions that run over midnight. The same options give the same files; nothing
    that is there already is overwritten.
    """
    from rich.status import Status

    from sparkify_assets.sample import Sample, write_sample

    last = last_month or first_month
    for name, month in (("--first-month", first_month), ("--last-month", last)):
        if not is_month(month):
            raise UsageError(f"{name}: found {month!r}, expected a month as YYYY-MM")
    if last < first_month:
        raise UsageError(f"--last-month: {last} lies before the first month, {first_month}")
    with Status("generating …") as status, _written(folder):
        made = write_sample(
            folder,
            Sample(
                songs=songs,
                users=users,
                events=events,
                first_month=first_month,
                last_month=last,
                bad_lines=bad_lines,
                layout=_layout(layout),
                seed=seed,
            ),
            progress=lambda key: status.update(f"generating … {key}"),
        )
    unchanged = f" ({made.unchanged:,} were there already)" if made.unchanged else ""
    say(
        f"{folder}: {counted(made.files, 'file')}{unchanged}, {size(made.bytes)}: "
        f"{counted(made.songs, 'song')}, {counted(made.lines, 'log line')}"
        + (f", {made.bad_lines:,} of them bad, and a broken song file." if made.bad_lines else "."),
    )


@contextmanager
def _written(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise SparkifyError(
            f"{error.filename or folder}: {error.strerror}; expected a folder that may be written"
        ) from error


def _layout(text: str) -> Literal["nested", "flat"]:
    if text == "nested":
        return "nested"
    if text == "flat":
        return "flat"
    raise UsageError(f"--layout: found {text!r}, expected nested or flat")
