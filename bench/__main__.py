"""The project beside what people would write instead: `python -m bench A B`, or `make bench`.

Every contender makes the same five tables of the same files, in turns, each time from nothing. What
does not come to the same rows has no figure.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from bench.contenders import CONTENDERS, Contender
from bench.inputs import INPUTS, Input
from bench.measure import ContenderError, Measured, measure
from bench.results import RESULTS, save, say, table
from bench.same import Content, content, differences


class Round:
    """All runs over one input."""

    def __init__(self, given: Input, folder: Path) -> None:
        self._given = given
        self._folder = folder
        self._landing = given.landing(folder)
        self._expected: tuple[str, dict[str, Content]] | None = None
        self.runs: dict[str, list[Measured]] = {}
        self.failures: dict[str, str] = {}

    def run(self, contender: Contender) -> None:
        """One run, and whether it made what the others did."""
        work = self._folder / "work"
        shutil.rmtree(work, ignore_errors=True)
        (work / "dagster").mkdir(parents=True)
        (work / "dagster" / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
        lake = work / "lake"
        environment = {
            **self._given.settings,
            "DAGSTER_HOME": str(work / "dagster"),
            "PYSPARK_PYTHON": sys.executable,
        }
        command = contender.command(self._landing, lake)
        try:
            measured = measure(command, environment, lake, self._folder / f"{contender.name}.log")
            self._check(contender.name, content(lake))
        except (ContenderError, DifferentRowsError) as error:
            self.failures[contender.name] = str(error)
            self.runs.pop(contender.name, None)
            say(f"  {contender.title}: {error}")
            return
        finally:
            shutil.rmtree(work, ignore_errors=True)
        self.runs.setdefault(contender.name, []).append(measured)
        say(
            f"  {contender.title}: {measured.wall:.1f} s, CPU {measured.cpu:.1f} s, "
            f"peak {measured.peak / 1e9:.2f} GB"
        )

    def _check(self, name: str, found: dict[str, Content]) -> None:
        if self._expected is None:
            self._expected = name, found
        first, expected = self._expected
        different = differences(found, expected)
        if different:
            raise DifferentRowsError(f"other rows than {first}: {'; '.join(different)}")


class DifferentRowsError(Exception):
    """A contender made other tables than the one before it."""


def main(arguments: Sequence[str]) -> None:
    """Measure, and keep what was found in `bench/results`."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("inputs", nargs="*", default=["A", "B"], help="A, B or C; A and B if none")
    parser.add_argument("--runs", type=int, default=3, help="of each contender (3)")
    parser.add_argument("--only", nargs="+", choices=list(CONTENDERS), default=list(CONTENDERS))
    parser.add_argument(
        "--folder", type=Path, default=Path("data/bench"), help="for inputs and lakes (data/bench)"
    )
    given = parser.parse_args(arguments)
    unknown = sorted(set(given.inputs) - set(INPUTS))
    if unknown:
        parser.error(f"no such input: {', '.join(unknown)}; there are {', '.join(INPUTS)}")
    given.folder.mkdir(parents=True, exist_ok=True)
    for name in given.inputs:
        one = Round(INPUTS[name], given.folder.absolute())
        contenders = [CONTENDERS[only] for only in given.only]
        for number in range(given.runs):
            say(f"{name}, round {number + 1} of {given.runs}")
            # Each goes first once: what the one before left in memory helps nobody always.
            turn = number % len(contenders)
            for contender in contenders[turn:] + contenders[:turn]:
                if contender.name not in one.failures:
                    one.run(contender)
        say(table(one.runs, one.failures))
        say(f"kept in {save(RESULTS, INPUTS[name], one.runs, one.failures)}")


if __name__ == "__main__":
    main(sys.argv[1:])
    sys.stdout.flush()
    # Arrow may abort a process that ends right after it read Parquet (apache/arrow#34314).
    os._exit(0)
