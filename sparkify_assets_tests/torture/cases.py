"""A fixed collection of files as nobody wants them, each with what has to become of it."""

from __future__ import annotations

import gzip
import json
from typing import Any, NamedTuple

from sparkify_assets.ingest.fields import LOG_FIELDS, SONG_FIELDS, Kind
from sparkify_assets.ingest.lines import MAX_LINE
from sparkify_assets_tests.zone import event, song, ts


class Case(NamedTuple):
    """One file.

    Attributes:
        counts: lines, rows, rejected.
        reason: what stands in the reason of each of its rejects.
    """

    key: str
    content: bytes
    counts: tuple[int, int, int]
    reason: str = ""


_number = iter(range(1, 1_000))


def _play(**fields: Any) -> bytes:
    """An event of its own."""
    return json.dumps(event(**{"sessionId": next(_number), **fields})).encode()


def _with(literal: str, name: str = "status") -> bytes:
    """An event in which a field is written like that."""
    return _play(**{name: "HERE"}).replace(b'"HERE"', literal.encode("utf-8", "surrogatepass"))


def _deep(levels: int) -> bytes:
    return _play()[:-1] + b', "other": ' + b"[" * levels + b"]" * levels + b"}"


def _log(name: str, content: bytes, counts: tuple[int, int, int], reason: str = "") -> Case:
    return Case(f"log_data/2018/11/{name}", content, counts, reason)


def _song(name: str, content: bytes, rows: int, reason: str = "") -> Case:
    return Case(f"song_data/Z/{name}", content, (1, rows, 1 - rows), reason)


_TWO = _play() + b"\n" + _play()
_PACKED = gzip.compress(_TWO + b"\n" + b"x" * 5_000 + b"\n", 0, mtime=0)
_NO_LINES = gzip.compress(b"{}", 0, mtime=0)  # its bytes have no line feed
_SONG = json.dumps(song("SOHOSTILE"), indent=2).encode()
_NOT_JSON = "not JSON: "
_UTF8 = "not UTF-8 at byte "
_GZIP = "broken .gz file: "
_RANGE = "is outside"


def _of_each_kind() -> list[Case]:
    """Lines, by what is wrong with them."""
    return [
        _log("bytes.json", bytes(range(128, 256)) * 4, (1, 0, 1), _UTF8),
        _log("lines-of-bytes.json", b"\xff\n\xfe\n\x80\n" + _play(), (4, 1, 3), _UTF8),
        _log("torn.json", _TWO[:-20], (2, 1, 1), _NOT_JSON),
        _log("glued.json", _play() + _play() + b"\n" + _play(), (2, 1, 1), "Extra data"),
        _log("two-on-a-line.json", _play() + b", " + _play() + b"\n", (1, 0, 1), "Extra data"),
        _log("a-list.json", b"[" + _play() + b"]\n", (1, 0, 1), "not a JSON object: a list"),
        _log(
            "deep.json", _deep(199) + b"\n" + _deep(200) + b"\n" + _deep(10**6), (3, 1, 2), "deep"
        ),
        _log("twice.json", _play()[:-1] + b', "song": 5, "song": {}}', (1, 1, 0)),
        _log("twice-wrong.json", b'{"ts": "x", ' + _play()[1:], (1, 0, 1), "ts: expected"),
        _log("number.json", _with("9" * 5_000) + b"\n" + _with("1e999"), (2, 0, 2), "status"),
        _log("exponent.json", _with("1e400", "length"), (1, 0, 1), "length: the number 1e400 is"),
        _log("no-number.json", _with("NaN") + b"\n" + _with("-Infinity"), (2, 0, 2), _NOT_JSON),
        _log("surrogate.json", _with('"\\ud800"', "song"), (1, 0, 1), "half of a surrogate pair"),
        _log("surrogate-bytes.json", _with('"\ud800"', "song"), (1, 0, 1), _UTF8),
        _log("overlong.json", b"\xc0\x80" + _play(), (1, 0, 1), _UTF8),
        _log("nul.json", _play() + b"\0\n" + b"\0" * 9 + b"\n", (2, 0, 2), _NOT_JSON),
        _log("nul-escaped.json", _with('"a\\u0000b"', "song"), (1, 1, 0)),
        _log("cr.json", _play() + b"\r" + _play() + b"\r", (1, 0, 1), "Extra data"),
        _log("crlf.json", _play() + b"\r\n\r\n" + _play() + b"\r\r\n", (2, 2, 0)),
        _log("u2028.json", _play() + "\u2028".encode() + _play(), (1, 0, 1), "Extra data"),
        _log("u2028-within.json", _with('"a\u2028b"', "song"), (1, 1, 0)),
        _log("blank.json", "\n \n\t\r\n\u00a0\n\u2028\n\x0b\n\x1c\n".encode(), (0, 0, 0)),
        _log("empty.json", b"", (0, 0, 0)),
        _log("bom.json", b"\xef\xbb\xbf" + _play(), (1, 1, 0)),
        _log("bom-alone.json", b"\xef\xbb\xbf", (0, 0, 0)),
        _log("bom-twice.json", b"\xef\xbb\xbf" * 2 + _play(), (1, 0, 1), "BOM"),
        _log("bom-later.json", _play() + b"\n\xef\xbb\xbf" + _play(), (2, 1, 1), "BOM"),
        _log("bom-as-line.json", _play() + b"\n\xef\xbb\xbf\n", (2, 1, 1), "BOM"),
        _log("no-end.json", _TWO, (2, 2, 0)),
        _log("utf16.json", _TWO.decode().encode("utf-16"), (2, 0, 2)),
        _log("utf16-be.json", _TWO.decode().encode("utf-16-be"), (2, 0, 2), _NOT_JSON),
        _log("twice-encoded.json", _with('"BjÃ¶rk"', "artist"), (1, 1, 0)),
        _log("long.json", b"x" * (MAX_LINE + 1) + b"\n" + _play(), (2, 1, 1), "longer than 16 MiB"),
        _log("longest.json", b" " * (MAX_LINE - 1_000) + _play(), (1, 1, 0)),
    ]


