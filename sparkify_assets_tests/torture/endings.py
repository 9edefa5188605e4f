"""How a process of a history may end: well, or with an error that says that others were quicker.

That is the only error that processes may give each other. Everything else would be seen by a
person who did nothing wrong, and is a broken promise.
"""

from __future__ import annotations

import re

from sparkify_assets_tests.torture.zygote import Ended

# What the command line, and each of `actors`, says before the reasons: one a line.
ERROR = "error: "
# By which words the project says so, after it has tried again by itself. That there are fewer rows
# than the ledger counts is not among them: it passes, or rows are lost.
_OTHERS_WERE_QUICKER = re.compile(
    r": .+ was changed by another run meanwhile$"
    r"|: \d+ commits in a row collided with those of other runs; nothing was changed\. "
)


def others_were_quicker(ended: Ended) -> bool:
    """Whether an error says this, and nothing else, as its reasons."""
    _, found, told = f"\n{ended.err}".rpartition(f"\n{ERROR}")
    reasons = [line for line in told.splitlines() if line.strip()]
    return bool(found and reasons) and all(map(_OTHERS_WERE_QUICKER.search, reasons))


def broken_by(ended: Ended) -> str:
    """What is wrong with an end; "" where nothing is."""
    told = "Traceback" in ended.err
    if not told and (ended.code == 0 or (ended.code > 0 and others_were_quicker(ended))):
        return ""
    return f"ended with {ended.code}: {ended.err[-2000:]}"
