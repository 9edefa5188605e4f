"""The five tables that analysts use."""

from __future__ import annotations

from sparkify_assets.tables.declaration import (
    INSTANT,
    NUMBER,
    SMALL,
    TEXT,
    WHOLE,
    Column,
    Reads,
    Table,
)

_YEAR = Column("year", SMALL, "Calendar year of start_time, UTC.", nullable=False)
_MONTH = Column("month", SMALL, "Calendar month of start_time, UTC, 1 to 12.", nullable=False)

SONGPLAYS = Table(
    name="songplays",
    description=(
        "One row per song that a user played (an event with page NextSong). "
        "Source: the log files, by the month of the event, with the song files for song_id and "
        "artist_id. Every play is kept; most match no song of the catalogue, so song, artist and "
        "length stand here as heard. An event that was delivered twice counts once."
    ),
    columns=(
        Column(
            "songplay_id",
            WHOLE,
            "xxhash64 of session_id, item_in_session, ts (milliseconds) and user_id of the event: "
            "the same on every engine and in every run.",
            nullable=False,
        ),
        Column(
            "start_time",
            INSTANT,
            "When the play began, UTC, to the millisecond.",
            False,
            "time.start_time",
        ),
        Column(
            "user_id",
            TEXT,
            "Who played it: users.user_id. Null: nobody was logged in.",
            refers_to="users.user_id",
        ),
        Column("level", TEXT, "The user's level at that moment: free or paid."),
        Column(
            "song_id",
            TEXT,
            "songs.song_id where the play matches a song, else null.",
            True,
            "songs.song_id",
        ),
        Column(
            "artist_id",
            TEXT,
            "artists.artist_id of the matched song, else null.",
            True,
            "artists.artist_id",
        ),
        Column("session_id", WHOLE, "The session within which it was played.", False),
        Column("location", TEXT, "Where the user was, as the app reports it: city and state."),
        Column("user_agent", TEXT, "The browser's user agent, without the quotes that enclose it."),
        _MONTH,
        _YEAR,
        Column("song", TEXT, "The song's title as heard (text repaired)."),
        Column("artist", TEXT, "The artist's name as heard (text repaired)."),
        Column("length", NUMBER, "Length of the song as heard, seconds."),
    ),
    key=("songplay_id",),
    partition_by=("year", "month"),
    day_of="start_time",
    personal=True,
    reads={"raw_logs": Reads.FILES_OF_MONTH, "song_matches": Reads.CONTENT_OF_MONTH},
    uses={
        "raw_logs": (
            "session_id",
            "item_in_session",
            "ts",
            "user_id",
            "level",
            "page",
            "location",
            "user_agent",
            "song",
            "artist",
            "length",
        )
    },
)

USERS = Table(
    name="users",
    description=(
        "One row per user, as last seen on any page. Source: the log files (through user_months). "
        "The whole last event counts: a level is the one of that event, not the highest ever."
    ),
    columns=(
        Column("user_id", TEXT, "Identifies the user; text, as in the logs.", nullable=False),
        Column("first_name", TEXT, "First name as last seen."),
        Column("last_name", TEXT, "Last name as last seen."),
        Column("gender", TEXT, "M or F, as last seen."),
        Column("level", TEXT, "free or paid, as last seen."),
    ),
    key=("user_id",),
    personal=True,
    row_bytes=12,
    reads={"user_history": Reads.WHOLE_TABLE, "user_months": Reads.OPEN_MONTHS},
)

SONGS = Table(
    name="songs",
    description=(
        "One row per song of the catalogue. Source: the song files; where several files have the "
        "same song_id, the one with most fields filled, then the newest year, then the smallest "
        "values."
    ),
    columns=(
        Column("song_id", TEXT, "Identifies the song.", nullable=False),
        Column("title", TEXT, "Title, exactly as in the song file."),
        Column(
            "artist_id",
            TEXT,
            "artists.artist_id of the performing artist.",
            False,
            "artists.artist_id",
        ),
        Column("year", SMALL, "Year of release; null where the file says 0, unknown."),
        Column("duration", NUMBER, "Length in seconds."),
    ),
    key=("song_id",),
    reads={"raw_songs": Reads.FILES},
)

ARTISTS = Table(
    name="artists",
    description=(
        "One row per artist of the catalogue. Source: the song files chosen for songs, which "
        "carry their artist's fields. An artist_id may come with several names and places: the "
        "most frequent counts, then the one of the newest song, then of the smallest song_id."
    ),
    columns=(
        Column("artist_id", TEXT, "Identifies the artist.", nullable=False),
        Column("name", TEXT, "Most frequent name."),
        Column("location", TEXT, "Most frequent location that is not empty, as written there."),
        Column("latitude", NUMBER, "Degrees north; always from the same song as longitude."),
        Column("longitude", NUMBER, "Degrees east; always from the same song as latitude."),
    ),
    key=("artist_id",),
    reads={"raw_songs": Reads.FILES},
)

TIME = Table(
    name="time",
    description=(
        "One row per distinct start_time of songplays, with its calendar parts in UTC. "
        "Source: songplays of the same month."
    ),
    columns=(
        Column("start_time", INSTANT, "The instant, UTC; songplays.start_time.", nullable=False),
        Column("hour", SMALL, "Hour of the day, 0 to 23.", nullable=False),
        Column("day", SMALL, "Day of the month, 1 to 31.", nullable=False),
        Column("week", SMALL, "ISO week of the year, 1 to 53.", nullable=False),
        _MONTH,
        _YEAR,
        Column("weekday", SMALL, "1 = Monday … 7 = Sunday.", nullable=False),
    ),
    key=("start_time",),
    partition_by=("year", "month"),
    row_bytes=3.2,
    reads={"songplays": Reads.SAME_MONTH},
    uses={"songplays": ("start_time", "month", "year")},
)
