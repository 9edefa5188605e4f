"""`sparkify sql` in a terminal of its own."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import time
from pathlib import Path

from sparkify_assets_tests.stopping import Stopping

_ANSWER_SECONDS = 60.0
_CODES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[=>]|\r")


class Terminal(Stopping):
    """A pseudo-terminal with the shell in it.

    Attributes:
        raw: everything that it was sent, codes and all.
    """

    def __init__(self, lake: str, state: Path, *arguments: str) -> None:
        self.raw = ""
        self._seen = 0
        self._code: int | None = None
        self._pid, self._terminal = pty.fork()
        if self._pid == 0:
            os.environ |= {
                "TERM": "xterm-256color",
                "PROMPT_TOOLKIT_NO_CPR": "1",  # nobody here would answer it
                "SPARKIFY_LAKE": lake,
                "XDG_STATE_HOME": str(state),
            }
            code = "from sparkify_assets.cli import command; command()"
            os.execv(sys.executable, [sys.executable, "-c", code, "sql", *arguments])  # noqa: S606
        size = struct.pack("HHHH", 40, 120, 0, 0)
        fcntl.ioctl(self._terminal, termios.TIOCSWINSZ, size)

    def type(self, text: str) -> None:
        """Press keys; Enter is `\\r`, Ctrl-C is `\\x03`."""
        os.write(self._terminal, text.encode())

    def wait_for(self, pattern: str, seconds: float = _ANSWER_SECONDS) -> str:
        """Wait until the screen shows it, after what was waited for before; all up to its end."""
        until = time.monotonic() + seconds
        while True:
            shown = self.shown
            found = re.compile(pattern, re.DOTALL).search(shown, self._seen)
            if found:
                before, self._seen = self._seen, found.end()
                return shown[before : found.end()]
            ended = not self._more(until)
            assert not ended, f"not shown: {pattern!r}; the end of what is:\n{shown[-3000:]}"

    def wait_until_it_works(self) -> None:
        """Wait until what was typed runs: Ctrl-C is a signal by then, and no key of the prompt."""
        until = time.monotonic() + _ANSWER_SECONDS
        while not termios.tcgetattr(self._terminal)[3] & termios.ISIG:
            assert time.monotonic() < until, f"still at the prompt:\n{self.shown[-3000:]}"
            time.sleep(0.05)

    @property
    def shown(self) -> str:
        """What it was sent, without codes."""
        return _CODES.sub("", self.raw)

    def end(self) -> int:
        """Wait for the shell's end; its exit code."""
        while self._more(time.monotonic() + _ANSWER_SECONDS):
            pass
        self._code = os.waitstatus_to_exitcode(os.waitpid(self._pid, 0)[1])
        return self._code

    def stop(self) -> None:
        if self._code is None:
            os.kill(self._pid, signal.SIGKILL)
            os.waitpid(self._pid, 0)
        os.close(self._terminal)

    def _more(self, until: float) -> bool:
        """Read what there is; False at the end, or where nothing came in time."""
        if not select.select([self._terminal], [], [], max(0.0, until - time.monotonic()))[0]:
            return False
        try:
            content = os.read(self._terminal, 65536)
        except OSError:  # Linux's way to say that the other side is closed
            return False
        self.raw += content.decode("utf-8", "replace")
        return bool(content)
