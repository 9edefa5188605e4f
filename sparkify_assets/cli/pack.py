"""`sparkify pack`: the packages that tasks on a cluster need, as one archive."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sparkify_assets.cli.output import say, size
from sparkify_assets.errors import UsageError

_SUFFIXES = (".tar.gz", ".tgz")


def pack(
    target: Annotated[
        Path, typer.Argument(help="The archive to write; its name ends in .tar.gz.")
    ] = Path("sparkify-environment.tar.gz"),
) -> None:
    """Put the packages that the tasks of a cluster need into one archive.

    With SPARKIFY_ENGINE=spark://…, yarn, k8s://… or sc://… it is made and sent by itself. Make it
    by hand to look what is in it, or on a machine of the workers' kind where this one is of another
    (SPARKIFY_WORKER_ENV names the file then): they need the same system, processor and minor
    version of Python. The project's own code is not in it; that goes along with each session.
    """
    from rich.status import Status

    from sparkify_assets.cluster.environment import pack_environment

    if not target.name.endswith(_SUFFIXES):
        raise UsageError(f"{target}: Spark knows an archive by its name; expected .tar.gz or .tgz")
    with Status("packing …"):
        packed = pack_environment(target.absolute())
    say(f"{target}: {size(target.stat().st_size)}, {', '.join(packed)}")
    say("Python looks for them in the workers' own python3; see docs/clusters.md.", style="dim")
