"""Keys as nobody would choose them: each is read, or told with a reason."""

from __future__ import annotations

import json
import unicodedata

from sparkify_assets_tests.torture.oracle import differences
from sparkify_assets_tests.torture.reading import Reading
from sparkify_assets_tests.torture.tally import LOST, OTHER, Tally
from sparkify_assets_tests.zone import event, song

_TEXTS = [
    "with space", " first", "a+b", "+", "100%", "%2F", "%25", "%00", "a%20b", "a#b", "#", "a?b",
    "?x=1", "a&b", "a=b;c,d", "it's", 'say "hi"', "`$(x)`", "*", "[a]", "{a}", "(a)", "a|b",
    "a<b>c", "a~b", "a^b", "a@b:c!$", "-", "--help", "-rf", "~", "a..b", "a...", "back\\slash",
    unicodedata.normalize("NFC", "é"), unicodedata.normalize("NFD", "é"), "😀", "👩\u200d👧",
    "\u202eabc", "\ufeff", "\u00a0", "ß", "SS", "ss", "İ", "i", "A", "a", "2018-12-01", "nul",
    "null", "year=2018", "x.json.gz", "x.json", "x" * 250, "é" * 125,
]  # fmt: skip
_LINE_FEED = "line\nfeed"  # in a folder; moto takes no such key
_CONTROL = ["tab\there", "cr\rhere", "bell\x07", "del\x7f"]
# Below a bucket only: a folder cannot hold them.
_PARTS = ["a//b", "../a", "a/../b", "./a", "a/./b", "/a"]
_DEEP = 400
_FOLDERS = ("song_data", "log_data/2018/11")


def good_names(in_bucket: bool) -> dict[str, bytes]:
    """Files that are to be read, each with content of its own."""
    names = [*_TEXTS, *([] if in_bucket else [_LINE_FEED, *_CONTROL]), "d/" * _DEEP + "deep"]
    keys = [f"{folder}/{name}.json" for folder in _FOLDERS for name in names]
    # As the name of a folder, too.
    keys += [f"song_data/{name}!/{n}.json" for name in _TEXTS[:-2] for n in "ab"]
    return {key: _content(key, number) for number, key in enumerate(keys, 100_000)}


def _content(key: str, number: int) -> bytes:
    one = song(f"SO{number}") if key.startswith("song_data/") else event(sessionId=number)
    return json.dumps(one).encode()


def odd_names(reading: Reading, tally: Tally, repeat: str) -> None:
    """Put a file under each of these names and read all of them."""
    in_bucket = reading.where == "in a bucket"
    good = good_names(in_bucket)
    told = [*_CONTROL, *_PARTS] if in_bucket else []
    bad = [f"{folder}/{name}.json" for folder in _FOLDERS for name in told]
    for key, content in (good | dict.fromkeys(bad, b"{}")).items():
        reading.zone.write(key, content)
    tally.counts["names"] += len(good) + len(bad)
    listing = reading.listing()
    reasons = dict(listing.unplaced)
    for key in bad:
        if not reasons.pop(key, ""):
            tally.fail(LOST, f"{reading.where}: the key {key!r} is not told", repeat)
    for key, reason in reasons.items():
        tally.fail(OTHER, f"{reading.where}: {key!r} is not read: {reason}", repeat)
    report = reading.read(listing.files)
    for what in differences(good, report, reading.rows(report), reading.rejects(report)):
        tally.fail(LOST, f"{reading.where}: {what}", repeat)
