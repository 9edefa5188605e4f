"""The fields that are read from the JSON, and what each may hold.

One list for the log lines and one for the song files. The readers in `parse` follow these lists;
the columns are declared in `tables.raw`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

# ts lies within the years 2000 to 2100, milliseconds since the epoch.
FIRST_TS = 946_684_800_000
LAST_TS = 4_133_980_799_999


class Kind(Enum):
    """What a field may hold besides null."""

    WHOLE = "a whole number of 64 bits"
    NUMBER = "a number"
    TEXT = "a text or another scalar (numbers as they are written)"
    IDENTIFIER = "a text or a number"
    STRICT_TEXT = "a text"


@dataclass(frozen=True)
class Field:
    """One JSON field: its name there, its column, what it may hold."""

    name: str
    column: str
    kind: Kind
    required: bool = False
    least: int | None = None
    most: int | None = None


LOG_FIELDS = (
    Field("artist", "artist", Kind.TEXT),
    Field("auth", "auth", Kind.TEXT),
    Field("firstName", "first_name", Kind.TEXT),
    Field("gender", "gender", Kind.TEXT),
    Field("itemInSession", "item_in_session", Kind.WHOLE, required=True),
    Field("lastName", "last_name", Kind.TEXT),
    Field("length", "length", Kind.NUMBER),
    Field("level", "level", Kind.TEXT),
    Field("location", "location", Kind.TEXT),
    Field("method", "method", Kind.TEXT),
    Field("page", "page", Kind.STRICT_TEXT, required=True),
    Field("registration", "registration", Kind.NUMBER),
    Field("sessionId", "session_id", Kind.WHOLE, required=True),
    Field("song", "song", Kind.TEXT),
    Field("status", "status", Kind.WHOLE),
    Field("ts", "ts", Kind.WHOLE, required=True, least=FIRST_TS, most=LAST_TS),
    Field("userAgent", "user_agent", Kind.TEXT),
    Field("userId", "user_id", Kind.IDENTIFIER),
)

SONG_FIELDS = (
    Field("num_songs", "num_songs", Kind.WHOLE),
    Field("artist_id", "artist_id", Kind.TEXT, required=True),
    Field("artist_latitude", "artist_latitude", Kind.NUMBER),
    Field("artist_longitude", "artist_longitude", Kind.NUMBER),
    Field("artist_location", "artist_location", Kind.TEXT),
    Field("artist_name", "artist_name", Kind.TEXT),
    Field("song_id", "song_id", Kind.TEXT, required=True),
    Field("title", "title", Kind.TEXT),
    Field("duration", "duration", Kind.NUMBER),
    Field("year", "year", Kind.WHOLE, least=-9999, most=9999),
)
