"""What was read from the landing zone, line by line, and the account that is kept of it.

A row of raw_logs, raw_songs or rejects counts only if the ledger, landed_files, names its batch
for its file; rows of interrupted, repeated or replaced readings lie there without counting.
"""

from __future__ import annotations

from sparkify_assets.tables.declaration import (
    INSTANT,
    NUMBER,
    TEXT,
    TEXTS,
    WHOLE,
    Column,
    Table,
)

_SOURCE_FILE = Column("source_file", TEXT, "Key of the landing file, from the zone's root.", False)
_BATCH = Column("batch", TEXT, "Id of the reading that wrote this row.", nullable=False)

RAW_LOGS = Table(
    name="raw_logs",
    description=(
        "One row per readable line of the log files, as it stands there; texts repaired where "
        "they were encoded twice, else unchanged. Partitioned by the month in the file's key."
    ),
    columns=(
        _SOURCE_FILE,
        Column("line", WHOLE, "Number of the line in its file, from 1.", nullable=False),
        Column("artist", TEXT, "Artist of the song played; null on other pages."),
        Column("auth", TEXT, "Logged In, Logged Out, …"),
        Column("first_name", TEXT, "firstName"),
        Column("gender", TEXT, "M or F"),
        Column(
            "item_in_session", WHOLE, "itemInSession: number of the event in it, from 0.", False
        ),
        Column("last_name", TEXT, "lastName"),
        Column("length", NUMBER, "Length of the song played, seconds."),
        Column("level", TEXT, "free or paid"),
        Column("location", TEXT, "Where the user is."),
        Column("method", TEXT, "HTTP method"),
        Column("page", TEXT, "What the user did: NextSong, Home, Login, …", nullable=False),
        Column("registration", NUMBER, "When the user registered, milliseconds since the epoch."),
        Column("session_id", WHOLE, "sessionId", nullable=False),
        Column("song", TEXT, "Title of the song played."),
        Column("status", WHOLE, "HTTP status"),
        Column("ts", WHOLE, "When it happened, milliseconds since the epoch, UTC.", False),
        Column("user_agent", TEXT, "userAgent, mostly with quotes around it."),
        Column("user_id", TEXT, 'userId; "" where nobody is logged in.'),
        Column("landing_month", TEXT, "The month in the file's key, YYYY-MM.", nullable=False),
        _BATCH,
    ),
    key=("source_file", "line"),
    partition_by=("landing_month", "batch"),
    row_bytes=18,
    personal=True,
)

RAW_SONGS = Table(
    name="raw_songs",
    description="One row per readable song file, unchanged.",
    columns=(
        _SOURCE_FILE,
        Column("num_songs", WHOLE, "Always 1."),
        Column("artist_id", TEXT, "Identifies the artist.", nullable=False),
        Column("artist_latitude", NUMBER, "Degrees north."),
        Column("artist_longitude", NUMBER, "Degrees east."),
        Column("artist_location", TEXT, "Where the artist is from; may hold HTML."),
        Column("artist_name", TEXT, "The artist's name on this song."),
        Column("song_id", TEXT, "Identifies the song.", nullable=False),
        Column("title", TEXT, "Title."),
        Column("duration", NUMBER, "Length in seconds."),
        Column("year", WHOLE, "Year of release; 0 is unknown."),
        _BATCH,
    ),
    key=("source_file",),
    partition_by=("batch",),
)

REJECTS = Table(
    name="rejects",
    description="One row per line that could not be read (a song file counts as one line).",
    columns=(
        _SOURCE_FILE,
        Column("line", WHOLE, "Number of the line in its file, from 1.", nullable=False),
        Column("reason", TEXT, "Why it was rejected.", nullable=False),
        Column("text", TEXT, "The line's first 10 kB; undecodable bytes as \\xNN.", nullable=False),
        Column("scope", TEXT, "songs, or the month in the log file's key, YYYY-MM.", False),
        _BATCH,
    ),
    key=("source_file", "line"),
    partition_by=("scope", "batch"),
    personal=True,
)

LANDED_FILES = Table(
    name="landed_files",
    description=(
        "The ledger: one row per landing file whose lines are in. "
        "For every file, rows + rejected = lines."
    ),
    columns=(
        Column("source_file", TEXT, "Key of the file, from the zone's root.", nullable=False),
        Column("etag", TEXT, "The store's tag of this content.", nullable=False),
        Column("size", WHOLE, "Bytes.", nullable=False),
        Column("batch", TEXT, "The reading whose rows count for this file.", nullable=False),
        Column("reader_version", WHOLE, "Version of the reading rules.", nullable=False),
        Column("lines", WHOLE, "Lines that are not blank; 1 for a song file.", nullable=False),
        Column("rows", WHOLE, "Lines that became rows.", nullable=False),
        Column("rejected", WHOLE, "Lines that stand in rejects.", nullable=False),
        Column("repaired", WHOLE, "Rows in which a text was repaired.", nullable=False),
        Column("event_months", TEXTS, "The months of its events, UTC, YYYY-MM.", nullable=False),
        Column("first_event", INSTANT, "Time of its first event."),
        Column("last_event", INSTANT, "Time of its last event."),
        Column("landed_at", INSTANT, "When it was taken in.", nullable=False),
        Column("scope", TEXT, "songs, or the month in the log file's key, YYYY-MM.", False),
    ),
    key=("source_file",),
    partition_by=("scope",),
)