def _times() -> list[Case]:
    """Moments: the years 2000 to 2100 are read, and only whole numbers."""
    outside = ["-62135596800000", "0", "-1", "946684799999", "4133980800000", "253402300799999"]
    outside += ["1" + "0" * 30, "-1" + "0" * 30, "9223372036854775808"]
    wrong = ["1542283200796.0", "1.5422832e12", '"1542283200796"', "true", "[]", "{}"]
    inside = [ts("2018-11-30 23:59:59.999"), ts("2018-12-01"), ts("2018-10-01"), ts("2019-03-31")]
    return [
        _log("outside.json", b"\n".join(_with(t, "ts") for t in outside), (9, 0, 9), _RANGE),
        _log("no-time.json", b"\n".join(_with(t, "ts") for t in wrong), (6, 0, 6), "ts: expected"),
        _log("null-time.json", _with("null", "ts"), (1, 0, 1), "ts is missing"),
        _log("inside.json", b"\n".join(_play(ts=moment) for moment in inside), (4, 4, 0)),
    ]


# Literals of every type, and which of them a field of each kind may hold.
_TYPES = ("true", '"x"', "1.5", "[]", "{}")
_MAY_HOLD = {
    Kind.WHOLE: (),
    Kind.NUMBER: ("1.5",),
    Kind.TEXT: ("true", '"x"', "1.5"),
    Kind.IDENTIFIER: ('"x"', "1.5"),
    Kind.STRICT_TEXT: ('"x"',),
}


def _types() -> list[Case]:
    """Each field of both lists with each type."""
    found = []
    for field in LOG_FIELDS:
        right = len(_MAY_HOLD[field.kind])
        lines = b"\n".join(_with(literal, field.name) for literal in _TYPES)
        counts = (len(_TYPES), right, len(_TYPES) - right)
        found.append(_log(f"type-{field.name}.json", lines, counts, f"{field.name}: expected"))
    for field in SONG_FIELDS:
        for number, literal in enumerate(_TYPES):
            held = json.dumps(song("SOTYPE") | {field.name: "HERE"})
            content = held.replace('"HERE"', literal).encode()
            rows = int(literal in _MAY_HOLD[field.kind])
            name = f"type-{field.name}-{number}.json"
            found.append(_song(name, content, rows, f"{field.name}: expected"))
    return found


def _packed() -> list[Case]:
    """.gz files. In `_PACKED` the two events and a longer line lie as they are, not compressed."""
    plain = gzip.compress(_TWO, mtime=0)
    return [
        _log("good.json.gz", plain, (2, 2, 0)),
        _log("torn.json.gz", _PACKED[:-3_000], (3, 2, 1), _GZIP),
        _log("no-check.json.gz", plain[:-8], (2, 1, 1), _GZIP),
        _log("wrong-check.json.gz", plain[:-8] + b"12345678", (2, 1, 1), _GZIP),
        _log("two-members.json.gz", gzip.compress(_TWO + b"\n") + plain, (4, 4, 0)),
        _log("torn-member.json.gz", gzip.compress(_TWO + b"\n") + plain[:20], (3, 2, 1), _GZIP),
        _log("rubbish.json.gz", gzip.compress(_TWO + b"\n") + b"rubbish", (3, 2, 1), _GZIP),
        _log("zeros.json.gz", plain + b"\0" * 512, (2, 2, 0)),
        _log("not-packed.json.gz", _TWO, (1, 0, 1), _GZIP),
        _log("twice.json.gz", gzip.compress(_NO_LINES, mtime=0), (1, 0, 1), _UTF8),
        _log("empty.json.gz", b"", (0, 0, 0)),
        _log("of-nothing.json.gz", gzip.compress(b""), (0, 0, 0)),
        _log("header.json.gz", plain[:7], (1, 0, 1), _GZIP),
        _log("packed.json", _NO_LINES, (1, 0, 1), _UTF8),
    ]


def _songs() -> list[Case]:
    """Song files: one object each."""
    return [
        _song("good.json", _SONG, 1),
        _song("good.json.gz", gzip.compress(_SONG.replace(b"SOHOSTILE", b"SOHOSTILEGZ")), 1),
        _song("list.json", b"[" + _SONG + b"]", 0, "a list"),
        _song("two.json", _SONG + b"\n" + _SONG, 0, "Extra data"),
        _song("lines.json", json.dumps(song()).encode() * 2, 0, "Extra data"),
        _song("empty.json", b"", 0, "empty"),
        _song("blank.json", b" \r\n", 0, "empty"),
        _song("bom.json", b"\xef\xbb\xbf", 0, "empty"),
        _song("utf16.json", _SONG.decode().encode("utf-16"), 0, _UTF8),
        _song("torn.json", _SONG[:100], 0, _NOT_JSON),
        _song("torn.json.gz", gzip.compress(_SONG)[:60], 0, _GZIP),
        _song("no-id.json", _SONG.replace(b"SOHOSTILE", b""), 0, "song_id is missing"),
        _song("year.json", _SONG.replace(b'"year": 0', b'"year": 10000'), 0, _RANGE),
        _song("duration.json", _SONG.replace(b"269.58322", b'"long"'), 0, "duration: expected"),
        _song("longest.json", b" " * (MAX_LINE + 1), 0, "longer than 16 MiB"),
    ]


CASES = (*_of_each_kind(), *_times(), *_types(), *_packed(), *_songs())
