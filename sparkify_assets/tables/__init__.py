"""Every table of the lake, each declared once."""

from sparkify_assets.tables.declaration import WHOLE_TABLE, Column, Reads, Table
from sparkify_assets.tables.derived import HEARD_SONGS, SONG_MATCHES, USER_HISTORY, USER_MONTHS
from sparkify_assets.tables.public import ARTISTS, SONGPLAYS, SONGS, TIME, USERS
from sparkify_assets.tables.raw import LANDED_FILES, RAW_LOGS, RAW_SONGS, REJECTS

PUBLIC = (SONGPLAYS, USERS, SONGS, ARTISTS, TIME)
DERIVED = (USER_MONTHS, USER_HISTORY, HEARD_SONGS, SONG_MATCHES)
RAW = (RAW_LOGS, RAW_SONGS, REJECTS, LANDED_FILES)

TABLES: dict[str, Table] = {table.name: table for table in (*PUBLIC, *DERIVED, *RAW)}

# In the order in which they are made.
BUILT = (
    SONGS,
    ARTISTS,
    USER_MONTHS,
    USER_HISTORY,
    USERS,
    HEARD_SONGS,
    SONG_MATCHES,
    SONGPLAYS,
    TIME,
)

__all__ = [
    "ARTISTS",
    "BUILT",
    "DERIVED",
    "HEARD_SONGS",
    "LANDED_FILES",
    "PUBLIC",
    "RAW",
    "RAW_LOGS",
    "RAW_SONGS",
    "REJECTS",
    "SONGPLAYS",
    "SONGS",
    "SONG_MATCHES",
    "TABLES",
    "TIME",
    "USERS",
    "USER_HISTORY",
    "USER_MONTHS",
    "WHOLE_TABLE",
    "Column",
    "Reads",
    "Table",
]
