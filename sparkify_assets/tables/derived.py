"""Small tables between raw and public ones, which keep the cost of a run to what is new."""

from __future__ import annotations

from sparkify_assets.tables.declaration import (
    NUMBER,
    SMALL,
    TEXT,
    WHOLE,
    Column,
    Reads,
    Table,
)

_YEAR = Column("year", SMALL, "Calendar year of the events, UTC.", nullable=False)
_MONTH = Column("month", SMALL, "Calendar month of the events, UTC, 1 to 12.", nullable=False)

USER_MONTHS = Table(
    name="user_months",
    description=(
        "The last state of each user within each month: one row per user and month, from the "
        "user's last event of any page. users is the latest of these, so that a new day of logs "
        "never makes the history be read again."
    ),
    columns=(
        Column("user_id", TEXT, "Identifies the user.", nullable=False),
        Column("first_name", TEXT, "First name in that event."),
        Column("last_name", TEXT, "Last name in that event."),
        Column("gender", TEXT, "M or F in that event."),
        Column("level", TEXT, "free or paid in that event."),
        Column("ts", WHOLE, "When that event was, milliseconds since the epoch.", False),
        Column("session_id", WHOLE, "Its session.", nullable=False),
        Column("item_in_session", WHOLE, "Its number within the session.", nullable=False),
        _MONTH,
        _YEAR,
    ),
    key=("user_id", "year", "month"),
    personal=True,
    lines_a_row=100,
    row_bytes=12,
    partition_by=("year", "month"),
    reads={"raw_logs": Reads.FILES_OF_MONTH},
    uses={
        "raw_logs": (
            "user_id",
            "first_name",
            "last_name",
            "gender",
            "level",
            "ts",
            "session_id",
            "item_in_session",
        )
    },
)

USER_HISTORY = Table(
    name="user_history",
    description=(
        "The last state of each user over all months but the two newest, so that users need not "
        "be made from every month when a day of logs lands."
    ),
    columns=tuple(c for c in USER_MONTHS.columns if c not in (_MONTH, _YEAR)),
    key=("user_id",),
    personal=True,
    row_bytes=12,
    reads={"user_months": Reads.CLOSED_MONTHS},
)

HEARD_SONGS = Table(
    name="heard_songs",
    description=(
        "What was heard in each month: one row per song, artist and length as they stand in the "
        "logs, with the number of plays. New songs are matched against this, not against the "
        "history of plays."
    ),
    columns=(
        Column("song", TEXT, "Title as heard (text repaired)."),
        Column("artist", TEXT, "Artist's name as heard (text repaired)."),
        Column("length", NUMBER, "Length as heard, seconds."),
        Column("plays", WHOLE, "How many plays of it the month has.", nullable=False),
        _MONTH,
        _YEAR,
    ),
    key=("song", "artist", "length", "year", "month"),
    lines_a_row=100,
    row_bytes=15,
    partition_by=("year", "month"),
    reads={"raw_logs": Reads.FILES_OF_MONTH},
    uses={"raw_logs": ("user_id", "ts", "page", "song", "artist", "length")},
)

SONG_MATCHES = Table(
    name="song_matches",
    description=(
        "Which of the songs heard in a month are in the catalogue: one row per heard song that "
        "matches. Title and artist's name must be equal to the byte; of several candidates the "
        "nearest in duration counts, then the smallest song_id."
    ),
    columns=(
        Column("song", TEXT, "Title as heard.", nullable=False),
        Column("artist", TEXT, "Artist's name as heard.", nullable=False),
        Column("length", NUMBER, "Length as heard, seconds."),
        Column("song_id", TEXT, "The matching song.", nullable=False),
        Column("artist_id", TEXT, "Its artist.", nullable=False),
        _MONTH,
        _YEAR,
    ),
    key=("song", "artist", "length", "year", "month"),
    lines_a_row=100,
    partition_by=("year", "month"),
    reads={"raw_songs": Reads.FILES, "heard_songs": Reads.SAME_MONTH},
    content_hash=True,
)
