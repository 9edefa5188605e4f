"""Files that are meant to harm, read by the real task: every line is told, no other is harmed."""

from __future__ import annotations

import json

import hypothesis
from hypothesis import HealthCheck, Phase, given, settings

from sparkify_assets_tests.torture.bombs import BOMBS, MOST_BYTES, Bomb, read_bomb
from sparkify_assets_tests.torture.cases import CASES
from sparkify_assets_tests.torture.changing import files_that_change
from sparkify_assets_tests.torture.contents import files
from sparkify_assets_tests.torture.end_to_end import end_to_end
from sparkify_assets_tests.torture.names import good_names, odd_names
from sparkify_assets_tests.torture.oracle import differences, expected
from sparkify_assets_tests.torture.reading import ZONES, Reading, in_a_folder
from sparkify_assets_tests.torture.tally import LOST, OTHER, Say, Tally
from sparkify_assets_tests.zone import event, song

# A good log and a good song, which stand among all others.
CONTROLS = {
    "log_data/2018/11/control.json": json.dumps(event(sessionId=999_999)).encode(),
    "song_data/control.json": json.dumps(song("SOCONTROL")).encode(),
}
_PLACES = {False: "log_data/2018/11", True: "song_data/A"}


def hostile(seed: int, examples: int, say: Say) -> Tally:
    """Read generated files, the fixed collection, odd names, files that change, and bombs.

    Args:
        seed: of what is generated; everything else is the same each time.
        examples: how many sets of files are generated.
    """
    tally = Tally("hostile")
    say(f"{examples:,} sets of files, generated from seed {seed}")
    generated(seed, examples, tally)
    again = _again(seed, examples)
    for zone in ZONES:
        with zone() as reading:
            say(f"{len(CASES)} files of every kind, {reading.where}")
            collection(reading, tally, again)
        with zone() as reading:
            say(f"odd names, {reading.where}")
            odd_names(reading, tally, again)
        with zone() as reading:
            say(f"files that change, {reading.where}")
            files_that_change(reading, tally, again)
    for bomb in BOMBS:
        explode(bomb, tally, say)
    say("all of them in real runs")
    end_to_end(everything(), tally, again)
    return tally


def _again(seed: int, examples: int) -> str:
    return f"make torture ONLY=hostile MORE='--seed {seed} --number {examples}'"


def everything() -> dict[str, bytes]:
    """The controls, the fixed collection, and files with odd names in a folder."""
    cases = {case.key: case.content for case in CASES}
    return CONTROLS | cases | good_names(in_bucket=False)


def generated(seed: int, examples: int, tally: Tally) -> None:
    """Sets of files from Hypothesis; of what fails, the smallest set is told."""

    @hypothesis.seed(seed)
    @settings(
        max_examples=examples,
        database=None,
        deadline=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(files())
    def each(drawn: list[tuple[bool, bool, bytes]]) -> None:
        contents = dict(CONTROLS)
        for number, (songs, packed, data) in enumerate(drawn):
            contents[f"{_PLACES[songs]}/{number}.json{'.gz' if packed else ''}"] = data
        with in_a_folder() as reading:
            tally.counts["inputs"] += 1
            found = read_all(reading, contents, tally)
        assert not found, "\n".join(found)

    try:
        each()
    except Exception as error:  # noqa: BLE001 -- whatever is raised, it is what was looked for
        notes = getattr(error, "__notes__", [])
        what = "\n".join([f"{type(error).__name__}: {error}", *notes])
        tally.fail(OTHER, what, _again(seed, examples))
        return
    if tally.counts["inputs"] < examples:
        what = f"{tally.counts['inputs']} of {examples} sets of files were generated"
        tally.fail(OTHER, what, _again(seed, examples))


def read_all(reading: Reading, contents: dict[str, bytes], tally: Tally) -> list[str]:
    """Write these files, read all, and compare; counts what there was."""
    for key, data in contents.items():
        reading.zone.write(key, data)
    report = reading.read(reading.listing().files)
    for account in report.accounts:
        tally.counts["files"] += 1
        tally.counts["lines"] += account.lines
        tally.counts["rows"] += account.rows
        tally.counts["rejected"] += account.rejected
    return list(differences(contents, report, reading.rows(report), reading.rejects(report)))


def collection(reading: Reading, tally: Tally, repeat: str) -> None:
    """The fixed collection, against what is written down beside each file, and the oracle."""
    contents = CONTROLS | {case.key: case.content for case in CASES}
    tally.counts["inputs"] += 1
    for what in read_all(reading, contents, tally):
        tally.fail(OTHER, f"{reading.where}: {what[:2_000]}", repeat)
    for case in CASES:
        right = expected(case.key, case.content)
        reasons = [reason for reason, _ in right.rejects.values()]
        if right.counts != case.counts or not all(case.reason in one for one in reasons):
            what = f"{case.key}: {right.counts} {reasons}, expected {case.counts} {case.reason!r}"
            tally.fail(OTHER, what, repeat)


def explode(bomb: Bomb, tally: Tally, say: Say) -> None:
    """Read a bomb in a process of its own, whose memory is bounded."""
    took = read_bomb(bomb)
    more = took.peak - took.base
    say(
        f"{bomb.name}, {bomb.unpacked:,} bytes: peak {took.peak >> 20} MB, {more >> 20} more than "
        f"before, {took.seconds:.1f} s"
    )
    tally.counts["bombs"] += 1
    repeat = "make torture ONLY=hostile MORE='--number 1'"
    for key, counts in took.accounts.items():
        right = bomb.found if "bomb" in key else (1, 1, 0)
        if counts != right:
            tally.fail(LOST, f"{key}: {counts}, expected {right}", repeat)
    if len(took.accounts) != 2:
        tally.fail(LOST, f"{bomb.name}: accounts of {sorted(took.accounts)}", repeat)
    if more > MOST_BYTES:
        tally.fail(OTHER, f"{bomb.name}: {more >> 20} MB of memory", repeat)
