"""`sparkify demo`: sample data, a run, the status and an answer, in one go."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sparkify_assets.cli.answer import AnswerFormat, write_answer
from sparkify_assets.cli.lake_session import lake_session
from sparkify_assets.cli.output import console, say
from sparkify_assets.cli.run import run_and_summarize, show_summary
from sparkify_assets.cli.sample import sample
from sparkify_assets.cli.status import show_status
from sparkify_assets.settings import DEMO, DEMO_MONTH, load_settings

_QUESTION, _TOP = "top-songs", "5"


def demo(
    folder: Annotated[
        Path, typer.Option("--dir", help="Gets landing/ (sample files) and lake/ (the tables).")
    ] = Path(DEMO),
) -> None:
    """Generate a sample, load it, and show the most played songs."""
    from sparkify_assets.refresh.report import get_status

    landing, lake = folder / "landing", folder / "lake"
    # The same whatever the settings say: the demo is for everybody.
    settings = load_settings(
        landing=str(landing),
        lake=str(lake),
        engine="embedded",
        first_month=DEMO_MONTH,
        last_month=DEMO_MONTH,
        on_delete="keep",
    )
    console.rule("sparkify sample", align="left")
    sample(folder=landing, first_month=DEMO_MONTH, bad_lines=3)
    console.rule("sparkify run", align="left")
    show_summary(run_and_summarize(settings, rebuild=False, quiet=False), settings)
    console.rule("sparkify status", align="left")
    show_status(get_status(settings), settings)
    console.rule(f"sparkify ask {_QUESTION} --limit {_TOP}", align="left")
    show_top_songs(str(lake))
    say("Next: `make dev` opens these tables and this run in Dagster's UI;")
    say("`.venv/bin/sparkify ask` lists what else can be asked; `report` makes a page of it.")


def show_top_songs(lake: str) -> None:
    """The most played songs of all."""
    from sparkify_assets.analytics.question import answer, find_question

    question = find_question(_QUESTION)
    with (
        lake_session(lake) as session,
        answer(session, question, question.values({"limit": _TOP})) as reader,
    ):
        write_answer(reader, AnswerFormat.TABLE)
