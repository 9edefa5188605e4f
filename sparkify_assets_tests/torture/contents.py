"""Contents of landing files as nobody wants them, for Hypothesis."""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st

from sparkify_assets.ingest.fields import LOG_FIELDS, SONG_FIELDS, Field
from sparkify_assets_tests.zone import event, song, ts

_DAY_MS = 86_400_000
_YEAR_1, _YEAR_9999 = -62_135_596_800_000, 253_402_300_799_999
_BEFORE, _AFTER = ts("2018-11-30 23:59:59.999"), ts("2018-12-01 00:00:00.000")

# As they stand in the file, where Python would write them in its own way.
_LITERALS = st.one_of(
    st.from_regex(r"-?(0|[1-9][0-9]{0,30})(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,4})?", fullmatch=True),
    st.integers(10**18, 10**25).map(str),
    st.builds(lambda digits: "9" * digits, st.integers(300, 5_000)),
    st.sampled_from(
        [
            "1e308", "1e309", "-1e999999999", "1e-999999999", "-0", "-0.0", "0e0", "1E+2", "01",
            "+1", ".5", "1.", "0x10", "1_000", "NaN", "-Infinity", "9223372036854775807",
            "9223372036854775808", "-9223372036854775808", "18446744073709551616", "true", "nul",
            "[]", "{}", "[[]]", '"\\ud800"', '"\\udc00\\ud800"', '"\\ud83d\\ude00"', '"\\u0000"',
            "'x'", "１２", "\u0661", '"\\x41"', '"a\\\nb"',
        ]
    ),
)  # fmt: skip
_TIMES = st.one_of(
    st.integers(_YEAR_1, _YEAR_9999),
    st.integers(_BEFORE - 2, _AFTER + 2),
    st.integers(ts("2018-10-01") - _DAY_MS, ts("2019-04-01") + _DAY_MS),
    st.sampled_from([946_684_799_999, 946_684_800_000, 4_133_980_799_999, 4_133_980_800_000]),
    st.sampled_from(
        [0, -1, 10**30, -(10**30), 1.5e12, 1542283200796.0, 2**63 - 1, 2**63, -(2**63)]
    ),
)
_TEXTS = st.one_of(
    st.text(max_size=12),
    st.text("\ud800\udfff\u2028\u2029\x85\ufeff\x00\r\n\t\x1c\xa0é😀", max_size=6),
    st.sampled_from(["", "BjÃ¶rk", "BjÃÂ¶rk", "é", "e\u0301", "\ufeff", "\x00", '"', "\\", "1e5"]),
    st.text(max_size=8).map(lambda text: text.encode("utf-8", "replace").decode("latin-1")),
)
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | _TEXTS | _TIMES,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(_TEXTS, inner, max_size=2),
    max_leaves=3,
)
_ENDS = st.sampled_from(
    [b"\n"] * 8 + [b"\r\n", b"\r", b"\n\n", b"\r\r\n", b"", b"\x00\n", b"\x0b\n"]
)
_BETWEEN = st.sampled_from(
    [b"", b" ", b"\t", b"\x0b", b"\xc2\xa0", b"\xef\xbb\xbf", b"\xe2\x80\xa8", b"\x00", b"\x1e",
     b"\r", b"null", b"[]", b"{}", b"0", b'""', b"//", b"#", b"\xff", b"\xed\xa0\x80", b"\xc0\x80",
     b"\xf4\x90\x80\x80"]
)  # fmt: skip


@st.composite
def _objects(draw: st.DrawFn, fields: Sequence[Field], base: dict[str, Any]) -> bytes:
    """An object in which some fields hold something else, perhaps twice or in another order."""
    names = st.sampled_from([field.name for field in fields] + ["other", "TS", "tS "])
    values = {**base, **draw(st.dictionaries(names, _VALUES, max_size=3))}
    if "ts" in base and draw(st.booleans()):
        values["ts"] = draw(_TIMES)
    for name in draw(st.lists(st.sampled_from(sorted(values)), max_size=2, unique=True)):
        del values[name]
    ascii_only = draw(st.booleans())
    pairs = [
        (json.dumps(name), json.dumps(value, ensure_ascii=ascii_only))
        for name, value in values.items()
    ]
    for name, literal in draw(st.lists(st.tuples(names, _LITERALS), max_size=2)):
        pairs.append((json.dumps(name), literal))
    if draw(st.integers(0, 3)) == 0:
        deep = draw(st.sampled_from([3, 198, 199, 200, 201, 1_000, 20_000]))
        opened, closed = draw(st.sampled_from([("[", "]"), ('{"a":', "}")]))
        inner = "" if opened == "[" else "1"
        pairs.append(('"other"', opened * deep + inner + closed * deep))
    if draw(st.booleans()):
        pairs = draw(st.permutations(pairs))
    comma, colon = draw(st.sampled_from([(",", ":"), (", ", ": "), (" ,\t", "\r :  ")]))
    text = "{" + comma.join(f"{name}{colon}{value}" for name, value in pairs) + "}"
    return text.encode("utf-8", "surrogatepass")


