"""The shell where somebody sits at a terminal: prompt, keys, colours, and what is said."""

from __future__ import annotations

from prompt_toolkit import PromptSession
from prompt_toolkit.formatted_text import FormattedText
from prompt_toolkit.history import History, InMemoryHistory
from prompt_toolkit.input import Input
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.lexers import PygmentsLexer
from prompt_toolkit.output import Output
from prompt_toolkit.styles import Style
from pygments.lexers.sql import SqlLexer  # type: ignore[import-untyped]  # it has no types

from sparkify_assets.cli.output import errors, harmless, say
from sparkify_assets.cli.shell.completer import SqlCompleter
from sparkify_assets.cli.shell.history import KeptHistory, history_file
from sparkify_assets.cli.shell.pieces import is_complete, typed
from sparkify_assets.cli.shell.shell import Left, Shell
from sparkify_assets.errors import SparkifyError

_PROMPT = "sparkify> "
# The terminal's own colours, which can be read on dark and on light.
_STYLE = Style.from_dict(
    {
        "prompt": "bold",
        "continuation": "ansibrightblack",
        "pygments.keyword": "ansiblue",
        "pygments.name.builtin": "ansiblue",
        "pygments.literal.string": "ansigreen",
        "pygments.literal.number": "ansicyan",
        "pygments.comment": "ansibrightblack",
    }
)


def converse(shell: Shell) -> None:
    """Ask for statements and commands and do them, until Ctrl-D or `.exit`."""
    shell.talks = True
    session = prompt_session(_history())
    say(f"{shell.session.lake_uri}, {shell.session.release}", "bold")
    say("End a statement with ;  Tab completes, .tables lists tables, .help helps, Ctrl-D leaves")
    while True:
        asked = False
        try:
            text = session.prompt()
            asked = True
            for piece in typed(text):
                shell.run(piece)
        except (EOFError, Left):
            return
        except SparkifyError as error:
            errors.print("error: ", style="bold red", end="")
            errors.print(harmless(str(error)), style="red", markup=False, soft_wrap=True)
        except KeyboardInterrupt:
            if asked:  # else a line was dropped
                errors.print("\nstopped", style="yellow")  # the terminal shows ^C


def prompt_session(
    history: History, source: Input | None = None, target: Output | None = None
) -> PromptSession[str]:
    """The prompt; `source` and `target` instead of the terminal."""
    return PromptSession(
        message=FormattedText([("class:prompt", _PROMPT)]),
        prompt_continuation=FormattedText([("class:continuation", f"{'...> ':>{len(_PROMPT)}}")]),
        multiline=True,
        key_bindings=_keys(),
        completer=SqlCompleter(),
        complete_while_typing=False,
        lexer=PygmentsLexer(SqlLexer),
        style=_STYLE,
        history=history,
        enable_open_in_editor=True,
        input=source,
        output=target,
    )


def _keys() -> KeyBindings:
    """Enter runs what is complete, and else begins a new line."""
    keys = KeyBindings()

    @keys.add("enter")
    def _(event: KeyPressEvent) -> None:
        buffer = event.current_buffer
        if buffer.complete_state and buffer.complete_state.current_completion:
            buffer.complete_state = None  # the completion is taken
        elif is_complete(buffer.text):
            buffer.validate_and_handle()
        else:
            buffer.newline()

    return keys


def _history() -> History:
    try:
        return KeptHistory(history_file())
    except (OSError, RuntimeError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        say(f"What you type is not kept for the next time: {reason}.", "dim")
        return InMemoryHistory()
