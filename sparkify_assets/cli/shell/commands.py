"""The dot commands: what each is called, takes and does."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from sparkify_assets.analytics.relations import RELATIONS, Relation
from sparkify_assets.analytics.sql import sql_type
from sparkify_assets.cli.answer import AnswerFormat, format_of
from sparkify_assets.cli.output import print_table, say
from sparkify_assets.errors import UsageError

if TYPE_CHECKING:
    from sparkify_assets.cli.shell.shell import Shell

_DEEPEST = 8


class Command(NamedTuple):
    """One dot command: what it takes, what it is for, and what it does with its argument."""

    takes: str
    help: str
    do: Callable[[Shell, str], None]


def run_command(shell: Shell, text: str) -> None:
    """Do what a line with a dot command says.

    Raises:
        UsageError: there is no such command, or it takes something else.
    """
    name, _, argument = text.strip().rstrip(";").partition(" ")
    command = COMMANDS.get(name.lower())
    if command is None:
        raise UsageError(f"there is no {name}; {_near(name, COMMANDS)}.help lists all commands")
    argument = argument.strip()
    if argument and not command.takes:
        raise UsageError(f"{name} takes nothing, found {argument!r}")
    command.do(shell, argument)


def _help(shell: Shell, argument: str) -> None:  # noqa: ARG001 -- as all commands
    for name, command in COMMANDS.items():
        say(f"  {f'{name} {command.takes}':<44} {command.help}")
    say("")
    say("A statement ends with ; and may have many lines; Esc Enter runs it without one.", "dim")
    say("Tab completes. Ctrl-C stops a query or drops the line, Ctrl-D leaves.", "dim")


def _tables(shell: Shell, argument: str) -> None:  # noqa: ARG001 -- as all commands
    if argument not in ("", "all"):
        raise UsageError(f".tables: found {argument!r}, expected nothing or all")
    shown = [r for r in RELATIONS.values() if argument or r.kind != "inner table"]
    rows = [(r.name, r.kind, _first_sentence(r.description)) for r in shown]
    print_table("", ["name", "kind", "what it is"], rows)
    rest = "" if argument else "; .tables all adds what they are made from"
    say(f".describe NAME tells the columns{rest}.", "dim")


def _describe(shell: Shell, argument: str) -> None:  # noqa: ARG001 -- as all commands
    if not argument:
        raise UsageError(".describe: expected the name of a table or view; .tables lists them")
    relation = _relation(argument.strip('"').lower())
    say(f"{relation.name}, {_with_article(relation.kind)}", "bold")
    say(relation.description)
    rows = [
        (c.name, sql_type(relation.schema.field(c.name).type), c.description)
        for c in relation.columns
    ]
    print_table("", ["column", "type", "meaning"], rows)


def _format(shell: Shell, argument: str) -> None:
    names = [form.value for form in AnswerFormat if form is not AnswerFormat.PARQUET]
    if not argument:
        say(f"{shell.form.value}; others: {', '.join(n for n in names if n != shell.form)}")
    elif argument.lower() in names:
        shell.form = AnswerFormat(argument.lower())
    else:
        raise UsageError(
            f".format: found {argument!r}, expected one of {', '.join(names)}; for Parquet, "
            ".output FILE.parquet"
        )


def _output(shell: Shell, argument: str) -> None:
    if not argument:
        if shell.talks:
            say("Answers come here." if shell.output else "Answers come here already.", "dim")
        shell.send_to(None)
        return
    path = Path(argument.strip("'\"")).expanduser()
    if path.is_dir() or not path.parent.is_dir():
        reason = "is a folder" if path.is_dir() else "is in no folder that is there"
        raise UsageError(f".output: {path} {reason}; expected a file")
    shell.send_to(path)
    if shell.talks:
        form = format_of(path) or shell.form
        say(f"The next answers go to {path} as {form.value}, until .output alone.", "dim")


def _release(shell: Shell, argument: str) -> None:  # noqa: ARG001 -- as all commands
    release = shell.session.release
    follows = "stays (.pin is on)" if shell.pinned else "goes on to newer ones (.pin is off)"
    say(f"This shell reads {release} and {follows}.")
    if release.pending:
        say(f"Not made anew yet: {', '.join(release.pending)}.", "yellow")
    print_table("", ["table", "version"], sorted(release.versions.items()), right=["version"])


def _timer(shell: Shell, argument: str) -> None:
    shell.timer = _switched(shell, ".timer", argument, shell.timer)


def _pin(shell: Shell, argument: str) -> None:
    shell.pinned = _switched(shell, ".pin", argument, shell.pinned)


def _read(shell: Shell, argument: str) -> None:
    path = Path(argument.strip("'\"")).expanduser()
    if not argument:
        raise UsageError(".read: expected a file with statements")
    if shell.depth >= _DEEPEST:
        raise UsageError(f".read: {path} is read by a file that it reads itself")
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise UsageError(f".read: {path} cannot be read: {reason}") from None
    shell.depth += 1
    try:
        shell.run_all(text.split("\n"), f"{path}, line")
    finally:
        shell.depth -= 1


def _exit(shell: Shell, argument: str) -> None:  # noqa: ARG001 -- as all commands
    from sparkify_assets.cli.shell.shell import Left

    raise Left


COMMANDS: Mapping[str, Command] = {
    ".help": Command("", "show this", _help),
    ".tables": Command("[all]", "tables and views, and what they are", _tables),
    ".describe": Command("NAME", "its columns with types and meanings", _describe),
    ".format": Command("table|csv|json|markdown", "how answers are written", _format),
    ".output": Command("[FILE]", "the next answers into a file; alone: here again", _output),
    ".release": Command("", "what is read: release, time, versions of the tables", _release),
    ".pin": Command("on|off", "on: stay with this release, whatever is recorded", _pin),
    ".timer": Command("on|off", "tell how long an answer took", _timer),
    ".read": Command("FILE", "run the statements and commands of a file", _read),
    ".exit": Command("", "leave; Ctrl-D and .quit do, too", _exit),
    ".quit": Command("", "leave", _exit),
}


def _switched(shell: Shell, name: str, argument: str, now: bool) -> bool:
    if not argument:
        if shell.talks:
            say(f"{name} is {'on' if now else 'off'}", "dim")
        return now
    if argument.lower() not in ("on", "off"):
        raise UsageError(f"{name}: found {argument!r}, expected on or off")
    return argument.lower() == "on"


def _relation(name: str) -> Relation:
    found = RELATIONS.get(name)
    if found is None:
        raise UsageError(
            f".describe: there is no {name}; {_near(name, RELATIONS)}.tables lists what there is"
        )
    return found


def _near(name: str, known: Mapping[str, object]) -> str:
    near = difflib.get_close_matches(name.lower(), known, 2)
    return f"did you mean {' or '.join(near)}? " if near else ""


def _first_sentence(text: str) -> str:
    first = text.split(". ", 1)[0]
    return first if first.endswith(".") else f"{first}."


def _with_article(kind: str) -> str:
    return f"{'an' if kind[0] in 'aeiou' else 'a'} {kind}"
