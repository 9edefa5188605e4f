"""`sparkify forecast`: what a month of so many events will be, before anybody pays for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand

from sparkify_assets.cli.options import FormatOption
from sparkify_assets.cli.output import Format, print_json, print_table, say, size

if TYPE_CHECKING:
    from sparkify_assets.cluster.forecast import Cost, Forecast, Load

_EVENTS = 2_000_000_000


def forecast(
    events: Annotated[int, typer.Option(min=1, help="Log lines of the month.")] = _EVENTS,
    days: Annotated[int, typer.Option(min=1, max=31, help="Days that they are of.")] = 30,
    files_a_day: Annotated[int, typer.Option(min=1, help="Log files of a day.")] = 24,
    users: Annotated[int, typer.Option(min=1, help="Different users of the month.")] = 20_000_000,
    songs: Annotated[int, typer.Option(min=1, help="Different songs heard.")] = 5_000_000,
    cores: Annotated[int, typer.Option(min=1, help="Cores of all executors.")] = 64,
    core_hour: Annotated[float, typer.Option(min=0, help="Dollars for a core's hour.")] = 0.05,
    output: FormatOption = Format.TEXT,
) -> None:
    """Tell what runs would make of a month on a cluster: files, tasks, parts, requests, dollars.

    Nothing is read or written. Files, tasks and parts come from the rules that a run goes by;
    bytes, requests and seconds are what was measured (docs/clusters.md), times how many there are.
    """
    from sparkify_assets.cluster.forecast import Load, Prices
    from sparkify_assets.cluster.forecast import forecast as forecast_load

    load = Load(events, days, files_a_day, users, songs, cores)
    found = forecast_load(load, Prices(core_hour))
    if output is Format.JSON:
        print_json(found.to_dict())
    else:
        show(load, found)


class WithFormulas(TyperCommand):
    """The command, whose help tells the formulas; they are loaded when somebody asks."""

    def format_epilog(self, ctx: Any, formatter: Any) -> None:  # of the click that typer brings
        from sparkify_assets.cluster.forecast import FORMULAS

        with formatter.section("Formulas"):
            for line in FORMULAS.splitlines():
                formatter.write(f"  {line}\n")
        super().format_epilog(ctx, formatter)


def show(load: Load, found: Forecast) -> None:
    """The forecast for people."""
    say(
        f"{load.events:,} events: {size(found.landing_bytes)} of JSON in {found.files:,} files of "
        f"{size(found.file_bytes)}."
    )
    print_table(
        "Tables, of all at once",
        ["table", "rows", "size", "parts", "of a part"],
        [(one.table, one.rows, size(one.bytes), one.parts, size(one.part_bytes))
         for one in found.parts],
        right=["rows", "size", "parts", "of a part"],
    )  # fmt: skip
    runs, names = [found.at_once, found.last_day], ["all at once", "the last day"]
    print_table(
        "A run",
        ["that takes in", *names],
        [
            ("tasks that read files", *[f"{one.tasks:,}" for one in runs]),
            ("the largest of them", *[size(one.task_bytes) for one in runs]),
            ("pieces of a shuffle", *[f"{one.pieces:,}" for one in runs]),
            ("blocks of the largest", *[f"{one.blocks:,}" for one in runs]),
            ("bytes of a block", *[size(one.block_bytes) for one in runs]),
            ("sent to the driver", *[size(one.driver_bytes) for one in runs]),
            ("the largest commit", *[size(one.log_bytes) for one in runs]),
            ("a checkpoint of its log", *[size(one.checkpoint_bytes) for one in runs]),
            (f"time on {load.cores} cores", *[_time(one.hours) for one in runs]),
            *_costs([one.cost for one in runs]),
        ],
        right=names,
    )
    print_table(
        "The month, with a run a day",
        ["what", "how much"],
        [
            *_costs([found.daily]),
            ("dollars to keep the lake a month", f"{found.kept_dollars:,.2f}"),
            ("commits of a run", f"{found.commits}"),
            ("chance of two plays with one id", f"{found.same_id:.2%}"),
        ],
        right=["how much"],
    )


def _costs(costs: list[Cost]) -> list[tuple[str, ...]]:
    kinds = costs[0].requests
    return [
        *((f"{kind} requests", *[f"{one.requests[kind]:,}" for one in costs]) for kind in kinds),
        ("hours of a core", *[f"{one.core_hours:,.1f}" for one in costs]),
        ("dollars", *[f"{one.dollars:,.2f}" for one in costs]),
    ]


def _time(hours: float) -> str:
    return f"{hours:,.1f} h" if hours >= 1 else f"{hours * 60:,.0f} min"