@st.composite
def _spoiled(draw: st.DrawFn, objects: st.SearchStrategy[bytes]) -> bytes:
    """An object, cut off, glued to another one, or with bytes put in or taken out."""
    line = draw(objects)
    how = draw(st.integers(0, 9))
    if how == 0:
        return line[: draw(st.integers(0, len(line)))]
    if how == 1:
        return line + draw(_BETWEEN) + draw(objects)
    if how == 2:
        return draw(_BETWEEN) + line
    if how == 3:
        at = draw(st.integers(0, min(len(line), 400)))
        drop = draw(st.integers(0, 3))
        return line[:at] + draw(st.binary(max_size=3) | _BETWEEN) + line[at + drop :]
    return line


def _parts(fields: Sequence[Field], base: dict[str, Any]) -> st.SearchStrategy[bytes]:
    good = json.dumps(base).encode()
    return st.one_of(
        _spoiled(_objects(fields, base)),
        _spoiled(st.just(good)),
        st.binary(max_size=60),
        _BETWEEN,
    )


_LINES = st.builds(bytes.__add__, _parts(LOG_FIELDS, event()), _ENDS)
_LOG = st.lists(_LINES, max_size=7).map(b"".join)
_SONG = st.one_of(
    _parts(SONG_FIELDS, song()),
    st.lists(_parts(SONG_FIELDS, song()), max_size=3).map(b"\n".join),
    st.lists(st.just(json.dumps(song()).encode()), max_size=2).map(
        lambda found: b"[" + b",".join(found) + b"]"
    ),
)


@st.composite
def _encoded(draw: st.DrawFn, contents: st.SearchStrategy[bytes]) -> bytes:
    """With a mark at the beginning or in the middle, or as UTF-16 or UTF-32."""
    data = draw(contents)
    how = draw(st.integers(0, 11))
    if how == 0:
        return b"\xef\xbb\xbf" + data
    if how == 1:
        return b"\xef\xbb\xbf" * 2 + data
    if how == 2:
        at = draw(st.integers(0, len(data)))
        return data[:at] + b"\xef\xbb\xbf" + data[at:]
    if how == 3:
        encoding = draw(st.sampled_from(["utf-16", "utf-16-be", "utf-32", "utf-8-sig"]))
        return data.decode("utf-8", "replace").encode(encoding)
    return data


@st.composite
def _packed(draw: st.DrawFn, contents: st.SearchStrategy[bytes]) -> bytes:
    """As a .gz file, mostly a broken one. Torn anywhere, but never with a byte changed."""
    data = draw(contents)
    member = gzip.compress(data, mtime=0)
    how = draw(st.integers(0, 8))
    if how == 0:
        return data
    if how == 1:
        return member[: draw(st.integers(0, len(member)))]
    if how == 2:
        other = gzip.compress(draw(contents), draw(st.integers(0, 9)), mtime=0)
        whole = member + other
        return whole[: draw(st.integers(len(member), len(whole)))]
    if how == 3:
        return member + draw(st.binary(max_size=20))
    if how == 4:
        return member + b"\0" * draw(st.integers(0, 600))
    if how == 5:
        return gzip.compress(member, mtime=0)
    if how == 6:
        return member[:-8] + draw(st.binary(min_size=8, max_size=8))
    return member


def files() -> st.SearchStrategy[list[tuple[bool, bool, bytes]]]:
    """Some files: whether it holds songs, whether it is packed, its bytes."""
    one = [
        st.tuples(st.just(songs), st.just(packed), (_packed if packed else _same)(_encoded(data)))
        for songs, data in ((False, _LOG), (True, _SONG))
        for packed in (False, True)
    ]
    return st.lists(st.one_of(one), min_size=1, max_size=5)


def _same(contents: st.SearchStrategy[bytes]) -> st.SearchStrategy[bytes]:
    return contents
