"""The shell itself: does one piece after another, and holds what dot commands set."""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path

from sparkify_assets.analytics.session import Session
from sparkify_assets.cli.answer import AnswerFormat, format_of, write_answer
from sparkify_assets.cli.output import counted, say
from sparkify_assets.cli.shell.commands import run_command
from sparkify_assets.cli.shell.pieces import Piece, pieces
from sparkify_assets.errors import SparkifyError, UsageError


class ScriptError(SparkifyError):
    """A piece of a file or pipe failed; where, and what was said about it."""

    def __init__(self, where: str, error: SparkifyError) -> None:
        super().__init__(f"{where}: {error}")
        self.exit_code = error.exit_code


class Left(Exception):  # noqa: N818 -- what happened
    """`.exit`."""


class Shell:
    """What runs statements and dot commands, typed or from a file.

    Attributes:
        session: what they ask.
        form: how answers are written.
        output: the file that gets them, if not standard output.
        pinned: whether to stay with the release instead of going on to newer ones.
        timer: whether to tell how long an answer took.
        depth: how many files are being read, one from the other.
        talks: whether somebody sits there; into a pipe goes nothing but answers.
    """

    def __init__(self, session: Session, form: AnswerFormat, pinned: bool = False) -> None:
        self.session = session
        self.form = form
        self.output: Path | None = None
        self.pinned = pinned
        self.timer = True
        self.talks = False
        self.depth = 0
        self._answered = 0

    def run(self, piece: Piece) -> None:
        """Do one piece.

        Raises:
            SparkifyError: it failed; the shell is as good as before.
            KeyboardInterrupt: Ctrl-C, likewise.
            Left: it was `.exit`.
        """
        if piece.is_command:
            run_command(self, piece.text)
        else:
            self._ask(piece.text)

    def run_all(self, lines: Iterable[str], source: str) -> None:
        """Do all pieces of a file or pipe, up to the first that fails.

        Args:
            source: what stands before the number of a line, `line` or `FILE, line`.

        Raises:
            ScriptError: a piece failed.
            KeyboardInterrupt: Ctrl-C.
        """
        for piece in pieces(lines):
            try:
                self.run(piece)
            except Left:
                return
            except SparkifyError as error:
                raise ScriptError(f"{source} {piece.line}", error) from None

    def send_to(self, output: Path | None) -> None:
        """Write the next answers into a file, from its beginning; None: to standard output."""
        self.output = output
        self._answered = 0

    def _ask(self, sql: str) -> None:
        if not self.pinned and self.session.refresh() and self.talks:
            say(f"The lake went on to {self.session.release}.", "yellow")
        began = time.monotonic()

        def took() -> str:
            if not (self.talks and self.timer):
                return ""
            return f", {(time.monotonic() - began) * 1000:,.0f} ms"

        # Into a file go all answers, one after the other, in the format of its ending.
        again = self._answered > 0 and self.output is not None
        form = (self.output and format_of(self.output)) or self.form
        if self._answered and form is AnswerFormat.PARQUET:
            where = self.output or "the output"
            raise UsageError(f"{where} holds an answer; Parquet has no room for a second one")
        with self.session.reader(sql) as reader:
            rows = write_answer(reader, form, self.output, append=again, note=took)
        self._answered += 1
        if self.output is not None:
            if self.talks:
                where = f"{'added to' if again else 'in'} {self.output}"
                say(f"{counted(rows, 'row')} {where}{took()}.", "dim")
        elif self.talks and form is not AnswerFormat.TABLE:
            say(f"{counted(rows, 'row')}{took()}.", "dim")
