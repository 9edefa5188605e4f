"""`sparkify ask`: named questions, answered from the lake."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sparkify_assets.cli.answer import (
    AnswerFormat,
    AnswerFormatOption,
    OutputOption,
    chosen_format,
    write_answer,
)
from sparkify_assets.cli.lake_session import AtOption, lake_session
from sparkify_assets.cli.options import LakeOption
from sparkify_assets.cli.output import errors, print_table, say
from sparkify_assets.errors import UsageError
from sparkify_assets.partitions import told_ranges

if TYPE_CHECKING:
    from sparkify_assets.analytics.question import Parameter, Question, Value
    from sparkify_assets.analytics.session import Session

_WIDTH = 96
# Parsed here, so that `sparkify ask NAME --help` can tell of the question.
CONTEXT = {
    "allow_extra_args": True,
    "ignore_unknown_options": True,
    "help_option_names": [],
}


def ask(
    context: typer.Context,
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="QUESTION [--PARAMETER VALUE]...", help="The question; without one: a list."
        ),
    ] = None,
    lake: LakeOption = None,
    at: AtOption = None,
    form: AnswerFormatOption = None,
    output: OutputOption = None,
    wants_help: Annotated[
        bool, typer.Option("--help", "-h", help="Show this, or what a question is about.")
    ] = False,
) -> None:
    """Answer a named question, or list the questions.

    `sparkify ask top-songs --help` shows a question's own parameters.
    """
    from sparkify_assets.analytics.question import find_question

    if name is not None and name.startswith("-"):
        raise UsageError(f"{name}: an option before the question; `sparkify ask QUESTION {name}`")
    if name is None:
        if wants_help:
            typer.echo(context.get_help())
        else:
            _list()
        return
    question = find_question(name)
    if wants_help:
        _describe(question)
        return
    values = question.values(_given(question, context.args))
    chosen = chosen_format(form, output)
    with lake_session(lake, at) as session:
        _answer(session, question, values, chosen, output)


def _answer(
    session: Session,
    question: Question,
    values: dict[str, Value],
    form: AnswerFormat,
    output: Path | None,
) -> None:
    from sparkify_assets.analytics.question import answer

    shown = form is AnswerFormat.TABLE and output is None
    with answer(session, question, values) as reader:
        if shown:
            say(_title(question, values), style="bold")
        write_answer(reader, form, output)
    if shown:
        say(f"{session.release}.", style="dim")
    hint = _without_plays(session, question, values)
    if hint:
        errors.print(hint, style="yellow", markup=False, soft_wrap=True)


def _title(question: Question, values: dict[str, Value]) -> str:
    month = [str(values[n]) for n, p in question.parameters.items() if p.type == "month"]
    return question.title if month in ([], ["None"]) else f"{question.title}, {month[0]}"


def _without_plays(session: Session, question: Question, values: dict[str, Value]) -> str:
    """What to tell of a month that has no plays; nothing where it has some."""
    asked = [values[n] for n, p in question.parameters.items() if p.type == "month" and values[n]]
    there = session.snapshot("songplays").partitions
    if not there:
        return f"{session.release} has no plays at all."
    if not asked or asked[0] in there:
        return ""
    return f"No plays in {asked[0]}; there are plays in {told_ranges(there)}."


def _given(question: Question, arguments: Sequence[str]) -> dict[str, str]:
    """Texts by parameter, from `--name value` and `--name=value`."""
    from sparkify_assets.analytics.question import option

    names = {option(name): name for name in question.parameters}
    given: dict[str, str] = {}
    left = list(arguments)
    while left:
        word = left.pop(0)
        text: str | None
        asked, equals, text = word.partition("=")
        if not asked.startswith("--") or len(asked) == 2:
            raise UsageError(f"{word!r}: expected --name value; {_ways(names)}")
        if asked not in names:
            raise UsageError(f"{asked}: {question.name} has no such parameter; {_ways(names)}")
        if not equals:
            text = left.pop(0) if left else None
        if text is None or (not equals and text.startswith("--")):
            raise UsageError(f"{asked}: a value is missing")
        if names[asked] in given:
            raise UsageError(f"{asked}: given twice")
        given[names[asked]] = text
    return given


def _ways(names: dict[str, str]) -> str:
    has = f"it has {', '.join(names)}" if names else "it has none"
    return f"{has} (and --lake, --at, --format, --output)"


def _list() -> None:
    from sparkify_assets.analytics.question import all_questions, option

    print_table(
        "Questions",
        ["name", "title", "parameters"],
        [
            (one.name, one.title, " ".join(option(name) for name in one.parameters) or None)
            for one in all_questions()
        ],
    )
    say("`sparkify ask NAME --help` says what is counted and what the parameters are.", "dim")


def _describe(question: Question) -> None:
    from sparkify_assets.analytics.question import option

    say(question.title, style="bold")
    say(textwrap.fill(" ".join(question.description.split()), _WIDTH))
    if question.parameters:
        print_table(
            "",
            ["parameter", "type", "default", "description"],
            [
                (option(name), _kind(one), _default(one), one.description)
                for name, one in question.parameters.items()
            ],
        )
    say("Also --lake, --at, --format and --output: see `sparkify ask --help`.", "dim")


def _kind(parameter: Parameter) -> str:
    return " or ".join(parameter.choices) if parameter.choices else parameter.type


def _default(parameter: Parameter) -> str:
    if parameter.default is not None:
        return str(parameter.default)
    return "all months" if parameter.type == "month" else "none"
