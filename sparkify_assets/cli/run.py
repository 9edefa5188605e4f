"""`sparkify run`: everything that is new, in dependency order, through the Dagster assets."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from sparkify_assets.cli.options import (
    EngineOption,
    FormatOption,
    LakeOption,
    LandingOption,
    check_months,
)
from sparkify_assets.cli.output import Format, counted, print_json, print_table, say
from sparkify_assets.errors import LandingError
from sparkify_assets.loading import loading
from sparkify_assets.settings import Settings, load_settings

if TYPE_CHECKING:
    from sparkify_assets.refresh.plan import Plan
    from sparkify_assets.refresh.report import Summary


def run(
    landing: LandingOption = None,
    lake: LakeOption = None,
    engine: EngineOption = None,
    month: Annotated[
        list[str] | None,
        typer.Option("--month", help="Only this month, YYYY-MM; may be given several times."),
    ] = None,
    rebuild: Annotated[
        bool,
        typer.Option("--rebuild", help="Read all files again and make all tables again."),
    ] = False,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Show what would be read and made, and why; do nothing."),
    ] = False,
    output: FormatOption = Format.TEXT,
) -> None:
    """Take in what is new and make every table current."""
    settings = load_settings(landing=landing, lake=lake, engine=engine)
    months = check_months(month, settings)
    if dry_run:
        from sparkify_assets.refresh.plan import make_plan

        plan = make_plan(settings, only=months, rebuild=rebuild)
        if output is Format.JSON:
            print_json(plan_values(plan))
        else:
            show_plan(plan)
        return
    summary = run_and_summarize(settings, months, rebuild=rebuild, quiet=output is Format.JSON)
    if output is Format.JSON:
        print_json(summary.to_dict())
    else:
        show_summary(summary, settings)
    check_readable(summary)


def check_readable(summary: Summary) -> None:
    """Raise LandingError where files could not be read; everything else was done."""
    if summary.unreadable:
        key, reason = next(iter(summary.unreadable.items()))
        raise LandingError(
            f"{counted(len(summary.unreadable), 'landing file')} cannot be read, for example "
            f"{key}: {reason}; mend this and run again. All others were taken in"
        )


def run_and_summarize(
    settings: Settings, months: Sequence[str] | None = None, *, rebuild: bool, quiet: bool
) -> Summary:
    """Run, with progress on standard error unless `quiet`, and sum up what was done."""
    with loading():
        from sparkify_assets.cli.interrupt import interruptible
        from sparkify_assets.cli.progress import Progress
        from sparkify_assets.lake.lake import Lake
        from sparkify_assets.refresh.plan import make_plan
        from sparkify_assets.refresh.publish import publish
        from sparkify_assets.refresh.report import summarize, versions
        from sparkify_assets.refresh.steps import Outcome

    started = time.monotonic()
    plan = make_plan(settings, only=months, rebuild=rebuild)
    lake = Lake.at(settings.lake)
    # Tables that were made just now are out of date until their first run.
    if lake.create_missing() and not plan.needed:
        plan = make_plan(settings, only=months, rebuild=rebuild)
    before = versions(lake)
    with Progress(quiet=quiet) as progress:
        if plan.needed:
            # Dagster and the engine take seconds to load: not where there is nothing to do.
            progress.note("starting Dagster and the engine")
            with loading():
                from sparkify_assets.refresh.run import refresh
            outcome = interruptible(
                lambda: refresh(
                    settings, only=months, rebuild=rebuild, plan=plan, watch=progress.step
                )
            )
            return summarize(settings, outcome, before, time.monotonic() - started)
    outcome = Outcome(plan, plan, published=publish(lake, settings.months))
    return summarize(settings, outcome, before, time.monotonic() - started)


def show_summary(summary: Summary, settings: Settings) -> None:
    """The closing summary for people."""
    if not summary.run_ids:
        say(f"Nothing new: the tables in {settings.lake} are up to date.")
    else:
        say(
            f"{counted(summary.files_read, 'file')} read, {counted(summary.lines, 'line')}, "
            f"{summary.rejected:,} rejected, {summary.repaired:,} with repaired text."
        )
    rows = [
        (name, number, "changed" if name in summary.changed else "")
        for name, number in summary.rows.items()
    ]
    print_table(f"Tables in {settings.lake}", ["table", "rows", ""], rows, right=["rows"])
    plays = summary.rows.get("songplays", 0)
    share = f" ({summary.matched_plays / plays:.1%})" if plays else ""
    say(f"Plays that match a song of the catalogue: {summary.matched_plays:,}{share}.")
    show_release(summary.release)
    if summary.seconds_by_step:
        steps = ", ".join(f"{n} {s:.1f}" for n, s in summary.seconds_by_step.items())
        say(f"{summary.seconds:.1f} s in all; by step: {steps}.", style="dim")
    if summary.requests:
        made = ", ".join(f"{number:,} {kind}" for kind, number in summary.requests.items())
        say(f"Requests to S3: {made}.", style="dim")
    if summary.rejected:
        say("`sparkify rejects` shows the rejected lines with their reasons.")
    if summary.removed_files:
        say(f"{counted(summary.removed_files, 'file')} gone: their rows were removed.", "yellow")
    elif summary.files_gone:
        say(f"{counted(summary.files_gone, 'landed file')} gone; their rows are kept.", "dim")
    show_attention(summary.not_loaded, summary.months_outside)
    if summary.files_pending > len(summary.unreadable):
        say(
            f"{counted(summary.files_pending, 'file')} changed or came meanwhile; run again to "
            "take them in.",
            style="yellow",
        )


def show_release(found: dict[str, object]) -> None:
    """Which state of the tables SQL reads."""
    if found.get("number"):
        say(f"SQL reads release {found['number']} of {found['recorded_at']}.")
    if found.get("pending"):
        say(f"In it the plays of {found['pending']} are those from before.", "yellow")
    if found.get("why_not"):
        say(f"What was made since is not released yet: {found['why_not']}.", "yellow")


def show_attention(not_loaded: Sequence[dict[str, str]], months_outside: Sequence[str]) -> None:
    """What somebody has to do something about."""
    reasons: dict[str, list[str]] = {}
    for item in not_loaded:
        reasons.setdefault(item["reason"], []).append(item["file"])
    for reason, files in reasons.items():
        several = f" and {len(files) - 1:,} more" if len(files) > 1 else ""
        say(f"Not loaded: {files[0]}{several}: {reason}", "yellow")
    if months_outside:
        say(
            f"There are events of {', '.join(months_outside)}, outside the configured months: "
            "they are in no table. Set SPARKIFY_FIRST_MONTH or SPARKIFY_LAST_MONTH.",
            style="yellow",
        )


def plan_values(plan: Plan) -> dict[str, object]:
    """The plan for JSON."""
    from sparkify_assets.refresh.report import not_loaded, stale_partitions

    return {
        "needed": plan.needed,
        "files": [
            {"file": file.key, "scope": scope.scope, "why": why, "bytes": file.size}
            for scope in plan.scopes
            for why, files in (("new", scope.new), ("changed", scope.changed))
            for file in files
        ],
        "removed": [key for scope in plan.scopes for key in scope.removed],
        "stale": stale_partitions(plan),
        "months": plan.months,
        "not_loaded": not_loaded(plan),
    }


def show_plan(plan: Plan) -> None:
    """The plan for people."""
    from sparkify_assets.refresh.report import not_loaded

    if not plan.needed:
        say("Nothing to do: no new file, and every table is up to date.")
    if plan.scopes:
        print_table(
            "Files to read",
            ["of", "new", "changed", "bytes", "for example"],
            [
                (
                    scope.scope,
                    len(scope.new),
                    len(scope.changed),
                    sum(file.size for file in scope.to_read),
                    scope.to_read[0].key if scope.to_read else f"{len(scope.gone)} gone",
                )
                for scope in plan.scopes
            ],
            right=["new", "changed", "bytes"],
        )
    if plan.stale:
        print_table(
            "To be made again",
            ["table", "partition", "why"],
            [(stale.table.name, stale.key, stale.reason) for stale in plan.stale],
        )
    if plan.scopes:
        say(
            "New files put the tables of their months out of date; "
            + (f"months: {', '.join(plan.months)}." if plan.months else "songs only.")
        )
    show_attention(not_loaded(plan), [])
