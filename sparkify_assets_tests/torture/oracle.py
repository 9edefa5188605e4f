"""What has to become of a landing file, said in plain Python from its bytes.

Lines are counted, files unpacked and months told here by other means than in the product. What a
single line holds is asked of `json_line.read_line`, and how a text is repaired of
`repair.repair_text`: these are the rules themselves.
"""

from __future__ import annotations

import datetime as dt
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from sparkify_assets.ingest.fields import LOG_FIELDS, SONG_FIELDS
from sparkify_assets.ingest.json_line import Rejected, read_line
from sparkify_assets.ingest.repair import repair_text
from sparkify_assets.ingest.task import Account, TaskReport
from sparkify_assets_tests.torture.reading import Rows

_BOM = b"\xef\xbb\xbf"
_GZIP = 31  # zlib's number for a gzip header and trailer
_STEP = 1 << 16  # bytes
_KEPT = 10_000
_MOST = 16 << 20
_BROKEN, _TOO_LONG = "broken .gz file: ", "longer than 16 MiB ("


@dataclass
class Expected:
    """What a file has to become.

    Attributes:
        rows: by line, the value of each column that is read from it.
        rejects: by line, how the reason begins and the text.
        repaired: rows in which a text is repaired.
    """

    rows: dict[int, dict[str, Any]] = field(default_factory=dict)
    rejects: dict[int, tuple[str, str]] = field(default_factory=dict)
    repaired: int = 0

    @property
    def lines(self) -> int:
        return len(self.rows) + len(self.rejects)

    @property
    def counts(self) -> tuple[int, int, int]:
        """Lines, rows, rejected."""
        return self.lines, len(self.rows), len(self.rejects)

    @property
    def months(self) -> list[str]:
        """Of its events, UTC."""
        epoch = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
        moments = (epoch + dt.timedelta(milliseconds=row["ts"]) for row in self.rows.values())
        return sorted({f"{moment:%Y-%m}" for moment in moments})


def expected(key: str, data: bytes) -> Expected:
    """What a file with this key and content has to become."""
    broken = False
    if key.lower().endswith(".gz"):
        data, broken = _unpacked(data)
    songs = key.startswith("song_data/")
    data = data.removeprefix(_BOM)
    lines = [data] if songs else _lines(data)
    found = Expected()
    if broken:
        begun = lines.pop() if songs or (data and not data.endswith(b"\n")) else b""
        shown = begun[:_KEPT].rstrip(b"\r\n").decode("utf-8", "backslashreplace")
        found.rejects[len(lines) + 1] = (_BROKEN, shown)
    for number, line in enumerate(lines, 1):
        _add(found, number, line, songs)
    return found


def _lines(data: bytes) -> list[bytes]:
    lines = [line + b"\n" for line in data.split(b"\n")]
    lines[-1] = lines[-1][:-1]
    return lines if lines[-1] else lines[:-1]


def _add(found: Expected, number: int, line: bytes, songs: bool) -> None:
    fields = SONG_FIELDS if songs else LOG_FIELDS
    shown = line[:_KEPT].rstrip(b"\r\n").decode("utf-8", "backslashreplace")
    if len(line) > _MOST:
        found.rejects[number] = (_TOO_LONG, shown)
        return
    try:
        text = line.decode()
    except UnicodeDecodeError as error:
        found.rejects[number] = (f"not UTF-8 at byte {error.start + 1}", shown)
        return
    if not songs and not text.strip():
        return
    try:
        values = read_line(text, fields)
    except Rejected as reason:
        kept = line[:_KEPT].decode(errors="ignore").rstrip("\r\n")
        found.rejects[number] = (str(reason), kept)
        return
    row = {one.column: value for one, value in zip(fields, values, strict=True)}
    if not songs:
        right = {n: repair_text(v) if isinstance(v, str) else v for n, v in row.items()}
        found.repaired += right != row
        row = right
    found.rows[number] = row


def _unpacked(data: bytes) -> tuple[bytes, bool]:
    """The members of a .gz file, as far as they can be read; whether there is more."""
    content = bytearray()
    first = True
    while data:
        if not first:
            data = data.lstrip(b"\0")  # some tools fill the last block so
            if not data:
                break
        member = zlib.decompressobj(_GZIP)
        at, step = 0, _STEP
        while at < len(data) and not member.eof:
            ahead = member.copy()
            try:
                content += ahead.decompress(data[at : at + step])
            except zlib.error:
                if step == 1:
                    return bytes(content), True
                step = 1  # so that nothing is lost of what stands before the error
                continue
            member, at = ahead, at + step
        if not member.eof:
            return bytes(content), True
        data, first = member.unused_data + data[at:], False
    return bytes(content), False


def differences(
    files: dict[str, bytes], report: TaskReport, rows: Rows, rejects: Rows
) -> Iterator[str]:
    """Where a task's report and parts are not what these files have to become."""
    accounts = {account.key: account for account in report.accounts}
    if accounts.keys() != files.keys():
        yield f"accounts of {sorted(accounts)}, files {sorted(files)}"
    for key, data in files.items():
        if key in accounts:
            found = _one(
                expected(key, data), accounts[key], rows.get(key, []), rejects.get(key, [])
            )
            yield from (f"{key}: {what}" for what in found)
    strange = (rows.keys() | rejects.keys()) - files.keys()
    if strange:
        yield f"rows or rejects of {sorted(strange)}, which nobody asked for"


def begins(found: str, reason: str) -> bool:
    """Whether a reason is the expected one; how a file is broken is told by the library."""
    if reason in (_BROKEN, _TOO_LONG):
        return len(found) > len(reason) and found.startswith(reason)
    return found == reason


def _one(
    right: Expected, account: Account, rows: list[dict[str, Any]], rejects: list[dict[str, Any]]
) -> Iterator[str]:
    counts = (account.lines, account.rows, account.rejected)
    if counts != right.counts:
        yield f"the account says {counts} lines, rows, rejected, it is {right.counts}"
    if (len(rows), len(rejects)) != counts[1:] or sum(counts[1:]) != counts[0]:
        yield f"{len(rows)} rows and {len(rejects)} rejects were written, the account says {counts}"
    if account.repaired != right.repaired:
        yield f"{account.repaired} rows repaired, it is {right.repaired}"
    named = [column for row in right.rows.values() for column in row]
    written = {row.get("line", 1): {n: row[n] for n in row if n in named} for row in rows}
    if written != right.rows:
        yield f"the rows are {written}, they should be {right.rows}"
    if rows and "ts" in named:
        times = [row["ts"] for row in right.rows.values()]
        told = (account.event_months, account.first_event, account.last_event)
        if told != (right.months, min(times), max(times)):
            yield f"events are told as {told}, they are of {right.months}"
    if sorted(row["line"] for row in rejects) != sorted(right.rejects):
        yield f"lines {[r['line'] for r in rejects]} were rejected, not {sorted(right.rejects)}"
        return
    for row in rejects:
        reason, text = right.rejects[row["line"]]
        if not begins(row["reason"], reason):
            yield f"line {row['line']}: rejected as {row['reason']!r}, expected {reason!r}"
        if row["text"] != text:
            yield f"line {row['line']}: its text is {row['text']!r}, expected {text!r}"
