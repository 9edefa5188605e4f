"""Errors that a person is meant to read, and the exit code that each stands for.

Every error tells what was found, where, and the way out. Anything that is not a
`SparkifyError` is a fault of the program and keeps its traceback.
"""

# What Python raises where something from outside is not of the form that it should have; the last
# one where it is nested too deeply.
MALFORMED = (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError)


class SparkifyError(Exception):
    """The work could not be done (exit code 1)."""

    exit_code = 1


class UsageError(SparkifyError):
    """What was asked for makes no sense: a bad setting, month or option (exit code 2)."""

    exit_code = 2


class SettingsError(UsageError):
    """A setting is missing or wrong; the message names it, what was found and what fits."""


class StorageError(SparkifyError, OSError):
    """A folder or bucket cannot be reached, listed, read or written.

    Attributes:
        refused: whether this object alone is refused, and others may well be given.
    """

    refused = False


class StorageUnavailable(StorageError):  # noqa: N818 -- a state, mostly a passing one
    """It does not answer, or is too busy: worth another try in a while."""


class LandingError(SparkifyError):
    """The landing zone cannot be listed or read."""


class LandingUnavailable(LandingError, StorageUnavailable):  # noqa: N818 -- as above
    """The landing zone does not answer, or is too busy."""


class LakeError(SparkifyError):
    """The lake cannot be read or written, or a table there is not what was declared."""


class PlanChanged(LakeError):  # noqa: N818 -- an outcome of a race, not a fault
    """Somebody else changed what this work was planned from; nothing was committed.

    The way out is to plan again from the present state, which callers do by themselves.
    """


class EngineError(SparkifyError):
    """The chosen engine cannot start, for example because Java is missing."""
